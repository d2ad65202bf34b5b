# id: S-07
# title: looks for processes that are not its own
# stage: run
# verdicts: accepted
# canaries: C2 escaped C8
# runs: 2
import os

try:
    for name in os.listdir("/proc"):
        print("ESCAPED sees", name)
except OSError:
    pass
for pid in (*range(1, 300), int("@ENGINE_PID@")):
    if pid in {1, os.getpid(), os.getppid()}:
        continue  # process 1 of the run is known; that it cannot be touched is S-10
    try:
        os.kill(pid, 0)
        print("ESCAPED could signal", pid)
    except OSError:
        pass
print(42)
