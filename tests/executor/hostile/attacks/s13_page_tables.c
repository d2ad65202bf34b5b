// id: S-13
// title: reads one page in each 2 MiB of a huge mapping, so that the tables of the kernel are what grows
// stage: run
// verdicts: memory_limit_exceeded runtime_error
// canaries: C5 escaped C8
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

int main(void) {
    size_t size = 1ul << 40, got = 0;
    volatile char *start = mmap(0, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) abort();
    for (size_t at = 0; at < 1ul << 36; at += 1ul << 21) got += 1 + start[at];
    printf("ESCAPED %zu page tables\n", got);
}
