// id: S-16
// title: prints without waiting for what was printed to be taken
// stage: run
// verdicts: output_limit_exceeded memory_limit_exceeded
// canaries: C5 C6 C7 C8
for (;;) process.stdout.write('x'.repeat(1 << 20));
