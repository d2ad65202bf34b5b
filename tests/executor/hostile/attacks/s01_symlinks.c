// id: S-01
// title: puts a link to a file of the machine in place of its own program
// stage: run
// verdicts: accepted
// canaries: C2 C4 C8
// runs: 2
#include <stdio.h>
#include <unistd.h>

int main(void) {
    const char *names[] = {"program", "main.c", "/program/program", "/tmp/program", "stdout", "/box/meta", "artefacts"};
    for (unsigned at = 0; at < sizeof names / sizeof *names; at++) {
        unlink(names[at]);
        symlink("@OPEN_FILE@", names[at]);
        rename(names[at], "program");
    }
    if (link("@OPEN_FILE@", "hard") == 0) puts("ESCAPED hard link");
    puts("42");
}
