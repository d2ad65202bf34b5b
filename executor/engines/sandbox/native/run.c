#define _GNU_SOURCE
#include "runner.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { METER_MS = 50, SHORTEST_METER_MS = 4, ANSWER_MS = 10000, KILLED_INIT_MS = 100 };

static pid_t last_init; /* ended, but not waited for: its mounts take their time to go */

int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void close_one(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

static void await_plus(int channel, const char *what)
{
    char answer = 0;
    struct pollfd ready = {channel, POLLIN, 0};
    errno = 0;
    if (poll(&ready, 1, ANSWER_MS) != 1 || read(channel, &answer, 1) != 1 || answer != '+')
        fail("%s gave no answer", what);
}

static void make_channel(int *ours, int *theirs)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        fail("socketpair");
    *ours = ends[0], *theirs = ends[1];
}

void run_prepare(struct run *run)
{
    int theirs;
    make_channel(&run->init_channel, &theirs);
    run->init_descriptor = -1;
    run->init = (pid_t)syscall(
        SYS_clone, CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNS | CLONE_PIDFD | SIGCHLD, NULL, &run->init_descriptor, NULL, 0);
    if (run->init == 0)
        be_init(theirs);
    if (run->init < 0)
        fail("clone");
    close(theirs);
    await_plus(run->init_channel, "the first process of a run");
    make_channel(&run->program_channel, &theirs);
    run->program = template_fork(run->init_descriptor, theirs);
    close(theirs);
    run->program_descriptor = (int)syscall(SYS_pidfd_open, run->program, 0);
    if (run->program_descriptor < 0)
        fail("pidfd_open");
}

void run_start(struct run *run, const int *descriptors)
{
    /* Where nobody is there any more, it has failed already and has said why. */
    send_with(run->program_channel, "start", 5, descriptors, 3);
}

void run_reap_last(void)
{
    if (last_init)
        waitpid(last_init, NULL, 0);
    last_init = 0;
}

static void run_close(struct run *run)
{
    close_one(&run->init_descriptor);
    close_one(&run->program_descriptor);
    close_one(&run->init_channel);
    close_one(&run->program_channel);
    run->init = run->program = 0;
}

void run_discard(struct run *run)
{
    if (!run->init)
        return;
    kill(run->init, SIGKILL);
    template_reap(run->program);
    waitpid(run->init, NULL, 0);
    run_close(run);
}

/* An order that comes during a run: to end it, or one to be kept until it is over. True where it ends this run; one that
 * meant a run before is late, and means nothing. */
static bool take_order(const struct message *message, long number, struct message *next)
{
    struct field rest = {message->data, message->size}, order, stopped;
    if (next_field(&rest, &order) && field_is(order, "stop") && next_field(&rest, &stopped))
        return field_number(stopped) == number;
    if (next->size > 0)
        errno = 0, fail("an order too many");
    memcpy(next->data, message->data, message->size);
    memcpy(next->descriptors, message->descriptors, sizeof next->descriptors);
    next->size = message->size, next->descriptor_count = message->descriptor_count;
    return false;
}

/* Waits until the program has ended, or ends the run where a limit is passed, and gives the reason for that. */
static const char *watch(
    const struct run *run, const struct run *ahead, int64_t wall_end_us, int64_t *metered_cpu_us, struct message *next)
{
    const pid_t others[] = {zygote, template, ahead->init, ahead->program, last_init};
    struct pollfd events[] = {
        {run->program_descriptor, POLLIN, 0}, {control, POLLIN, 0}, {template_channel, 0, 0}, {zygote_channel, 0, 0}};
    static struct message message;
    int64_t pause_ms = METER_MS;
    for (;;) {
        int64_t left_ms = (wall_end_us - now_us() + 999) / 1000;
        left_ms = left_ms < 0 ? 0 : left_ms < pause_ms ? left_ms : pause_ms;
        int ready = poll(events, sizeof events / sizeof *events, (int)left_ms);
        if (ready < 0 && errno != EINTR)
            fail("poll");
        if (ready > 0 && events[0].revents)
            return "";
        if (ready > 0 && events[1].revents) {
            if (!receive(control, &message))
                _exit(0); /* the engine is gone: with process 1 of the box everything in it ends */
            if (take_order(&message, run->number, next))
                return "stop";
        }
        if (ready > 0 && (events[2].revents || events[3].revents))
            errno = 0, fail("the process that starts programs was killed");
        struct usage usage = meter_read(others, sizeof others / sizeof *others, setup.memory_kib);
        if (usage.cpu_us > *metered_cpu_us)
            *metered_cpu_us = usage.cpu_us;
        if (usage.cpu_us > setup.cpu_ms * 1000)
            return "cpu";
        if (now_us() >= wall_end_us)
            return "wall";
        if (usage.memory_kib > setup.memory_kib)
            return "memory";
        /* Two threads can use up what is left in half the time; a look costs a fraction of a millisecond. */
        pause_ms = (setup.cpu_ms - usage.cpu_us / 1000) / 2;
        pause_ms = pause_ms < SHORTEST_METER_MS ? SHORTEST_METER_MS : pause_ms > METER_MS ? METER_MS : pause_ms;
    }
}

static void check_program_spoke_not(const struct run *run)
{
    char sentence[300];
    ssize_t size = recv(run->program_channel, sentence, sizeof sentence - 1, MSG_DONTWAIT);
    if (size > 0 && sentence[0] == 'E') {
        errno = 0;
        fail("%.*s", (int)size - 1, sentence + 1);
    }
}

/* Where the run's first process is killed from outside, the kernel kills the program: that says nothing of the program. */
static void check_init_lives(const struct run *run, int status)
{
    struct pollfd ended = {run->init_descriptor, POLLIN, 0};
    bool was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (was_killed && poll(&ended, 1, KILLED_INIT_MS) != 0) {
        errno = 0;
        fail("the first process of a run was killed");
    }
}

void run_finish(struct run *run, const struct run *ahead, int64_t wall_ms, struct message *next)
{
    int64_t started_us = now_us(), metered_cpu_us = 0;
    const char *reason = watch(run, ahead, started_us + wall_ms * 1000, &metered_cpu_us, next);
    int64_t wall_us = now_us() - started_us;
    if (*reason)
        kill(run->init, SIGKILL); /* and with it all of the run */
    struct end end = template_reap(run->program);
    check_program_spoke_not(run);
    if (!*reason)
        check_init_lives(run, end.status);
    if (setup.artefacts >= 0 && !*reason && end.status == 0) {
        if (write(run->init_channel, "!", 1) != 1)
            fail("artefacts");
        await_plus(run->init_channel, "what the compiler left");
    }
    bool is_alone = !*reason && setup.artefacts < 0 && !has_children(run->init);
    kill(run->init, SIGKILL);
    run_reap_last();
    if (is_alone) {
        last_init = run->init;
    } else {
        const struct end orphans = reap(run->init);
        end.cpu_us += orphans.cpu_us;
        end.peak_kib = orphans.peak_kib > end.peak_kib ? orphans.peak_kib : end.peak_kib;
    }
    run_close(run);
    if (end.cpu_us < metered_cpu_us)
        end.cpu_us = metered_cpu_us;
    if (!*reason && end.cpu_us > setup.cpu_ms * 1000)
        reason = "cpu";
    answer_ended(reason, end.status, end.cpu_us, wall_us, end.peak_kib);
}
