// Includes itself twice on each of 150 levels: the preprocessor would outlive the sun, and says nothing.
#if __INCLUDE_LEVEL__ < 150
#include __FILE__
#include __FILE__
#endif
#if __INCLUDE_LEVEL__ == 0
#include <stdio.h>

int main(void) {
    puts("Hello world!");
    return 0;
}
#endif
