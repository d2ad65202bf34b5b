// Right, and then computes for ever.
#include <stdio.h>

int main(void) {
    int number;
    if (scanf("%d", &number) != 1) return 1;
    printf("correct %d\n", number);
    fflush(stdout);
    for (volatile unsigned long turns = 0;; turns++) {
    }
}
