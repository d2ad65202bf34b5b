// id: S-02
// title: makes a helper that changes modes, owners or deletes follow a link out
// stage: run
// verdicts: accepted
// canaries: C2 C4 C8
// runs: 2
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
    mkdir("tree", 0700);
    symlink("@DIRECTORY@", "tree/directory");
    symlink("@CLOSED_FILE@", "tree/file");
    chmod("tree", 0);
    const char *targets[] = {"@CLOSED_FILE@", "@OPEN_FILE@", "@DIRECTORY@", "/program", "program", "/dev/zero", "/usr/bin"};
    for (unsigned at = 0; at < sizeof targets / sizeof *targets; at++) {
        if (chmod(targets[at], 0777) == 0) printf("ESCAPED mode of %s\n", targets[at]);
        if (chown(targets[at], 0, 0) == 0) printf("ESCAPED owner of %s\n", targets[at]);
        if (unlink(targets[at]) == 0) printf("ESCAPED deleted %s\n", targets[at]);
    }
    puts("42");
}
