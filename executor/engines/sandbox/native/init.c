#define _GNU_SOURCE
#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void mount_or_fail(const char *source, const char *target, const char *kind, unsigned long flags, const char *options)
{
    if (mount(source, target, kind, flags, options) < 0)
        fail("mount %s", target);
}

/* The run's own empty directories, with the program's files bound read-only into the first. */
static void furnish(void)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    char options[80], source[300], target[300];
    snprintf(options, sizeof options, "mode=0700,size=%lldk,nr_inodes=4k", (long long)setup.disk_kib);
    mount_or_fail("tmpfs", "/box", "tmpfs", flags, options);
    mount_or_fail("tmpfs", "/tmp", "tmpfs", flags, options);
    for (int at = 0; at < setup.name_count; at++) {
        snprintf(source, sizeof source, "/program/%s", setup.names[at]);
        snprintf(target, sizeof target, "/box/%s", setup.names[at]);
        int file = open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (file < 0)
            fail("%s", target);
        close(file);
        mount_or_fail(source, target, "none", MS_BIND, NULL);
    }
    if (setup.has_proc)
        mount_or_fail("proc", "/proc", "proc", flags, "subset=pid");
    else
        mount_or_fail("tmpfs", "/proc", "tmpfs", flags | MS_RDONLY, "size=4k,nr_inodes=2");
}

static bool is_given(const char *name)
{
    for (int at = 0; at < setup.name_count; at++)
        if (strcmp(setup.names[at], name) == 0)
            return true;
    return false;
}

static bool write_all(int target, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t step = write(target, data, size);
        if (step <= 0)
            return false;
        data += step, size -= (size_t)step;
    }
    return true;
}

/* One file as name, mode and content. */
static bool hand_over_file(int file, const char *name, const struct stat *info)
{
    char head[400], chunk[65536];
    const char *mode = info->st_mode & S_IXUSR ? "365" : "292"; /* 0555 or 0444 */
    int size = snprintf(head, sizeof head, "%zu:%s3:%s%lld:", strlen(name), name, mode, (long long)info->st_size);
    if (!write_all(setup.artefacts, head, (size_t)size))
        return false;
    for (int64_t left = info->st_size; left > 0;) {
        ssize_t step = read(file, chunk, sizeof chunk);
        if (step <= 0 || step > left || !write_all(setup.artefacts, chunk, (size_t)step))
            return false;
        left -= step;
    }
    return true;
}

static int by_name(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

/* The regular files that the program left in its directory; links and such are left out. */
static void hand_over(void)
{
    struct dirent **entries;
    int64_t left = setup.artefacts_bytes, count = 0;
    int found = scandir("/box", &entries, NULL, by_name);
    for (int at = 0; at < found; at++) {
        const char *name = entries[at]->d_name;
        char path[300];
        struct stat info;
        if (is_given(name))
            continue;
        snprintf(path, sizeof path, "/box/%s", name);
        int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (file < 0)
            continue; /* a symbolic link, a socket, or a file made unreadable: nothing a compiler leaves */
        if (fstat(file, &info) == 0 && S_ISREG(info.st_mode)) {
            left -= info.st_size;
            if (left < 0 || ++count > setup.artefacts_count || !hand_over_file(file, name, &info)) {
                /* Nothing at all, which the engine takes for a failed compilation. */
                if (ftruncate(setup.artefacts, 0) < 0)
                    fail("artefacts");
                return;
            }
        }
        close(file);
    }
}

void be_init(int channel)
{
    sigset_t child_ends;
    char order;
    hide_memory();
    sigemptyset(&child_ends);
    sigaddset(&child_ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_ends, NULL);
    furnish();
    if (write(channel, "+", 1) != 1)
        _exit(1);
    /* Orphans are reaped, so that their figures are kept; the runner ends us, and with us the kernel all of them. */
    if (setup.artefacts < 0) {
        for (int signal_number;;) {
            while (waitpid(-1, NULL, WNOHANG) > 0)
                continue;
            sigwait(&child_ends, &signal_number);
        }
    }
    if (read(channel, &order, 1) == 1) {
        kill(-1, SIGKILL);
        while (waitpid(-1, NULL, 0) > 0)
            continue;
        hand_over();
        if (write(channel, "+", 1) != 1)
            _exit(1);
    }
    for (;;)
        pause();
}
