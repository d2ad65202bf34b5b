// A static array of twice the limit, written to page by page.
#include <stdio.h>

enum { SIZE = 256 << 20, PAGE = 4096 };

static volatile char array[SIZE];

int main(void) {
    int number;
    if (scanf("%d", &number) != 1) return 1;
    for (long place = 0; place < SIZE; place += PAGE) array[place] = 1;
    printf("correct %d\n", number * array[SIZE - PAGE]);
    return 0;
}
