// id: S-24
// title: types into the terminal of whoever started the judge
// stage: run
// verdicts: accepted
// canaries: escaped C8
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int main(void) {
    const char *names[] = {"/dev/tty", "/dev/console", "/dev/ptmx", "/dev/pts/0", "/dev/tty0", "/dev/tty1", "/dev/ttyS0"};
    for (unsigned at = 0; at < sizeof names / sizeof *names; at++)
        if (open(names[at], O_RDWR | O_NOCTTY) >= 0) printf("ESCAPED %s\n", names[at]);
    setsid();
    for (int number = 0; number < 10; number++) {
        char code[2] = {3, 0};
        if (ioctl(number, TIOCSCTTY, 1) == 0) puts("ESCAPED TIOCSCTTY");
        if (ioctl(number, TIOCSTI, "x") == 0) puts("ESCAPED TIOCSTI");
        if (ioctl(number, 0x541cul, code) == 0) puts("ESCAPED TIOCLINUX");
        if (ioctl(number, 0x100005412ul, "x") == 0) puts("ESCAPED TIOCSTI with a high bit");
        if (isatty(number)) puts("ESCAPED terminal");
    }
    puts("42");
}
