// The right output, and an exit status that says failure.
#include <stdio.h>

int main(void) {
    puts("Hello world!");
    return 2;
}
