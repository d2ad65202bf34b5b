# id: S-13
# title: touches private, shared and file mappings, each kind a limit may forget
# stage: run
# verdicts: memory_limit_exceeded runtime_error
# canaries: C5 escaped C8
import mmap
import os

kept = []
for flags in (mmap.MAP_SHARED | mmap.MAP_ANONYMOUS, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS):
    touched = 0
    try:
        while touched < 400:
            kept.append(mmap.mmap(-1, 1 << 20, flags))
            kept[-1].write(b"x" * (1 << 20))
            touched += 1
    except OSError:
        continue
    print("ESCAPED 400 MiB of memory by", flags)
for name in ("/dev/zero", "/dev/shm/zero", "/tmp/zero"):
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT)
        if not name.startswith("/dev/zero"):
            os.ftruncate(descriptor, 400 << 20)
        mapped = mmap.mmap(descriptor, 400 << 20, mmap.MAP_SHARED)
        for at in range(0, 400 << 20, 4096):
            mapped[at] = 1
        print("ESCAPED 400 MiB of memory by", name)
    except (OSError, ValueError):
        continue
os.abort()
