// Right, and then sleeps for longer than anybody waits.
#include <stdio.h>
#include <unistd.h>

int main(void) {
    puts("Hello world!");
    fflush(stdout);
    for (;;) sleep(3600);
}
