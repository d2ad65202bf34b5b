// Opens files whose names hold formats, control characters or nothing, and wants the kernel's own errors for each.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int gives(const char *path, int error) {
    errno = 0;
    if (open(path, O_RDONLY) == -1 && errno == error) return 1;
    fprintf(stderr, "%s: %s\n", path ? path : "(null)", strerror(errno));
    return 0;
}

int main(void) {
    const char *volatile nowhere = NULL;
    int good = gives("%s%s%s%s%n%n", ENOENT) && gives("%100000d", ENOENT) && gives("{0.__class__}", ENOENT) &&
               gives("\x1b[2J\r\n", ENOENT) && gives("\xff\xfe\xc0\xaf", ENOENT) && gives("", ENOENT) &&
               gives("%s/../%n/./%s", ENOENT) && gives("/dev/null/%s", ENOTDIR) && gives(nowhere, EFAULT) &&
               gives((const char *)-4096, EFAULT);
    if (!good) return 1;
    puts("Hello, World!");
    return 0;
}
