// id: S-21
// title: opens its input again for writing
// stage: run
// verdicts: accepted
// canaries: escaped C8
// stdin: 21 is the input
// runs: 2
const fs = require('fs');
for (const path of ['/proc/self/fd/0', '/dev/stdin', 0])
  try { fs.writeFileSync(path, '99'); console.log('ESCAPED wrote to', path); } catch { }
console.log(fs.readFileSync('/dev/stdin', 'utf8') === '21 is the input' ? 42 : 'ESCAPED the input is another');
