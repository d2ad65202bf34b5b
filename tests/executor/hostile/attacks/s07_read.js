// id: S-07
// title: shows all that can be read of files, processes and variables
// stage: run
// verdicts: wrong_answer
// canaries: C2 C8
const fs = require('fs');
const read = path => { try { return fs.readFileSync(path, 'latin1').slice(0, 20000); } catch { return null; } };
for (const path of ['@CLOSED_FILE@', '@OPEN_FILE@', '/etc/shadow', '/etc/passwd', '/proc/1/mem', '/proc/cmdline',
  '/proc/loadavg', '/proc/meminfo', '/proc/sysvipc/shm', '/proc/1/root/etc/passwd', '/proc/1/environ',
  '/proc/1/cwd/etc/passwd', '/proc/@ENGINE_PID@/cmdline', '/sys/kernel/notes', '/sys/fs/cgroup/cgroup.procs'])
  if (read(path) !== null) console.log('ESCAPED read', path);
const list = path => { try { return fs.readdirSync(path); } catch { return []; } };
for (const pid of list('/proc').filter(name => /^\d+$/.test(name))) {
  for (const name of ['environ', 'cmdline', 'mountinfo', 'maps', 'status', 'cgroup'])
    console.log(pid, name, read(`/proc/${pid}/${name}`));
  if ((read(`/proc/${pid}/cmdline`) || '').includes('bwrap')) console.log('ESCAPED sees the box from outside');
}
console.log(JSON.stringify(process.env), process.argv, process.report.getReport().environmentVariables);
try { console.log('ESCAPED lists', fs.readdirSync('@DIRECTORY@')); } catch { }
