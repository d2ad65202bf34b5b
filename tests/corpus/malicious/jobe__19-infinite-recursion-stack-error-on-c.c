// Recursion without end, which no optimization may turn into a loop, since each call needs its own array.
#include <stdio.h>

static int depth(volatile int *above) {
    volatile int own[64];
    own[0] = above[0] + 1;
    return depth(own) + own[0];
}

int main(void) {
    volatile int start[64] = {0};
    printf("%d\n", depth(start));
    return 0;
}
