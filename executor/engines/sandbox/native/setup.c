#define _GNU_SOURCE
#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct setup setup = {.artefacts = -1};

/* A setup's strings live until the next one. */
static char arena[2 * MESSAGE_LIMIT_BYTES];
static size_t arena_used;
static bool is_loaded;

/* Processes of a box that count towards the limit of its user beside the program's own: the runner, the zygote and its
 * template, two inits, and the process that waits for the next run. */
enum { OWN_PROCESSES = 6 };

static char *keep(const char *data, size_t size)
{
    if (size + 16 > sizeof arena - arena_used)
        errno = 0, fail("a setup is too long");
    char *copy = arena + arena_used;
    memcpy(copy, data, size);
    copy[size] = '\0';
    arena_used += (size + 16) & ~(size_t)15;
    return copy;
}

static char **keep_all(struct field packed)
{
    struct field counted = packed, field;
    size_t count = 0;
    while (next_field(&counted, &field))
        count++;
    if ((count + 1) * sizeof(char *) + 16 > sizeof arena - arena_used)
        errno = 0, fail("a setup is too long");
    char **strings = (char **)(void *)(arena + arena_used);
    arena_used += ((count + 1) * sizeof(char *) + 15) & ~(size_t)15;
    for (size_t at = 0; next_field(&packed, &field); at++)
        strings[at] = keep(field.data, field.size);
    strings[count] = NULL;
    return strings;
}

static int64_t limit(char *const *limits, const char *name)
{
    size_t length = strlen(name);
    for (; *limits; limits++)
        if (strncmp(*limits, name, length) == 0 && (*limits)[length] == '=')
            return atoll(*limits + length + 1);
    errno = 0;
    fail("a setup names no %s", name);
}

static void read_limits(char *const *limits)
{
    setup.cpu_ms = limit(limits, "cpu_ms");
    setup.memory_kib = limit(limits, "memory_kib");
    setup.disk_kib = limit(limits, "disk_kib");
    setup.artefacts_bytes = limit(limits, "artefacts_bytes");
    setup.artefacts_count = limit(limits, "artefacts_count");
    setup.runs = limit(limits, "runs");
    setup.has_proc = limit(limits, "proc");
    int64_t data_kib = limit(limits, "data_kib"), address_kib = limit(limits, "address_kib");
    const struct {
        int kind;
        uint64_t value;
    } all[RLIMITS] = {
        /* The meter is exact; this is for when the runner itself is gone. */
        {RLIMIT_CPU, (uint64_t)(setup.cpu_ms / 1000 + 2)},
        {RLIMIT_DATA, data_kib ? (uint64_t)data_kib * 1024 : RLIM_INFINITY},
        {RLIMIT_AS, address_kib ? (uint64_t)address_kib * 1024 : RLIM_INFINITY},
        {RLIMIT_STACK, (uint64_t)limit(limits, "stack_kib") * 1024},
        {RLIMIT_FSIZE, (uint64_t)setup.disk_kib * 1024},
        {RLIMIT_NPROC, (uint64_t)limit(limits, "processes") + OWN_PROCESSES},
        {RLIMIT_NOFILE, (uint64_t)limit(limits, "descriptors")},
        {RLIMIT_CORE, 0},
        {RLIMIT_MEMLOCK, 65536},
        {RLIMIT_MSGQUEUE, 0},
        {RLIMIT_SIGPENDING, 256},
    };
    for (int at = 0; at < RLIMITS; at++) {
        confinement.rlimit_kinds[at] = all[at].kind;
        confinement.rlimit_values[at] = all[at].value;
    }
}

static void write_program(int files)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV;
    struct stat info;
    struct field name, mode, content, rest = {NULL, 0};
    if (mount("tmpfs", "/program", "tmpfs", flags, "mode=0755,size=160m,nr_inodes=4k") < 0)
        fail("mount /program");
    if (fstat(files, &info) < 0)
        fail("files");
    if (info.st_size > 0) {
        rest = (struct field){mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, files, 0), (size_t)info.st_size};
        if (rest.data == MAP_FAILED)
            fail("files");
    }
    const struct field whole = rest;
    setup.name_count = 0;
    while (next_field(&rest, &name)) {
        if (!next_field(&rest, &mode) || !next_field(&rest, &content) || setup.name_count == FILES_LIMIT)
            errno = 0, fail("files that make no sense");
        char path[300];
        setup.names[setup.name_count++] = keep(name.data, name.size);
        snprintf(path, sizeof path, "/program/%s", setup.names[setup.name_count - 1]);
        int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        for (size_t done = 0; done < content.size;) {
            ssize_t step = write(file, content.data + done, content.size - done);
            if (step <= 0)
                fail("write %s", path);
            done += (size_t)step;
        }
        if (file < 0 || fchmod(file, (mode_t)field_number(mode)) < 0)
            fail("write %s", path);
        close(file);
    }
    if (whole.data)
        munmap((void *)whole.data, whole.size);
    close(files);
    if (mount("none", "/program", "none", flags | MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
        fail("remount /program");
}

void furnish_box(void)
{
    static bool is_furnished;
    if (is_furnished)
        return;
    is_furnished = true;
    /* Mounting takes a mount namespace of the runner's own: the box's belongs to an outer user namespace. */
    if (unshare(CLONE_NEWNS) < 0)
        fail("unshare");
    if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
        fail("mount /");
    DIR *devices = opendir("/dev");
    if (!devices)
        fail("/dev");
    for (struct dirent *entry; (entry = readdir(devices));) {
        char path[300];
        if (entry->d_type == DT_LNK || entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/dev/%s", entry->d_name);
        /* Devices are the machine's own: on a writable mount their times could be set, and read by the next run. */
        if (mount("none", path, "none", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL) < 0)
            fail("mount %s", path);
    }
    closedir(devices);
    proc_directory = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (proc_directory < 0)
        fail("/proc");
}

void setup_read(struct message *message, struct field fields)
{
    struct field argv, environment, limits, filter;
    if (message->descriptor_count < 1 || !next_field(&fields, &argv) || !next_field(&fields, &environment) ||
        !next_field(&fields, &limits) || !next_field(&fields, &filter))
        errno = 0, fail("a setup that makes no sense");
    furnish_box();
    arena_used = 0;
    setup.argv = keep_all(argv);
    setup.environment = keep_all(environment);
    read_limits(keep_all(limits));
    confinement.filter = keep(filter.data, filter.size);
    confinement.filter_size = filter.size;
    setup.artefacts = message->descriptor_count > 1 ? message->descriptors[1] : -1;
    write_program(message->descriptors[0]);
    is_loaded = true;
}

void setup_forget(void)
{
    if (is_loaded && umount2("/program", MNT_DETACH) < 0)
        fail("umount /program");
    is_loaded = false;
    if (setup.artefacts >= 0)
        close(setup.artefacts);
    setup.artefacts = -1;
}
