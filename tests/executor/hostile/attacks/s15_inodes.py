# id: S-15
# title: makes a million empty files
# stage: run
# verdicts: accepted
# canaries: C4 C5 escaped C8
# time_limit_ms: 3000
# wall_limit_ms: 4000
import os

count = 0
for place in ("/box", "/tmp", "/var/tmp", "/dev/shm", "/run"):
    try:
        for number in range(1_000_000):
            os.close(os.open(f"{place}/{number}-@MARK@", os.O_CREAT))
            count += 1
            if count > 50_000:
                print("ESCAPED 50 000 files")
                raise SystemExit
    except OSError:
        continue
print(42)
