// id: S-13
// title: recurses without end
// stage: run
// verdicts: runtime_error memory_limit_exceeded
// canaries: C5 C8
#include <stdio.h>

static int deeper(volatile char *above, int depth) {
    volatile char here[4096];
    here[0] = above[0];
    if (depth == 200000) puts("ESCAPED 800 MiB of stack");
    return deeper(here, depth + 1) + here[1];
}

int main(void) {
    char first[1] = {1};
    return deeper(first, 0);
}
