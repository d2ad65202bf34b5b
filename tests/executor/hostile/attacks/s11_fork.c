// id: S-11
// title: a fork bomb
// stage: run
// verdicts: time_limit_exceeded
// canaries: C3 C5 C7 C8
// time_limit_ms: 300
// wall_limit_ms: 1000
#include <sys/prctl.h>
#include <unistd.h>

int main(void) {
    prctl(PR_SET_NAME, "@MARK@");
    for (;;) fork();
}
