// Forks without end; every other child leaves its session, as one that wants to outlive the rest would.
#include <stdio.h>
#include <unistd.h>

int main(void) {
    puts("Hello world!");
    fflush(stdout);
    for (unsigned turn = 0;; turn++)
        if (fork() == 0 && turn % 2 == 0) setsid();
}
