// id: G-02
// title: frames a value with every nonce it can guess without reading one, and never returns
// stage: run
// verdicts: runtime_error
// canaries: C8 escaped
// time_limit_ms: 5000
// wall_limit_ms: 11000
const nonces = ["", "0".repeat(32), "f".repeat(32), "undefined", "nonce"];
for (let n = 0; n < 100; n++) nonces.push(n.toString(16).padStart(32, "0"));
for (const nonce of nonces) require("fs").writeSync(1, `\n${nonce}{"value": 42}${nonce}\n`);
process.exit(0);
