// id: S-17
// title: includes itself
// stage: compile
// verdicts: compilation_error
// canaries: C5 C6 C7 C8
#include __FILE__
#include __FILE__
int main(void) { return 0; }
