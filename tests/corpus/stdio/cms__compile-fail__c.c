// The result is never declared, so nothing comes out of the compiler.
#include <stdio.h>

int main(void) {
    int number;
    if (scanf("%d", &number) != 1) return 1;
    printf("correct %d\n", result);
    return 0;
}
