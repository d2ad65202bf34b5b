// id: S-19
// title: sends to listeners of this machine
// stage: run
// verdicts: accepted
// canaries: C1 C8
// wall_limit_ms: 4000
const net = require('net'), dgram = require('dgram');
for (const where of [{ port: +'@TCP_PORT@', host: '127.0.0.1' }, { port: +'@TCP6_PORT@', host: '::1' },
  { path: '@UNIX_PATH@' }, { path: '\0@ABSTRACT@' }])
  try { net.connect(where, function () { this.end('@MARK@'); }).on('error', () => { }); } catch { }
for (const [kind, host, port] of [['udp4', '127.0.0.1', +'@UDP_PORT@'], ['udp6', '::1', +'@UDP6_PORT@']])
  try { const opened = dgram.createSocket(kind).on('error', () => { }); opened.send('@MARK@', port, host, () => { }); } catch { }
setTimeout(() => { console.log(42); process.exit(0); }, 200);
