# id: S-14
# title: lets children that it never waits for use the CPU
# stage: run
# verdicts: time_limit_exceeded
# canaries: C3 C5 C7 escaped C8
# time_limit_ms: 300
# wall_limit_ms: 2000
import os
import time

for _ in range(4):
    if os.fork() == 0:
        if os.fork() == 0:
            while time.process_time() < 0.8:
                pass
            print("ESCAPED 0.8 s of CPU time", flush=True)
        os._exit(0)
time.sleep(1.9)
