// Forgets the modulus, and aborts where its table is too small.
#include <assert.h>
#include <stdio.h>

enum { SIZE = 100 };

int main(void) {
    unsigned long long table[SIZE] = {0, 1};
    int wanted;
    if (scanf("%d", &wanted) != 1) return 1;
    assert(wanted < SIZE);
    for (int index = 2; index <= wanted; index++) table[index] = table[index - 1] + table[index - 2];
    printf("%llu\n", table[wanted]);
    return 0;
}
