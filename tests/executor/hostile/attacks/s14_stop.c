// id: S-14
// title: stops itself by a signal, and its children too
// stage: run
// verdicts: time_limit_exceeded
// canaries: C3 C7 C8
// wall_limit_ms: 700
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void) {
    prctl(PR_SET_NAME, "@MARK@");
    fork();
    fork();
    for (;;) raise(SIGSTOP);
}
