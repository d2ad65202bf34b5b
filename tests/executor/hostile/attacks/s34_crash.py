# id: S-34
# title: dies while its files are deleted, in many processes, over and over
# stage: run
# verdicts: runtime_error
# canaries: C3 C4 C5 C8
# runs: 15
import ctypes
import os
import shutil

for number in range(4):
    if os.fork() == 0:
        os.makedirs(f"{number}/deeper", exist_ok=True)
        shutil.rmtree(".", ignore_errors=True)
        ctypes.string_at(0)
shutil.rmtree("/tmp", ignore_errors=True)
os.kill(os.getpid(), 11)
