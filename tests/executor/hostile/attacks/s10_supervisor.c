// id: S-10
// title: stops its parent and everybody else, over and over, and spins
// stage: run
// verdicts: time_limit_exceeded
// canaries: C3 C5 C7 C8
// time_limit_ms: 300
// wall_limit_ms: 1000
#include <signal.h>
#include <unistd.h>

int main(void) {
    for (int number = 1; number < 65; number++) signal(number, SIG_IGN);
    for (;;) {
        kill(-1, SIGSTOP);
        kill(getppid(), SIGSTOP);
        kill(-1, SIGKILL);
        kill(0, SIGUSR1);
        for (int pid = 1; pid < 200; pid++)
            if (pid != getpid()) kill(pid, SIGKILL);
    }
}
