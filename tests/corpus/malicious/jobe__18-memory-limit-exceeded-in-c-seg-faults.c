// Asks for ten times the limit at once, and is told that there is no such memory.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    const size_t size = (size_t)4000 << 20;
    char *volatile memory = malloc(size);
    if (memory == NULL) {
        puts("Memory limit worked");
        return 0;
    }
    memset(memory, 1, size);
    puts("There is no limit");
    return 0;
}
