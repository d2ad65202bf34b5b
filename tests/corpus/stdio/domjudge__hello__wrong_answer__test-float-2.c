// Numbers that are none, where words are expected.
#include <math.h>
#include <stdio.h>

int main(void) {
    printf("%f %f\n", NAN, -INFINITY);
    return 0;
}
