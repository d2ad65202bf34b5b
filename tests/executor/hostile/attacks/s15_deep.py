# id: S-15
# title: nests directories as deep as they go, with names as long as they may be
# stage: run
# verdicts: accepted
# canaries: C4 C5 C7 C8
# runs: 2
import os

for start in ("/tmp", "/box"):
    os.chdir(start)
    try:
        for _ in range(10_000):
            name = "@MARK@" + "d" * 240
            os.mkdir(name)
            os.chdir(name)
    except OSError:
        pass
print(42)
