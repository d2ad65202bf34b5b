#define _GNU_SOURCE
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t zygote, template;

int zygote_channel = -1, template_channel = -1;
static int zygote_says = -1;
static bool is_template_forked;
enum { ANSWER_MS = 15000, WORDS_LIMIT = 32, WORD_LIMIT_BYTES = 250 };

/* The answer to the last order, as text; false where there was none. */
static bool await_answer(int channel, char *text, size_t size)
{
    struct pollfd ready = {channel, POLLIN, 0};
    if (poll(&ready, 1, ANSWER_MS) != 1)
        return false;
    ssize_t length = read(channel, text, size - 1);
    text[length < 0 ? 0 : length] = '\0';
    return length > 0;
}

static __attribute__((noreturn)) void fail_with_words(const char *what)
{
    char words[1500] = "";
    ssize_t length = zygote_says < 0 ? 0 : read(zygote_says, words, sizeof words - 1);
    words[length < 0 ? 0 : length] = '\0';
    errno = 0;
    fail("%s. %s", what, words);
}

static pid_t await_pid(int channel, const char *what)
{
    char text[24];
    if (!await_answer(channel, text, sizeof text))
        fail_with_words(what);
    return atoi(text);
}

static void copy_words(struct field packed, char *words[WORDS_LIMIT], char texts[WORDS_LIMIT][WORD_LIMIT_BYTES])
{
    struct field word;
    int count = 0;
    while (count < WORDS_LIMIT - 4 && next_field(&packed, &word)) {
        snprintf(texts[count], WORD_LIMIT_BYTES, "%.*s", (int)word.size, word.data);
        words[count] = texts[count], count++;
    }
    words[count] = NULL;
}

/* The library that confines programs lies beside the runner. */
static void name_library(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - sizeof "program.so");
    char *name = length < 0 ? NULL : (path[length] = '\0', strrchr(path, '/'));
    if (!name)
        fail("readlink");
    strcpy(name + 1, "program.so");
}

void zygote_start(struct message *message, struct field fields)
{
    static char argv_texts[WORDS_LIMIT][WORD_LIMIT_BYTES], environment_texts[WORDS_LIMIT][WORD_LIMIT_BYTES];
    char *argv[WORDS_LIMIT], *environment[WORDS_LIMIT], script[40], channel[16], library[250];
    struct field words, variables;
    int ends[2], says[2], at = 0;
    if (message->descriptor_count != 1 || !next_field(&fields, &words) || !next_field(&fields, &variables))
        errno = 0, fail("a zygote that makes no sense");
    name_library(library, sizeof library);
    furnish_box(); /* the zygote has to see the programs that are mounted later */
    copy_words(words, argv, argv_texts);
    copy_words(variables, environment, environment_texts);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 || pipe2(says, O_CLOEXEC | O_NONBLOCK) < 0)
        fail("socketpair");
    zygote = fork();
    if (zygote == 0) {
        /* Its standard files are of the kind that programs will get, since the interpreter remembers what it found. */
        dup2(memfd_create("stdin", 0), 0);
        dup2(says[1], 1);
        dup2(says[1], 2);
        snprintf(script, sizeof script, "/proc/self/fd/%d", dup(message->descriptors[0]));
        snprintf(channel, sizeof channel, "%d", dup(ends[1]));
        while (argv[at])
            at++;
        argv[at] = script, argv[at + 1] = channel, argv[at + 2] = library, argv[at + 3] = NULL;
        execve(argv[0], argv, environment);
        fail("%s", argv[0]);
    }
    close(ends[1]);
    close(says[1]);
    close(message->descriptors[0]);
    zygote_channel = ends[0], zygote_says = says[0];
    await_pid(zygote_channel, "the interpreter did not start");
    if (!send_with(control, "5:ready", 7, NULL, 0))
        _exit(0);
}

/* Be the template of programs that are started by execve; what it answers is what inbox/zygote.py answers. */
static __attribute__((noreturn)) void serve_template(int channel)
{
    static struct message message;
    char answer[100];
    int size;
    while (receive(channel, &message)) {
        if (message.descriptor_count == 2) {
            const int init_descriptor = message.descriptors[0], program_channel = message.descriptors[1];
            pid_t program = enter_pid_namespace(init_descriptor) < 0 ? -1 : fork();
            if (program == 0) {
                become_program(init_descriptor, program_channel, true);
                execve(setup.argv[0], setup.argv, setup.environment);
                size = snprintf(answer, sizeof answer, "Eexecve: %s", strerror(errno));
                send_with(program_channel, answer, (size_t)size, NULL, 0);
                _exit(127);
            }
            if (program < 0)
                fail("fork");
            close(init_descriptor);
            close(program_channel);
            size = snprintf(answer, sizeof answer, "%d", program);
        } else {
            const struct end end = reap(atoi(message.data));
            size = snprintf(answer, sizeof answer, "%d %lld %lld", end.status, (long long)end.cpu_us, (long long)end.peak_kib);
        }
        memset(message.data, 0, 32);
        if (!send_with(channel, answer, (size_t)size, NULL, 0))
            break;
    }
    _exit(0);
}

static void start_template(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        fail("socketpair");
    template = fork();
    if (template == 0) {
        close(ends[0]);
        serve_template(ends[1]);
    }
    if (template < 0)
        fail("fork");
    close(ends[1]);
    template_channel = ends[0];
}

static bool fork_template(const char *should_compile)
{
    static char order[MESSAGE_LIMIT_BYTES];
    char answer[24];
    int ends[2], size;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        fail("socketpair");
    if (!send_with(zygote_channel, "fork", 4, &ends[1], 1))
        fail_with_words("the preloaded interpreter is gone");
    close(ends[1]);
    template_channel = ends[0];
    template = await_pid(zygote_channel, "the preloaded interpreter gave no answer");
    size = snprintf(order, sizeof order, "%zu:%s%zu:%s%zu:", strlen(should_compile), should_compile, strlen(setup.argv[0]),
        setup.argv[0], sizeof confinement + confinement.filter_size);
    if ((size_t)size + sizeof confinement + confinement.filter_size > sizeof order)
        errno = 0, fail("a filter that is too long");
    memcpy(order + size, &confinement, sizeof confinement);
    size += (int)sizeof confinement;
    memcpy(order + size, confinement.filter, confinement.filter_size);
    size += (int)confinement.filter_size;
    return send_with(template_channel, order, (size_t)size, NULL, 0) && await_answer(template_channel, answer, sizeof answer);
}

void template_load(bool is_forked)
{
    is_template_forked = is_forked;
    if (!is_forked) {
        start_template();
        return;
    }
    /* A source that its compilation cannot cope with is left to the program itself, and to its limits. */
    if (fork_template("1"))
        return;
    template_unload();
    if (!fork_template("0"))
        fail_with_words("the process that starts programs ended");
}

void template_unload(void)
{
    if (!template)
        return;
    if (!is_template_forked) {
        kill(template, SIGKILL);
        waitpid(template, NULL, 0);
    } else if (send_with(zygote_channel, "end", 3, NULL, 0)) {
        await_pid(zygote_channel, "the preloaded interpreter gave no answer");
    } else {
        fail_with_words("the preloaded interpreter is gone");
    }
    close(template_channel);
    template = 0, template_channel = -1;
}

pid_t template_fork(int init_descriptor, int channel)
{
    const int descriptors[] = {init_descriptor, channel};
    if (!send_with(template_channel, "run", 3, descriptors, 2))
        fail_with_words("the process that starts programs ended");
    return await_pid(template_channel, "the process that starts programs ended");
}

struct end template_reap(pid_t program)
{
    char order[24], answer[80];
    struct end end;
    long long cpu_us, peak_kib;
    int size = snprintf(order, sizeof order, "%d", program);
    if (!send_with(template_channel, order, (size_t)size, NULL, 0) || !await_answer(template_channel, answer, sizeof answer) ||
        sscanf(answer, "%d %lld %lld", &end.status, &cpu_us, &peak_kib) != 3)
        fail_with_words("the process that starts programs ended");
    end.cpu_us = cpu_us, end.peak_kib = peak_kib;
    return end;
}
