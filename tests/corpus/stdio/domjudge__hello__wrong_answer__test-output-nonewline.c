// Stops in the middle of the last word, without a newline.
#include <stdio.h>

int main(void) {
    fputs("Hello worl", stdout);
    return 0;
}
