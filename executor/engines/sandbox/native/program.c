#define _GNU_SOURCE
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct confinement confinement;

static __attribute__((noreturn)) void stop_program(int channel, const char *what)
{
    char sentence[200];
    int size = snprintf(sentence, sizeof sentence, "E%s: %s", what, strerror(errno));
    send_with(channel, sentence, (size_t)size, NULL, 0);
    _exit(127);
}

static void confine(int channel)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    struct sock_fprog filter = {
        (unsigned short)(confinement.filter_size / 8), (struct sock_filter *)(void *)confinement.filter};
    for (int at = 0; at < RLIMITS; at++) {
        const rlim_t value = confinement.rlimit_values[at];
        const struct rlimit limit = {value, value}; /* soft = hard */
        if (setrlimit((__rlimit_resource_t)confinement.rlimit_kinds[at], &limit) < 0)
            stop_program(channel, "setrlimit");
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capset, &header, none) < 0)
        stop_program(channel, "capset");
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        stop_program(channel, "prctl");
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
        stop_program(channel, "seccomp");
}

void become_program(int init_descriptor, int channel, bool is_executed)
{
    static struct message message;
    int standard[3];
    if (setsid() < 0 || setns(init_descriptor, CLONE_NEWNS | CLONE_NEWIPC) < 0 || chdir("/box") < 0)
        stop_program(channel, "namespaces");
    umask(022);
    confine(channel);
    if (!receive(channel, &message) || message.descriptor_count != 3)
        _exit(0); /* the runner needs no run of us after all */
    /* High copies first: a descriptor that is already 0, 1 or 2 must not be overwritten before its turn. */
    for (int at = 0; at < 3; at++)
        standard[at] = fcntl(message.descriptors[at], F_DUPFD, 64);
    for (int at = 0; at < 3; at++)
        if (dup2(standard[at], at) < 0)
            stop_program(channel, "dup2");
    if (syscall(SYS_close_range, 3, ~0U, is_executed ? 4 /* CLOSE_RANGE_CLOEXEC */ : 0) < 0)
        stop_program(channel, "close_range");
}

int enter_pid_namespace(int init_descriptor)
{
    return setns(init_descriptor, CLONE_NEWPID);
}

struct end reap(pid_t pid)
{
    struct end end;
    struct rusage usage;
    if (wait4(pid, &end.status, 0, &usage) != pid)
        fail("wait");
    end.cpu_us = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    end.peak_kib = usage.ru_maxrss;
    return end;
}

void take_confinement(const struct confinement *given)
{
    confinement = *given;
    confinement.filter = (const char *)(given + 1);
}

int hide_memory(void)
{
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
