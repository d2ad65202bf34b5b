// id: S-30
// title: leaves its mark in every place that systems have for what is shared
// stage: run
// verdicts: accepted
// canaries: C4 C8
// runs: 2
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void) {
    const char *places[] = {"/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/var/crash", "/dev/mqueue", "/box", "/program",
                            "/home", "/root", "/var/spool/cron", "/var/lock", "/run/user", "/", "/dev", "/mnt", "/opt"};
    for (unsigned at = 0; at < sizeof places / sizeof *places; at++) {
        if (chdir(places[at])) continue;
        if (access("@MARK@", F_OK) == 0) printf("RESIDUE in %s\n", places[at]);
        close(open("@MARK@", O_CREAT | O_WRONLY, 0666));
        mkdir("@MARK@-directory", 0777);
        mknod("@MARK@-pipe", S_IFIFO | 0666, 0);
    }
    umask(0);
    puts("42");
}
