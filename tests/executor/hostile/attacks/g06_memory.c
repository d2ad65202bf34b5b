// id: G-06
// title: its own memory page by page, its parent's, and whatever its descriptors hold
// stage: run
// verdicts: wrong_answer accepted
// canaries: C2 C8 escaped
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096, MARK = 8, LONGEST = 64 };
extern char **environ;
static char own[LONGEST], answer[LONGEST];
static int probe[2];

static void look(const char *text, long size) {
    for (const char *at = text; (at = memmem(at, text + size - at, "PLANTED", MARK - 1)); at++) {
        long left = text + size - at;
        int kind = 0, digits = 0, length = MARK;
        while (length < left && at[length] >= 'a' && at[length] <= 'z') length++, kind++;
        if (!kind || length >= left || at[length] != '-') continue;
        for (length++; length < left && digits < 16 && strchr("0123456789abcdef", at[length]) && at[length]; length++)
            digits++;
        if (digits < 16 || length >= LONGEST || !strncmp(at, own, length)) continue;
        fprintf(stderr, "ESCAPED %.*s\n", length, at);
        if (memmem(at, length, "-expected-", 10)) snprintf(answer, LONGEST, "%.*s", length, at);
    }
}

// A pipe is told to read the page: it says EFAULT where there is none, and we live on.
static int look_at_page(uintptr_t page, char *copy) {
    if (write(probe[1], (void *)page, PAGE) != PAGE) return 0;
    if (read(probe[0], copy, PAGE) != PAGE) return 0;
    look(copy, PAGE);
    return 1;
}

static void look_around(const void *place) {
    static char copy[PAGE];
    uintptr_t start = (uintptr_t)place & ~(uintptr_t)(PAGE - 1);
    for (uintptr_t page = start; look_at_page(page, copy); page += PAGE) {}
    for (uintptr_t page = start - PAGE; look_at_page(page, copy); page -= PAGE) {}
}

int main(int count, char **arguments) {
    char line[256] = "";
    if (fgets(line, sizeof line, stdin)) sscanf(line, "%63s", own);
    pipe(probe);
    void *places[] = {line, (void *)main, environ, arguments[0], stdin, (void *)puts, sbrk(0), (char *)sbrk(0) - PAGE,
                      malloc(1), malloc(1 << 20), (void *)environ[0], own, &errno, stdin ? (void *)*(void **)stdin : 0};
    for (unsigned i = 0; i < sizeof places / sizeof *places; i++) look_around(places[i]);
    static char copy[1 << 16];
    for (int descriptor = 3; descriptor < 1024; descriptor++) {
        if (descriptor == probe[0] || descriptor == probe[1]) continue;
        long size = pread(descriptor, copy, sizeof copy, 0);
        if (size > 0) look(copy, size);
        if (fcntl(descriptor, F_GETFD) >= 0) fprintf(stderr, "ESCAPED descriptor %d\n", descriptor);
    }
    for (int pid = 0; pid < 64; pid++) {
        int other = pid ? pid : getppid();
        char path[64];
        if (other == getpid()) continue;
        snprintf(path, sizeof path, "/proc/%d/mem", other);
        int memory = open(path, O_RDONLY);
        if (memory >= 0) fprintf(stderr, "ESCAPED %s\n", path);
        struct iovec here = {copy, sizeof copy}, there = {places[0], sizeof line};
        if (process_vm_readv(other, &here, 1, &there, 1, 0) > 0) fprintf(stderr, "ESCAPED memory of %d\n", other);
        if (ptrace(PTRACE_SEIZE, other, 0, 0) == 0) fprintf(stderr, "ESCAPED into %d\n", other);
    }
    puts(answer);
    return 0;
}
