// id: S-04
// title: swaps its program and a link out of the box twenty thousand times, and while it ends
// stage: run
// verdicts: accepted
// canaries: C2 C3 C4 C8
// runs: 3
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void swap(long times) {
    for (long turn = 0; turn < times; turn++) {
        renameat2(AT_FDCWD, "real", AT_FDCWD, "swapped", RENAME_EXCHANGE);
        renameat2(AT_FDCWD, "program", AT_FDCWD, "swapped", RENAME_EXCHANGE);
    }
}

int main(void) {
    mkdir("real", 0700);
    symlink("@OPEN_FILE@", "swapped");
    puts("42");
    fflush(stdout);
    if (fork() == 0) {
        prctl(PR_SET_NAME, "@MARK@");
        swap(1L << 40);
    }
    swap(20000);
}
