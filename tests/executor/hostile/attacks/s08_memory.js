// id: S-08
// title: reaches for the memory and the root of other processes through /proc
// stage: run
// verdicts: accepted
// canaries: C2 escaped C8
const fs = require('fs');
const list = path => { try { return fs.readdirSync(path); } catch { return [`${process.ppid}`, '1']; } };
for (const pid of list('/proc').filter(name => /^\d+$/.test(name) && +name !== process.pid)) {
  for (const [name, flags] of [['mem', 'r+'], ['mem', 'r'], ['root/etc/passwd', 'r'], ['environ', 'r'], ['maps', 'r'],
    ['oom_score_adj', 'w'], ['comm', 'w'], ['ns/mnt', 'r']])
    try { fs.openSync(`/proc/${pid}/${name}`, flags); console.log('ESCAPED', pid, name, flags); } catch { }
  try { for (const fd of fs.readdirSync(`/proc/${pid}/fd`)) console.log('ESCAPED descriptor', pid, fd); } catch { }
}
for (const name of ['core_pattern', 'hostname', 'modprobe'])
  try { fs.writeFileSync(`/proc/sys/kernel/${name}`, 'x'); console.log('ESCAPED', name); } catch { }
console.log(42);
