// id: S-20
// title: writes its own program into the output and into files, and executes those
// stage: run
// verdicts: accepted
// canaries: escaped C8
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **words) {
    if (count == 2) {
        puts("ESCAPED executed what was written");
        return 0;
    }
    const char *places[] = {"/box/own", "/tmp/own", "/dev/shm/own", "/program/own"};
    static char program[1 << 20];
    ssize_t size = read(open(words[0], O_RDONLY), program, sizeof program);
    for (unsigned at = 0; at < sizeof places / sizeof *places; at++) {
        int file = open(places[at], O_CREAT | O_RDWR, 0755);
        if (file < 0 || write(file, program, size) != size) continue;
        if (mmap(0, size, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0) != MAP_FAILED) puts("ESCAPED mapped what was written");
        fchmod(file, 06755);
        fflush(stdout);
        if (fork() == 0) {
            execl(places[at], places[at], "again", (char *)0);
            execl("/lib64/ld-linux-x86-64.so.2", "ld", places[at], "again", (char *)0);
            char *again[] = {"own", "again", 0};
            close(open(places[at], O_RDONLY));
            execveat(file, "", again, environ, AT_EMPTY_PATH);
            _exit(0);
        }
        wait(0);
    }
    puts("42");
}
