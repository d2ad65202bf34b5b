// A brace is missing.
#include <stdio.h>

int main(void) {
    if (puts("Hello, World!") < 0) {
        return 1;
    return 0;
}
