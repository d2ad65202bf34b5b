# id: Z-09
# title: closes, swaps and reopens its standard descriptors, and leaves none open
# stage: run
# verdicts: accepted runtime_error
# canaries: C4 C8 escaped
# time_limit_ms: 5000
# wall_limit_ms: 11000
import os
import sys

given = sys.stdin.read()
os.write(1, b"42\n")
spare = os.open("/dev/null", os.O_RDWR)
os.dup2(1, 0)
os.dup2(spare, 1)
os.dup2(0, 2)
os.closerange(0, 1024)
for _ in range(3):
    os.open("/dev/zero", os.O_RDWR)
os.closerange(0, 1024)
