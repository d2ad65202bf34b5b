// Writes where nothing is, and ends by a signal.
#include <stdio.h>

int main(void) {
    volatile int *volatile nowhere = NULL;
    puts("Hello world!");
    fflush(stdout);
    *nowhere = 1;
    return 0;
}
