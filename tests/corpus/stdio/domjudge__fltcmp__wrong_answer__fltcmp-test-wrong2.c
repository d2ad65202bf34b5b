// Three decimals are exact for a quarter and a fifth, but not for a third; and it takes zero for its own reciprocal.
#include <stdio.h>

int main(void) {
    int count;
    double number;
    if (scanf("%d", &count) != 1) return 1;
    while (count-- > 0 && scanf("%lf", &number) == 1) printf("%.3f\n", number == 0 ? 0 : 1 / number);
    return 0;
}
