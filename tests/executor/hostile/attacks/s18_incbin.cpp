// id: S-18
// title: takes environments and command lines into the program while it is assembled
// stage: compile
// verdicts: wrong_answer compilation_error
// canaries: C2 C8
#include <cstdio>

__asm__(".globl taken\ntaken:\n.incbin \"/proc/self/environ\"\n.incbin \"/proc/self/cmdline\"\n.byte 0\n");
extern "C" char taken[];

int main() { std::fwrite(taken, 1, 20000, stdout); }
