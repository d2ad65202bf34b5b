// Calls a function with too few arguments, and forgets a semicolon.
#include <stdio.h>

static void greet(const char *whom, int times) {
    while (times-- > 0) printf("Hello %s!\n", whom)
}

int main(void) {
    greet("world");
    return 0;
}
