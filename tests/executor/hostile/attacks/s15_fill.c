// id: S-15
// title: fills the disk: written, sparse, allocated, copied
// stage: run
// verdicts: accepted
// canaries: C4 C5 escaped C8
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static char block[1 << 20];

int main(void) {
    signal(SIGXFSZ, SIG_IGN);
    const char *names[] = {"/box/file", "/tmp/file", "/var/tmp/file", "/dev/shm/file", "/program/file", "/file"};
    long written = 0;
    for (unsigned at = 0; at < sizeof names / sizeof *names; at++) {
        int file = open(names[at], O_CREAT | O_RDWR, 0600);
        if (file < 0) continue;
        if (ftruncate(file, 1l << 40) == 0) puts("ESCAPED a sparse file of 1 TiB");
        if (posix_fallocate(file, 0, 1l << 33) == 0) puts("ESCAPED 8 GiB allocated");
        if (lseek(file, 1l << 40, SEEK_SET) > 0 && write(file, block, 1) == 1) puts("ESCAPED a byte at 1 TiB");
        lseek(file, 0, SEEK_SET);
        for (ssize_t size; written < 1l << 30 && (size = write(file, block, sizeof block)) > 0;) written += size;
    }
    if (written > 128 << 20) printf("ESCAPED %ld MiB on disk\n", written >> 20);
    puts("42");
}
