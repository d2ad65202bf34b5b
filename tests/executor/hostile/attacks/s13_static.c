// id: S-13
// title: fills a static array
// stage: run
// verdicts: memory_limit_exceeded runtime_error
// canaries: C5 escaped C8
#include <stdio.h>
#include <string.h>

static char array[400 << 20];

int main(void) {
    memset(array, 1, sizeof array);
    puts("ESCAPED 400 MiB of memory");
}
