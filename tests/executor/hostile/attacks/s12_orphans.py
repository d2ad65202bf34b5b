# id: S-12
# title: answers and ends, while its children sleep on with the output open
# stage: run
# verdicts: accepted
# canaries: C3 C7 C8
# runs: 2
import os

print(42, flush=True)
try:
    for _ in range(100):
        if os.fork() == 0:
            os.execv("/bin/sleep", ["@MARK@", "60"])
except OSError:
    pass
os._exit(0)
