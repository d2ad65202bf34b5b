#define _GNU_SOURCE
#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int proc_directory = -1;

/* What a file of /proc says; empty where the process has just ended. */
static void read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "%d/%s", pid, name);
    int file = openat(proc_directory, path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, text, size - 1);
    text[length < 0 ? 0 : length] = '\0';
    if (file >= 0)
        close(file);
}

/* CPU time of a process and of the children it has waited for. */
static int64_t cpu_us(pid_t pid)
{
    static long ticks;
    struct timespec own;
    char stat[1024];
    long long user = 0, system = 0;
    if (!ticks)
        ticks = sysconf(_SC_CLK_TCK);
    if (clock_gettime((clockid_t)((~(unsigned)pid << 3) | 2), &own) < 0)
        return 0;
    read_proc(pid, "stat", stat, sizeof stat);
    const char *after = strrchr(stat, ')');
    if (after)
        sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %lld %lld", &user, &system);
    return own.tv_sec * 1000000LL + own.tv_nsec / 1000 + (user + system) * 1000000 / ticks;
}

static int64_t resident_kib(pid_t pid)
{
    char text[128];
    long pages = 0;
    read_proc(pid, "statm", text, sizeof text);
    sscanf(text, "%*d %ld", &pages);
    return (int64_t)pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int64_t proportional_kib(pid_t pid)
{
    char text[4096];
    read_proc(pid, "smaps_rollup", text, sizeof text);
    const char *line = strstr(text, "\nPss:");
    return line ? atoll(line + 5) : 0;
}

struct usage meter_read(const pid_t *others, int count, int64_t enough_kib)
{
    struct usage usage = {0, 0};
    pid_t alive[512];
    int alive_count = 0;
    DIR *directory = fdopendir(openat(proc_directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory)
        fail("/proc");
    for (struct dirent *entry; (entry = readdir(directory)) && alive_count < 512;) {
        pid_t pid = atoi(entry->d_name);
        bool is_other = pid <= 1;
        for (int at = 0; at < count; at++)
            is_other |= pid == others[at];
        if (!is_other)
            alive[alive_count++] = pid;
    }
    closedir(directory);
    for (int at = 0; at < alive_count; at++) {
        usage.cpu_us += cpu_us(alive[at]);
        usage.memory_kib += resident_kib(alive[at]);
    }
    if (usage.memory_kib > enough_kib) {
        usage.memory_kib = 0;
        for (int at = 0; at < alive_count; at++)
            usage.memory_kib += proportional_kib(alive[at]);
    }
    return usage;
}

bool has_children(pid_t pid)
{
    char path[64], first;
    snprintf(path, sizeof path, "%d/task/%d/children", pid, pid);
    int file = openat(proc_directory, path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return true; /* a kernel that does not tell */
    bool has_any = read(file, &first, 1) != 0;
    close(file);
    return has_any;
}
