// Ends its line the wrong way round: line feed, then carriage return.
#include <stdio.h>

int main(void) {
    fputs("Hello world!\n\r", stdout);
    return 0;
}
