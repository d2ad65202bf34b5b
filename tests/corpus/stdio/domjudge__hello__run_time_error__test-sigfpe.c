// Divides by zero, and ends by a signal.
#include <stdio.h>

int main(void) {
    volatile int divisor = 0;
    int number;
    if (scanf("%d", &number) != 1) return 0;
    printf("Hello world! %d\n", number / divisor);
    return 0;
}
