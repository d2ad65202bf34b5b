#include <stdio.h>

int main(void) {
    long long number;
    if (scanf("%lld", &number) != 1) return 1;
    printf("%lld\n", number + 1);
    return 0;
}
