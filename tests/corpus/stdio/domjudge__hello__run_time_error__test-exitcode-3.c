// The right output, and a negative exit status, of which eight bits arrive.
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    puts("Hello world!");
    exit(-3);
}
