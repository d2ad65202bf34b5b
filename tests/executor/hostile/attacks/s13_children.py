# id: S-13
# title: spreads memory over children, each of them below the limit
# stage: run
# verdicts: memory_limit_exceeded
# canaries: C3 C5 escaped C8
# wall_limit_ms: 3000
import os
import time

reading, writing = os.pipe()
for _ in range(16):
    if os.fork() == 0:
        kept = b"x" * (40 << 20)
        os.write(writing, b"+")
        time.sleep(60)
count = 0
while count < 16:
    count += len(os.read(reading, 1))
time.sleep(0.5)
print("ESCAPED 640 MiB of memory")
