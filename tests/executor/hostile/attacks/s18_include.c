// id: S-18
// title: shows files of the machine in the messages of the compiler
// stage: compile
// verdicts: compilation_error
// canaries: C2 escaped C8
#include "@OPEN_FILE@"
#include "@CLOSED_FILE@"
#include "/etc/passwd"
#include "/proc/1/environ"
#if __has_include("@OPEN_FILE@") || __has_include("/etc/shadow") || __has_include("@DIRECTORY@/socket")
#error
ESCAPED the compiler sees it
#endif
int main(void) { return 0; }
