// id: S-03
// title: turns its output into a pipe that nobody empties, and leaves closed files beside it
// stage: run
// verdicts: wrong_answer
// canaries: C5 C7 C8
// runs: 2
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
    mkfifo("stdout", 0);
    close(open("stderr", O_CREAT | O_WRONLY, 0));
    symlink("stdout", "result");
    symlink("/dev/full", "metadata");
    int ends[2];
    if (pipe(ends)) return 1;
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    write(1, "42\n", 3);
    fcntl(1, F_SETFL, O_NONBLOCK);
    return 0;
}
