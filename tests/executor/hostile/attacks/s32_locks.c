// id: S-32
// title: two submissions at a time send each other bits by locks, leases and watches of the files both can read
// stage: run
// verdicts: accepted
// canaries: escaped C8
// copies: 2
// wall_limit_ms: 4000
// time_limit_ms: 2000
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

static volatile int heard;
static int lock_commands[][2] = {{F_SETLK, F_GETLK}, {F_OFD_SETLK, F_OFD_GETLK}};

static void hear(int number) { heard = number; }

static struct flock lock_of(int kind, int at) {
    return (struct flock){.l_type = kind, .l_whence = SEEK_SET, .l_start = @KEY@ + at, .l_len = 1};
}

int main(void) {
    int copy;
    if (scanf("%d", &copy) != 1) return 1;
    const char *paths[] = {"/usr/bin/env", "/etc/ld.so.cache", "/usr/lib/os-release", "/dev/null", "/dev/zero"};
    enum { COUNT = sizeof paths / sizeof *paths };
    int files[COUNT], directory = open("/usr/lib", O_RDONLY | O_DIRECTORY);
    for (int at = 0; at < COUNT; at++) files[at] = open(paths[at], O_RDONLY);
    signal(SIGIO, hear);
    if (copy == 1 && fcntl(directory, F_NOTIFY, DN_ACCESS | DN_ATTRIB | DN_CREATE | DN_MULTISHOT) == 0) {
        puts("ESCAPED watches a directory of the machine");
    }
    int watch = inotify_init();
    if (watch >= 0 && inotify_add_watch(watch, paths[0], IN_OPEN) >= 0) puts("ESCAPED watches a file of the machine");
    time_t end = time(0) + 2;
    while (time(0) < end) {
        for (int at = 0; at < COUNT; at++) {
            if (files[at] < 0) continue;
            for (int kind = 0; kind < 2; kind++) {
                struct flock mine = lock_of(copy == 0 ? F_RDLCK : F_WRLCK, kind);
                if (fcntl(files[at], lock_commands[kind][copy], &mine) == 0 && copy == 1 && mine.l_type != F_UNLCK) {
                    printf("ESCAPED a bit by the lock %d of %s\n", kind, paths[at]);
                    heard++;
                }
            }
            if (flock(files[at], LOCK_EX | LOCK_NB) == 0) puts("ESCAPED flock");
            if (fcntl(files[at], F_SETLEASE, F_RDLCK) == 0) puts("ESCAPED lease");
        }
        if (heard) break;
        usleep(20000);
    }
    puts("42");
}
