// id: S-12
// title: answers and ends, while its children sleep on with the output open
// stage: run
// verdicts: accepted
// canaries: C3 C7 C8
const { spawn } = require('child_process');
for (let n = 0; n < 10; n++) spawn('/bin/sleep', ['60'], { detached: true, stdio: 'inherit', argv0: '@MARK@' }).on('error', () => { });
require('fs').writeSync(1, '42\n');
process.exit(0);
