// id: S-07
// title: reads what the machine and the server keep secret
// stage: run
// verdicts: accepted
// canaries: C2 C8
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static void show(const char *path) {
    char text[4096];
    int file = open(path, O_RDONLY);
    ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (size < 0) return;
    text[size] = 0;
    printf("ESCAPED read %s %s\n", path, text);
    close(file);
}

int main(void) {
    const char *paths[] = {"@CLOSED_FILE@", "@OPEN_FILE@", "/etc/shadow", "/etc/passwd", "/etc/resolv.conf",
                           "/proc/1/environ", "/proc/1/cmdline", "/proc/self/environ", "/proc/self/mountinfo",
                           "/proc/@ENGINE_PID@/environ", "/proc/@ENGINE_PID@/cmdline", "/proc/kallsyms",
                           "/sys/kernel/notes", "/sys/fs/cgroup/cgroup.procs", "/dev/kmsg", "/dev/mem", "/run/utmp"};
    for (unsigned at = 0; at < sizeof paths / sizeof *paths; at++) show(paths[at]);
    for (char **one = environ; *one; one++)
        if (strstr(*one, "SECRET")) printf("ESCAPED variable %s\n", *one);
    if (opendir("/proc") && opendir("/proc/1")) puts("ESCAPED lists processes");
    if (access("@DIRECTORY@", F_OK) == 0) puts("ESCAPED sees the directory");
    puts("42");
}
