// id: S-11
// title: vforks and executes itself in a loop
// stage: run
// verdicts: time_limit_exceeded runtime_error
// canaries: C3 C5 C7 C8
// time_limit_ms: 300
// wall_limit_ms: 1000
#define _GNU_SOURCE
#include <unistd.h>

int main(void) {
    for (;;)
        if (vfork() == 0) {
            execl("/box/program", "@MARK@", (char *)0);
            _exit(1);
        }
}
