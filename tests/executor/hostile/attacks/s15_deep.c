// id: S-15
// title: nests directories as deep as they go, and closes each behind it
// stage: run
// verdicts: accepted
// canaries: C4 C5 C7 C8
// runs: 2
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
    for (int depth = 0; depth < 10000; depth++) {
        if (mkdir("deeper-@MARK@", 0700) || chdir("deeper-@MARK@")) break;
        chmod(".", depth % 2 ? 0100 : 0300);
    }
    puts("42");
}
