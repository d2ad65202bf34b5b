// id: S-14
// title: spins for ever
// stage: run
// verdicts: time_limit_exceeded
// canaries: C5 C7 C8
// time_limit_ms: 300
// wall_limit_ms: 1500
for (;;);
