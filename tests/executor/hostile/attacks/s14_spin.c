// id: S-14
// title: spins for ever, with the signals that tell of it ignored
// stage: run
// verdicts: time_limit_exceeded
// canaries: C5 C7 C8
// time_limit_ms: 300
// wall_limit_ms: 1000
#include <signal.h>

int main(void) {
    signal(SIGXCPU, SIG_IGN);
    for (volatile int turn = 0;; turn++);
}
