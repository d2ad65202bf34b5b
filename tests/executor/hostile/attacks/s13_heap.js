// id: S-13
// title: fills array buffers, which are not of the heap that is bounded by a flag
// stage: run
// verdicts: memory_limit_exceeded
// canaries: C5 escaped C8
// wall_limit_ms: 2000
const pieces = [];
for (let count = 0; count < 1200; count++) pieces.push(Buffer.alloc(1 << 20, 1));
console.log('ESCAPED 1200 MiB of memory');
