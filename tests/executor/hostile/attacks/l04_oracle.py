# id: L-04
# title: one digit of each hidden input by the way its run ends
# stage: run
# verdicts: wrong_answer runtime_error time_limit_exceeded memory_limit_exceeded output_limit_exceeded
# canaries: C8
# time_limit_ms: 300
# wall_limit_ms: 1600
import os

digit = (int(input()) if os.fstat(0).st_size else 0) % 5
if digit == 1:
    raise SystemExit(1)
if digit == 2:
    while True:
        pass
if digit == 3:
    bytearray(1 << 40)
if digit == 4:
    while True:
        os.write(1, bytes(65536))
