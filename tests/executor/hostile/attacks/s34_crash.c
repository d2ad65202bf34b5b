// id: S-34
// title: dies while its files are deleted, in many processes, over and over
// stage: run
// verdicts: runtime_error
// canaries: C3 C4 C5 C8
// runs: 15
#include <stdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void) {
    prctl(PR_SET_NAME, "@MARK@");
    for (int count = 0; count < 4; count++)
        if (fork() == 0) {
            for (int turn = 0; turn < 100; turn++) {
                fclose(fopen("file", "w"));
                unlink("file");
                unlink("program");
            }
            raise(SIGSEGV);
        }
    unlink("program");
    rmdir("/box");
    raise(SIGBUS);
}
