# id: S-04
# title: swaps a directory and a link out of the box while it ends
# stage: run
# verdicts: accepted
# canaries: C2 C3 C4 C8
# runs: 3
import ctypes
import os
import time

libc = ctypes.CDLL(None)
for place in ("/box", "/tmp"):
    os.makedirs(f"{place}/real/inner")
    os.symlink("@DIRECTORY@", f"{place}/swapped")
print(42, flush=True)
for _ in range(2):
    if os.fork() == 0:
        libc.prctl(15, b"@MARK@", 0, 0, 0)
        end = time.monotonic() + 5
        while time.monotonic() < end:  # outlives its parent, whose end starts the cleaning up
            for start in (b"/box/", b"/tmp/"):
                libc.renameat2(-100, start + b"real", -100, start + b"swapped", 2)
        os._exit(0)
time.sleep(0.05)
