// id: L-02
// title: files in the compiler's own words, by every directive that reads one
// stage: compile
// verdicts: wrong_answer
// canaries: C2 C8 escaped
#if __has_include("expected.txt")
#include "expected.txt"
#endif
#if __has_include("../expected.txt")
#include "../expected.txt"
#endif
#if __has_include("@PLANTED@/open")
#include "@PLANTED@/open"
#endif
#if __has_include("/dev/stdin")
#include "/dev/stdin"
#endif
#if __has_include("/proc/self/environ")
#include "/proc/self/environ"
#endif
#if __has_include("/proc/1/environ")
#include "/proc/1/environ"
#endif
int main(void) { return 0; }
