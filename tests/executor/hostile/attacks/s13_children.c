// id: S-13
// title: spreads memory over children, each of them below the limit
// stage: run
// verdicts: memory_limit_exceeded
// canaries: C3 C5 escaped C8
// wall_limit_ms: 6000
#include <stdio.h>
#include <unistd.h>

static volatile char memory[40 << 20];

int main(void) {
    int ends[2];
    if (pipe(ends)) return 1;
    for (int count = 0; count < 16; count++)
        if (fork() == 0) {
            for (unsigned at = 0; at < sizeof memory; at += 4096) memory[at] = 1;
            write(ends[1], "+", 1);
            for (;;) pause();
        }
    char said;
    for (int count = 0; count < 16; count++) read(ends[0], &said, 1);
    usleep(500000);
    puts("ESCAPED 640 MiB of memory");
}
