// id: S-13
// title: fills files in memory, System V segments and pipes, which belong to no process
// stage: run
// verdicts: accepted
// canaries: C4 C5 escaped C8
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

int main(void) {
    if (memfd_create("@MARK@", 0) >= 0) puts("ESCAPED memfd");
    if (syscall(447, 0) >= 0) puts("ESCAPED memfd_secret");
    if (shmget(IPC_PRIVATE, 400 << 20, IPC_CREAT | 0600) >= 0) puts("ESCAPED segment");
    if (mmap(0, 400 << 20, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) puts("ESCAPED shared mapping");
    static char block[65536];
    long kept = 0;
    int ends[2];
    while (pipe2(ends, O_NONBLOCK) == 0) {
        fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
        for (ssize_t size; (size = write(ends[1], block, sizeof block)) > 0;) kept += size;
    }
    if (kept > 128 << 20) printf("ESCAPED %ld MiB in pipes\n", kept >> 20);
    puts("42");
}
