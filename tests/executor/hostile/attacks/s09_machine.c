// id: S-09
// title: reboots, sets the clock and the names, and floods the log
// stage: run
// verdicts: accepted
// canaries: C5 C6 escaped C8
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/klog.h>
#include <sys/reboot.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/resource.h>
#include <syslog.h>
#include <unistd.h>

int main(void) {
    struct timeval past = {1000, 0};
    struct timex changed = {.modes = ADJ_OFFSET, .offset = 1};
    if (reboot(RB_DISABLE_CAD) == 0) puts("ESCAPED reboot");
    if (settimeofday(&past, 0) == 0) puts("ESCAPED settimeofday");
    if (adjtimex(&changed) >= 0) puts("ESCAPED adjtimex");
    if (sethostname("mine", 4) == 0) puts("ESCAPED sethostname");
    if (setdomainname("mine", 4) == 0) puts("ESCAPED setdomainname");
    if (klogctl(8, 0, 1) >= 0) puts("ESCAPED klogctl");
    if (setpriority(PRIO_PROCESS, 0, -20) == 0) puts("ESCAPED setpriority");
    for (int line = 0; line < 10000; line++) syslog(LOG_EMERG, "flood %d @MARK@", line);
    puts("42");
}
