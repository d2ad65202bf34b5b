// id: S-17
// title: includes a device that never ends
// stage: compile
// verdicts: compilation_error
// canaries: C5 C6 C7 C8
#include "/dev/zero"
int main(void) { return 0; }
