// id: S-23
// title: looks for descriptors it was not given, and closes and uses them
// stage: run
// verdicts: accepted
// canaries: escaped C5 C8
// runs: 2
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
    for (int number = 3; number < 4096; number++)
        if (fcntl(number, F_GETFD) >= 0) {
            printf("ESCAPED descriptor %d\n", number);
            write(number, "0 0 0", 5);
            close(number);
        }
    puts("42");
}
