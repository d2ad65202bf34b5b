// id: S-11
// title: turns into daemons that leave session and parent, and counts how many the box lets it have
// stage: run
// verdicts: accepted
// canaries: C3 escaped C8
// runs: 2
#include <stdio.h>
#include <unistd.h>

int main(void) {
    int count = 0;
    while (count < 250) {
        int pid = fork();
        if (pid < 0) break;
        if (pid == 0) {
            setsid();
            if (fork()) _exit(0);
            execl("/bin/sleep", "@MARK@", "60", (char *)0);
            _exit(1);
        }
        count++;
    }
    if (count == 250) puts("ESCAPED as many processes as wanted");
    puts("42");
}
