# id: S-16
# title: prints a byte now and then
# stage: run
# verdicts: time_limit_exceeded
# canaries: C5 C7 C8
# wall_limit_ms: 1000
import os
import time

while True:
    os.write(1, b".")
    os.write(2, b".")
    time.sleep(0.03)
