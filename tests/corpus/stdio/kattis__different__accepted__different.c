#include <stdio.h>
#include <stdlib.h>

int main(void) {
    long long first, second;
    while (scanf("%lld%lld", &first, &second) == 2) printf("%lld\n", llabs(first - second));
    return 0;
}
