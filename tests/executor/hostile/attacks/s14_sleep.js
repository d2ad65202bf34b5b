// id: S-14
// title: waits in the event loop
// stage: run
// verdicts: time_limit_exceeded
// canaries: C7 C8
// wall_limit_ms: 700
setTimeout(() => console.log(42), 3600000);
