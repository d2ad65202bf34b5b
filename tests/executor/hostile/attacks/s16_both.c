// id: S-16
// title: floods both outputs by turns from several processes
// stage: run
// verdicts: output_limit_exceeded
// canaries: C3 C5 C6 C7 C8
#include <signal.h>
#include <unistd.h>

static char block[5000];

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    fork();
    fork();
    for (;;) {
        write(1, block, sizeof block);
        write(2, block, sizeof block);
    }
}
