// id: S-22
// title: plants modules and settings that the next start of Node.js would take in
// stage: run
// verdicts: accepted
// canaries: C4 C8
// runs: 2
const fs = require('fs');
for (const place of ['/box', '/tmp', '/', '/usr/lib/node_modules', '/usr/share/nodejs', '/root', '/program'])
  for (const name of ['node_modules', '.node_modules', '.noderc', 'package.json', '.node_repl_history', 'fs.js'])
    try {
      const path = `${place}/${name}`;
      if (fs.existsSync(path) && fs.readFileSync(path, 'utf8').includes('@MARK@')) console.log('RESIDUE', path);
      if (!fs.existsSync(path)) fs.writeFileSync(path, '{"type": "module", "mark": "@MARK@"}');
    } catch { }
process.env.NODE_OPTIONS = '--require /tmp/fs.js';
console.log(42);
