// id: S-11
// title: threads without end
// stage: run
// verdicts: time_limit_exceeded memory_limit_exceeded
// canaries: C3 C5 C7 escaped C8
// wall_limit_ms: 1000
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *wait(void *nothing) {
    for (;;) pause();
    return nothing;
}

int main(void) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    pthread_t thread;
    int count = 0;
    while (count < 1000 && pthread_create(&thread, &small, wait, 0) == 0) count++;
    if (count == 1000) puts("ESCAPED as many threads as wanted");
    fflush(stdout);
    pause();
}
