// id: S-12
// title: leaves processes for the next test to find
// stage: run
// verdicts: accepted
// canaries: C3 C4 C8
// runs: 2
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
    int others = 0;
    for (int pid = 2; pid < 400; pid++) others += pid != getpid() && kill(pid, 0) == 0;
    if (others > 10) printf("RESIDUE %d processes\n", others);
    puts("42");
    fflush(stdout);
    for (int count = 0; count < 20; count++)
        if (fork() == 0) {
            setsid();
            sleep(60);
            _exit(0);
        }
}
