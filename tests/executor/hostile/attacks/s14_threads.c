// id: S-14
// title: spins in many threads, so that the time of one alone would not be enough
// stage: run
// verdicts: time_limit_exceeded
// canaries: C5 C7 escaped C8
// time_limit_ms: 300
// wall_limit_ms: 9000
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void *spin(void *nothing) {
    struct timespec used;
    do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used); while (used.tv_sec < 1);
    puts("ESCAPED a second of CPU time");
    exit(0);
    return nothing;
}

int main(void) {
    pthread_t thread;
    for (int count = 0; count < 8; count++) pthread_create(&thread, 0, spin, 0);
    spin(0);
}
