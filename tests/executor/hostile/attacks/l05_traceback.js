// id: L-05
// title: its arguments and its whole stack in the error
// stage: run
// verdicts: runtime_error
// canaries: C8
// time_limit_ms: 5000
// wall_limit_ms: 11000
function solve(...given) {
  Error.stackTraceLimit = Infinity;
  console.log(new Error(JSON.stringify(given)).stack, process.argv, process.cwd());
  throw new Error(`${JSON.stringify(given)} ${process.argv} ${module.paths}`);
}
