// id: S-17
// title: includes what a compiler would wait for: a terminal, its own input, a pipe
// stage: compile
// verdicts: compilation_error
// canaries: C5 C7 C8
#include "/dev/tty"
#include "/dev/stdin"
#include "/proc/self/fd/0"
int main() { return 0; }
