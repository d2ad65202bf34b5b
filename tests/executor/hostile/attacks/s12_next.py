# id: S-12
# title: leaves processes for the next test to find
# stage: run
# verdicts: accepted
# canaries: C3 C4 C8
# runs: 2
import os
import time

others = 0
for pid in range(2, 400):
    try:
        os.kill(pid, 0)
        others += pid != os.getpid()
    except OSError:
        pass
if others > 10:
    print("RESIDUE", others, "processes")
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
print(42, flush=True)
os._exit(0)
