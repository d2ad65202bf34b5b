# id: S-21
# title: writes another input over its own and reads it again, for itself and for the next test
# stage: run
# verdicts: accepted
# canaries: escaped C8
# stdin: 21 is the input
# runs: 2
import mmap
import os

if os.pread(0, 99, 0) != b"21 is the input":
    print("RESIDUE in the input")
for act in (
    lambda: os.pwrite(0, b"99", 0),
    lambda: os.ftruncate(0, 0),
    lambda: os.posix_fallocate(0, 0, 1000),
    lambda: os.write(os.open("/dev/stdin", os.O_RDWR), b"99"),
    lambda: os.write(os.open("/proc/self/fd/0", os.O_RDWR), b"99"),
    lambda: mmap.mmap(0, 10, mmap.MAP_SHARED).write(b"99"),
):
    try:
        act()
    except (OSError, ValueError):
        pass
os.lseek(0, 0, os.SEEK_SET)
said = os.read(0, 99)
print(42 if said == b"21 is the input" else f"ESCAPED the input is now {said!r}")
