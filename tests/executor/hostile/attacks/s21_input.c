// id: S-21
// title: writes another input over its own and reads it again, for itself and for the next test
// stage: run
// verdicts: accepted
// canaries: escaped C8
// stdin: 21 is the input
// runs: 2
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void) {
    char said[100] = "";
    char *mapped = mmap(0, 10, PROT_READ | PROT_WRITE, MAP_SHARED, 0, 0);
    if (mapped != MAP_FAILED) memcpy(mapped, "99", 2);
    pwrite(0, "99", 2, 0);
    ftruncate(0, 1);
    fcntl(0, F_ADD_SEALS, 0);
    int again = open("/proc/self/fd/0", O_RDWR | O_TRUNC);
    if (again >= 0) write(again, "99", 2);
    pread(0, said, 99, 0);
    puts(strcmp(said, "21 is the input") ? "ESCAPED the input is another" : "42");
}
