// id: S-01
// title: hands in a file of the name that the compiler is about to write
// stage: compile
// verdicts: accepted compilation_error
// canaries: C2 C8 escaped
// files: program=#!/usr/bin/printf ESCAPED %s; a.out=!<arch>; main.o=nothing
#include <stdio.h>

int main(void) { puts("42"); }
