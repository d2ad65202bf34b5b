// A number where words are expected.
#include <stdio.h>

int main(void) {
    printf("%e\n", 1.0 / 3);
    return 0;
}
