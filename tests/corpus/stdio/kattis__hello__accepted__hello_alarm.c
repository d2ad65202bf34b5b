// Right, and has a timer of its own, which rings before it prints.
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t has_rung;

static void ring(int signal) { has_rung = signal; }

int main(void) {
    struct itimerval soon = {.it_value = {.tv_usec = 1000}};
    signal(SIGALRM, ring);
    alarm(3600);
    setitimer(ITIMER_REAL, &soon, NULL);
    while (!has_rung) usleep(100);
    puts("Hello World!");
    return 0;
}
