// id: S-22
// title: plants files that the next start of a loader, compiler or program would take in
// stage: run
// verdicts: accepted
// canaries: C4 C8
// runs: 3
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
    const char *paths[] = {"/etc/ld.so.preload", "/etc/ld.so.cache", "/box/libc.so.6", "/box/.gdbinit", "/tmp/libm.so.6",
                           "/usr/lib/locale/@MARK@", "/box/@MARK@", "/tmp/@MARK@", "/program/@MARK@", "/program/program",
                           "/usr/include/stdio.h", "/usr/bin/gcc", "/box/as", "/lib/x86_64-linux-gnu/libc.so.6"};
    for (unsigned at = 0; at < sizeof paths / sizeof *paths; at++) {
        int file = open(paths[at], O_CREAT | O_EXCL | O_RDWR, 0755);
        if (file < 0) file = open(paths[at], O_RDWR);
        if (file < 0) continue;
        char there[11] = "";
        if (read(file, there, 10) == 10) printf("RESIDUE %s in %s\n", there, paths[at]);
        write(file, "@MARK@", 10);
    }
    puts("42");
}
