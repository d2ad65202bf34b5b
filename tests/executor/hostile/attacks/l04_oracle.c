// id: L-04
// title: one digit of each hidden input by the way its run ends
// stage: run
// verdicts: wrong_answer runtime_error time_limit_exceeded memory_limit_exceeded output_limit_exceeded
// canaries: C8
// time_limit_ms: 300
// wall_limit_ms: 1600
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    long long given = 0;
    scanf("%lld", &given);
    static char page[65536];
    switch (given % 5) {
        case 1: abort();
        case 2: for (volatile int i = 0;; i = i + 1) {}
        case 3: for (;;) memset(malloc(1 << 20), 1, 1 << 20);
        case 4: for (;;) fwrite(page, 1, sizeof page, stdout);
    }
    return 0;
}
