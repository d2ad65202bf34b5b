# id: Z-13
# title: stops and kills whoever started it, and everybody it can count to
# stage: run
# verdicts: accepted runtime_error
# canaries: C5 C8
# time_limit_ms: 5000
# wall_limit_ms: 11000
import os
import signal
import sys

given = sys.stdin.read()
os.write(1, b"42\n")
for number in (signal.SIGSTOP, signal.SIGKILL):
    for pid in (os.getppid(), 1, *range(2, 100), -1, 0 if number == signal.SIGKILL else 1):
        try:
            if pid != os.getpid():
                os.kill(pid, number)
        except OSError:
            continue
