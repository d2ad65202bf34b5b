// The right output, and then the end by a signal that it sends to itself.
#include <signal.h>
#include <stdio.h>

int main(void) {
    puts("Hello, World!");
    fflush(stdout);
    raise(SIGSEGV);
    return 0;
}
