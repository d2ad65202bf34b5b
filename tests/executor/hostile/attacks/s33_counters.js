// id: S-33
// title: reads counters of the whole machine in files
// stage: run
// verdicts: accepted
// canaries: escaped C8
const fs = require('fs');
for (const path of ['/proc/loadavg', '/proc/stat', '/proc/meminfo', '/proc/uptime', '/proc/pressure/cpu', '/proc/net/dev',
  '/sys/fs/cgroup/cpu.stat', '/proc/schedstat'])
  try { fs.readFileSync(path); console.log('ESCAPED reads', path); } catch { }
console.log(42);
