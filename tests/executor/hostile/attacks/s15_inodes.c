// id: S-15
// title: makes links, pipes, directories and names of a file without end
// stage: run
// verdicts: accepted
// canaries: C4 C5 escaped C8
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
    char name[64];
    int made = 0;
    for (int number = 0; number < 30000; number++) {
        snprintf(name, sizeof name, "/tmp/d%d-@MARK@", number);
        made += mkdir(name, 0700) == 0;
        snprintf(name, sizeof name, "/tmp/f%d-@MARK@", number);
        made += mkfifo(name, 0600) == 0;
        snprintf(name, sizeof name, "/box/l%d-@MARK@", number);
        made += symlink("@OPEN_FILE@", name) == 0;
    }
    if (made > 20000) printf("ESCAPED %d names\n", made);
    puts("42");
}
