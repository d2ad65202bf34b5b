// id: S-14
// title: waits for input that never comes: on the standard input, on the standard output, on a terminal
// stage: run
// verdicts: time_limit_exceeded
// canaries: C7 C8
// wall_limit_ms: 700
#include <fcntl.h>
#include <sys/select.h>
#include <unistd.h>

int main(void) {
    char byte;
    read(0, &byte, 1);
    read(1, &byte, 1);
    read(open("/dev/tty", O_RDONLY), &byte, 1);
    select(0, 0, 0, 0, 0);
}
