// id: L-02
// title: a file taken into the program by the assembler, to be printed by each run
// stage: compile
// verdicts: compilation_error
// canaries: C2 C8 escaped
#include <cstdio>
__asm__(".global held\nheld: .incbin \"@PLANTED@/open\"\n.byte 0");
extern "C" const char held[];
int main() { std::puts(held); }
