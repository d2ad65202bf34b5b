// id: G-01
// title: ends well from a constructor that runs before main
// stage: run
// verdicts: wrong_answer
// canaries: C8 escaped
#include <cstdio>
#include <cstdlib>

struct Early {
    Early() {
        std::at_quick_exit([] { std::puts("ALL TESTS PASSED"); std::fflush(stdout); });
        std::quick_exit(0);
    }
} early;

int main() { std::puts("ESCAPED its own end"); }
