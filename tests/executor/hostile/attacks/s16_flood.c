// id: S-16
// title: prints without end
// stage: run
// verdicts: output_limit_exceeded
// canaries: C5 C6 C7 C8
#include <unistd.h>

static char block[1 << 16];

int main(void) {
    for (;;) write(1, block, sizeof block);
}
