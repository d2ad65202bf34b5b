# id: Z-10
# title: forks, and both halves go on to wherever the program was called from
# stage: run
# verdicts: accepted runtime_error
# canaries: C3 C4 C8 escaped
# time_limit_ms: 5000
# wall_limit_ms: 11000
import os
import sys
import time

given = sys.stdin.read()
sys.stdout.flush()
first = os.getpid()
for _ in range(3):
    os.fork()
if os.getpid() == first:
    os.write(1, b"42\n")
    time.sleep(0.1)
