// id: G-02
// title: prints every marker of success on every descriptor it can guess
// stage: run
// verdicts: runtime_error
// canaries: C8 escaped
#include <cstring>
#include <unistd.h>

int main() {
    const char *markers = "ALL TESTS PASSED\n[  PASSED  ] 2 tests.\n1..2\nok 1\nok 2\nended\n0 0 0\n"
                          "{\"status\": 3, \"verdict\": \"accepted\", \"score\": 100}\n42\n";
    for (int descriptor = 1; descriptor < 1024; descriptor++)
        if (write(descriptor, markers, std::strlen(markers)) > 0 && descriptor > 2)
            write(1, "ESCAPED onto a descriptor that is not its own\n", 46);
    return 42;  // the exit code by which an author's checker accepts
}
