// One local array that is larger than any stack, written to from end to end.
#include <stdio.h>
#include <string.h>

enum { SIZE = 512 << 20 };

static void fill(volatile char *array) {
    for (long place = SIZE - 1; place >= 0; place -= 4096) array[place] = 1;
}

int main(void) {
    volatile char array[SIZE];
    fill(array);
    puts("Hello world!");
    return 0;
}
