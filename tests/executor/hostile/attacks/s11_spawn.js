// id: S-11
// title: starts itself again and again
// stage: run
// verdicts: time_limit_exceeded memory_limit_exceeded runtime_error
// canaries: C3 C5 C7 C8
// time_limit_ms: 500
// wall_limit_ms: 1500
const { spawn } = require('child_process');
process.title = '@MARK@';
const again = () => {
  for (let n = 0; n < 4; n++) spawn(process.execPath, [__filename, '@MARK@'], { detached: true, stdio: 'inherit' }).on('error', () => { });
};
again();
setInterval(again, 50);
