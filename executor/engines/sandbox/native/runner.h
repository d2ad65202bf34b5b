/* The static in-box runner: process 1 of a box, trusted, and the only one that the engine talks to.
 *
 * It speaks the protocol of inbox/runner.py, which stands in for it where no compiler is found, and adds the zygote.
 * A run is made of two processes: `init`, process 1 of fresh PID, IPC and mount namespaces, which mounts what the program
 * sees and then only reaps; and the program, which joins those namespaces as process 2, so that signals mean to it what
 * they mean outside a box. Programs are forked from a template, which may enter their PID namespaces but never return.
 */
#ifndef RUNNER_H
#define RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { MESSAGE_LIMIT_BYTES = 120000, DESCRIPTORS_LIMIT = 8, FILES_LIMIT = 4096, RLIMITS = 11 };

/* ---- wire.c: messages of byte strings with their lengths before them, and descriptors beside them ---- */

struct field {
    const char *data;
    size_t size;
};

struct message {
    char data[MESSAGE_LIMIT_BYTES];
    size_t size;
    int descriptors[DESCRIPTORS_LIMIT];
    int descriptor_count;
};

/* Takes the first field off `rest`; false at its end. Ends the runner on anything else. */
bool next_field(struct field *rest, struct field *field);
bool field_is(struct field field, const char *text);
long field_number(struct field field);
/* False when nobody is at the other end any more. */
bool receive(int channel, struct message *message);
/* Sends short messages; false when nobody is there. */
bool send_with(int channel, const char *text, size_t size, const int *descriptors, int count);
/* Tells the engine what failed, and ends the box. `program` is in errno's words where errno is set. */
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);
void answer_ended(const char *reason, int status, int64_t cpu_us, int64_t wall_us, int64_t peak_kib);
extern int control;

/* ---- setup.c: what all runs of one submission have in common ---- */

struct setup {
    char **argv, **environment;
    const char *names[FILES_LIMIT];
    int name_count;
    int64_t cpu_ms, memory_kib, disk_kib, artefacts_bytes, artefacts_count, runs;
    bool has_proc;
    int artefacts; /* descriptor to fill with what a compiler leaves, or -1 */
};

extern struct setup setup;
/* Mounts the box's own directories once; `setup_read` then takes the program of one submission in. */
void furnish_box(void);
void setup_read(struct message *message, struct field fields);
void setup_forget(void);

/* ---- run.c: one run's processes ---- */

struct run {
    pid_t init, program;
    int init_descriptor, program_descriptor; /* pidfds */
    int init_channel, program_channel;
    long number; /* of the runs of this box, from 1 */
};

/* How a process ended, with the kernel's figures of it and of the children that it waited for. */
struct end {
    int status;
    int64_t cpu_us, peak_kib;
};

/* Makes the namespaces and the process that waits in them for its standard descriptors. */
void run_prepare(struct run *run);
/* Hands the standard descriptors over, which starts the program. */
void run_start(struct run *run, const int *descriptors);
/* Watches a run to its end, kills what is left of it, and answers the engine. An order that comes meanwhile is put into
 * `next`, which has to be empty. */
void run_finish(struct run *run, const struct run *ahead, int64_t wall_ms, struct message *next);
void run_discard(struct run *run);
/* Waits for what the last run left to end. */
void run_reap_last(void);

/* ---- init.c: process 1 of a run ---- */

__attribute__((noreturn)) void be_init(int channel);

/* ---- meter.c: what a run uses while it runs ---- */

struct usage {
    int64_t cpu_us, memory_kib;
};

/* CPU time and resident memory of all the box's processes but the `others`; shared pages are told apart only where the
 * sum could exceed `enough_kib`. */
struct usage meter_read(const pid_t *others, int count, int64_t enough_kib);
bool has_children(pid_t pid);
extern int proc_directory;

/* ---- program.c: from a process of ours to the program. The zygote has it as a shared library of its own. ---- */

/* The limits and the filter that a program is put under. */
struct confinement {
    int rlimit_kinds[RLIMITS];
    uint64_t rlimit_values[RLIMITS];
    const char *filter;
    size_t filter_size;
};

extern struct confinement confinement;
/* Joins the run's namespaces, gives up every right, and waits for the standard descriptors; all others are closed, now or
 * by execve. What fails is said on the channel, and ends the process. */
void become_program(int init_descriptor, int channel, bool is_executed);
/* Later children are of this process's PID namespace. 0 where it worked. There is no way back into our own. */
int enter_pid_namespace(int init_descriptor);
/* Takes a confinement with its filter behind it, in memory that stays. */
void take_confinement(const struct confinement *given);
/* Nobody of the same user may look into this process any more. 0 where it worked. */
int hide_memory(void);
struct end reap(pid_t pid);

/* ---- template.c: the process that programs of one submission are forked from ---- */

/* 0 where there is none. The zygote is a preloaded interpreter, forked for each submission to be its template. */
extern pid_t zygote, template;
extern int zygote_channel, template_channel;
void zygote_start(struct message *message, struct field fields);
void template_load(bool is_forked);
void template_unload(void);
pid_t template_fork(int init_descriptor, int channel);
struct end template_reap(pid_t program);

int64_t now_us(void);

#endif
