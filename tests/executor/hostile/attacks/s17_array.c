// id: S-17
// title: a program of four gigabytes
// stage: compile
// verdicts: compilation_error
// canaries: C5 C6 C7 C8
char array[1ul << 32] = {1};
int main(void) { return array[5]; }
