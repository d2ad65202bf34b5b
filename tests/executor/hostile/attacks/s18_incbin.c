// id: S-18
// title: takes files of the machine into the program while it is assembled
// stage: compile
// verdicts: compilation_error
// canaries: C2 C8
#include <stdio.h>

__asm__(".globl open_file\nopen_file:\n.incbin \"@OPEN_FILE@\"\n.byte 0\n");
extern char open_file[];

int main(void) { printf("%s\n42\n", open_file); }
