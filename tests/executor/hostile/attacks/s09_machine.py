# id: S-09
# title: floods the log and sets the clock
# stage: run
# verdicts: accepted
# canaries: C5 C6 escaped C8
import os
import syslog
import time

for number in range(10_000):
    syslog.syslog(syslog.LOG_EMERG, f"flood {number} @MARK@")
for path in (
    "/dev/log",
    "/dev/kmsg",
    "/run/systemd/journal/socket",
    "/proc/sysrq-trigger",
    "/proc/sys/kernel/hostname",
):
    try:
        with open(path, "w") as file:
            file.write("b")
        print("ESCAPED", path)
    except OSError:
        pass
for act in (lambda: time.clock_settime(time.CLOCK_REALTIME, 0), lambda: os.nice(-5), lambda: os.setuid(0)):
    try:
        act()
        print("ESCAPED clock, priority or uid")
    except OSError:
        pass
print(42)
