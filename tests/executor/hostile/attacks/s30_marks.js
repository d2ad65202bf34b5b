// id: S-30
// title: leaves its mark in every place it can write to
// stage: run
// verdicts: accepted
// canaries: C4 C8
// runs: 2
const fs = require('fs');
for (const place of ['/', '/tmp', '/var/tmp', '/dev', '/dev/shm', '/run', '/run/lock', '/box', '/program', '/root', '/home'])
  try {
    if (fs.readdirSync(place).some(name => name.includes('@MARK@'))) console.log('RESIDUE in', place);
    fs.writeFileSync(`${place}/@MARK@`, '');
  } catch { }
console.log(42);
