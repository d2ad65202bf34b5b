// id: S-12
// title: answers and ends, while its children sleep on with the output open
// stage: run
// verdicts: accepted
// canaries: C3 C7 C8
// runs: 2
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void) {
    puts("42");
    fflush(stdout);
    for (int count = 0; count < 100; count++)
        if (fork() == 0) {
            prctl(PR_SET_NAME, "@MARK@");
            signal(SIGTERM, SIG_IGN);
            for (;;) sleep(60);
        }
}
