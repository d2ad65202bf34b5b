// Opens files by names that are too long, relative to a directory, and wants the kernel's own error.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { LONG = 64 * 1024 };

static char path[LONG + 1];

static int is_too_long(int length) {
    memset(path, 'a', length);
    path[length] = '\0';
    errno = 0;
    return openat(AT_FDCWD, path, O_RDONLY) == -1 && errno == ENAMETOOLONG;
}

int main(void) {
    // Longer than a name may be, than a path may be, and than any page.
    if (!is_too_long(256) || !is_too_long(4096) || !is_too_long(LONG)) return 1;
    puts("Hello, World!");
    return 0;
}
