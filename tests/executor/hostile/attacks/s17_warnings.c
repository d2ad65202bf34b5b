// id: S-17
// title: a macro that makes a million messages of one line
// stage: compile
// verdicts: compilation_error
// canaries: C5 C6 C7 C8
#define A undeclared(__LINE__, &*"", x->y); int 0z;
#define B A A A A A A A A
#define C B B B B B B B B
#define D C C C C C C C C
int main(void) { D D }
