// id: L-03
// title: its input on both streams and in the signal that ends it
// stage: run
// verdicts: runtime_error
// canaries: C8
#include <signal.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        fputs(line, stdout);
        fputs(line, stderr);
    }
    fflush(stdout);
    return raise(strlen(line) % 2 ? SIGFPE : SIGSEGV);
}
