// Computes for ever.
#include <stdio.h>

int main(void) {
    volatile unsigned state = 1;
    while (state != 0) state = state * 1664525u + 1013904223u | 1u;
    printf("Hello world\n");
    return 0;
}
