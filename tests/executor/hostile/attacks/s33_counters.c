// id: S-33
// title: reads counters of the whole machine, by which a neighbor could be watched
// stage: run
// verdicts: accepted
// canaries: escaped C8
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysinfo.h>

int main(void) {
    const char *paths[] = {"/proc/loadavg", "/proc/stat", "/proc/meminfo", "/proc/uptime", "/proc/vmstat", "/proc/interrupts",
                           "/proc/pressure/cpu", "/sys/fs/cgroup/cpu.stat", "/proc/diskstats", "/proc/net/dev"};
    for (unsigned at = 0; at < sizeof paths / sizeof *paths; at++)
        if (open(paths[at], O_RDONLY) >= 0) printf("ESCAPED reads %s\n", paths[at]);
    struct sysinfo all;
    if (sysinfo(&all) == 0) printf("ESCAPED sysinfo: %d processes, load %lu, %lu free\n", all.procs, all.loads[0], all.freeram);
    puts("42");
}
