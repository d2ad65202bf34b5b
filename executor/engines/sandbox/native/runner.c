#define _GNU_SOURCE
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct message first, second;
static struct message *message = &first, *next = &second; /* the order that is carried out, and one that came meanwhile */
static struct run current, ahead;
static long runs_started;
static bool has_setup;

static void unload(void)
{
    run_discard(&ahead);
    template_unload();
    run_reap_last();
    setup_forget();
    has_setup = false;
}

static void load(struct field fields)
{
    struct field kind;
    unload();
    if (!next_field(&fields, &kind))
        errno = 0, fail("a setup that makes no sense");
    setup_read(message, fields);
    template_load(field_is(kind, "fork"));
    has_setup = true;
}

static void run(struct field fields)
{
    struct field wall_ms;
    if (!has_setup || setup.runs <= 0 || message->descriptor_count != 3 || !next_field(&fields, &wall_ms))
        errno = 0, fail("a run that was not to be");
    if (ahead.init)
        current = ahead;
    else
        run_prepare(&current);
    ahead = (struct run){0}; /* wholly: what is named in it is not metered */
    current.number = ++runs_started;
    run_start(&current, message->descriptors);
    for (int at = 0; at < 3; at++)
        close(message->descriptors[at]);
    /* The next run's namespaces are made while this program runs; nothing passes from one to the other. */
    if (--setup.runs > 0)
        run_prepare(&ahead);
    run_finish(&current, &ahead, field_number(wall_ms), next);
    if (setup.runs == 0)
        run_reap_last();
}

/* False when the engine is gone. */
static bool take_next(void)
{
    struct message *done = message;
    if (next->size == 0)
        return receive(control, message);
    message = next, next = done;
    next->size = 0;
    return true;
}

/* Serves the engine on the descriptor named by the only argument, until it hangs up. */
int main(int count, char **words)
{
    control = count == 2 ? atoi(words[1]) : -1;
    if (control < 3)
        return 2;
    if (control > 3)
        syscall(SYS_close_range, 3, control - 1, 0);
    syscall(SYS_close_range, control + 1, ~0U, 0);
    fcntl(control, F_SETFD, FD_CLOEXEC);
    /* Where the machine runs out of memory, a box goes before the server. */
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0 && write(score, "800", 3) < 0)
        errno = 0;
    close(score);
    hide_memory();
    while (take_next()) {
        struct field rest = {message->data, message->size}, order;
        if (!next_field(&rest, &order))
            continue;
        if (field_is(order, "setup"))
            load(rest);
        else if (field_is(order, "run"))
            run(rest);
        else if (field_is(order, "unload"))
            unload();
        else if (field_is(order, "zygote"))
            zygote_start(message, rest);
        /* A `stop` that crossed the end of its run is late, and means nothing. */
    }
    return 0;
}
