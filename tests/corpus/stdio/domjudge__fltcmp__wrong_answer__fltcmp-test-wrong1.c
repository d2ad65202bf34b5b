// Gives the numbers back instead of their reciprocals.
#include <stdio.h>

int main(void) {
    int count;
    double number;
    if (scanf("%d", &count) != 1) return 1;
    while (count-- > 0 && scanf("%lf", &number) == 1) printf("%.12f\n", number);
    return 0;
}
