# id: S-10
# title: stops and kills all it can reach, ignores what would end it, and spins
# stage: run
# verdicts: time_limit_exceeded
# canaries: C3 C5 C7 C8
# time_limit_ms: 300
# wall_limit_ms: 1000
import os
import signal

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
for pid in (-1, os.getppid(), 1, int("@ENGINE_PID@")):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGSTOP, signal.SIGKILL, signal.SIGSEGV):
        try:
            os.kill(pid, number)
        except OSError:
            pass
while True:
    pass
