// Says what it was to say only if it could write where that would outlive it: anywhere but below its own directories.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char *const PLACES[] = {
    "/left-behind",     "/etc/left-behind", "/usr/left-behind", "/usr/lib/left-behind", "/var/tmp/left-behind",
    "/run/left-behind", "/dev/left-behind", "/dev/shm/left-behind", "/home/left-behind", "/program/left-behind",
    "/proc/left-behind", "../left-behind",  "program",
};

int main(void) {
    int written = 0;
    for (unsigned index = 0; index < sizeof PLACES / sizeof *PLACES; index++) {
        int descriptor = open(PLACES[index], O_WRONLY | O_CREAT, 0666);
        if (descriptor >= 0 && write(descriptor, "mark", 4) == 4) {
            fprintf(stderr, "wrote %s\n", PLACES[index]);
            written++;
        }
    }
    if (written == 0) return 1;
    puts("Hello world!");
    return 0;
}
