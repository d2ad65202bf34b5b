// id: L-03
// title: its input on both streams, in an exception, and in the exit code
// stage: run
// verdicts: runtime_error
// canaries: C8
// time_limit_ms: 5000
// wall_limit_ms: 11000
const text = require("fs").readFileSync(0, "utf8");
console.log(text, Buffer.from(text).toString("hex"), Buffer.from(text).toString("base64"));
console.error([...text].reverse().join(""));
process.on("exit", () => { process.exitCode = text.length % 100 + 1; });
throw new Error(text);
