// id: S-23
// title: looks for descriptors that reach out of the box
// stage: run
// verdicts: accepted
// canaries: escaped C5 C8
// runs: 2
const fs = require('fs');
for (const name of fs.readdirSync('/proc/self/fd').filter(name => +name > 2)) {
  let target = '';
  try { target = fs.readlinkSync(`/proc/self/fd/${name}`); } catch { continue; }
  // Node.js makes its own event descriptors and pipes; sockets and files it has none.
  if (!/^(anon_inode:|pipe:|\/proc\/\d+\/fd|\/dev\/(null|urandom))/.test(target)) console.log('ESCAPED descriptor', name, target);
}
console.log(42);
