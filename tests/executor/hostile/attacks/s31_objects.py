# id: S-31
# title: leaves System V objects, keys and POSIX shared memory as a drop box
# stage: run
# verdicts: accepted
# canaries: C4 C8
# runs: 2
import ctypes
import os
from multiprocessing import shared_memory

libc = ctypes.CDLL(None)
key = int("@KEY@")
add_key, request_key = (248, 249) if os.uname().machine == "x86_64" else (217, 218)
for name, arguments in (("shmget", (key, 4096)), ("semget", (key, 1)), ("msgget", (key,))):
    if getattr(libc, name)(*arguments, 0) >= 0:
        print("RESIDUE", name)
    getattr(libc, name)(*arguments, 0o1666)
if libc.syscall(request_key, b"user", b"@MARK@", None, 0) >= 0:
    print("RESIDUE key")
for ring in range(-5, 0):
    libc.syscall(add_key, b"user", b"@MARK@", b"x", 1, ring)
try:
    shared_memory.SharedMemory("@MARK@", create=True, size=4096)
except FileExistsError:
    print("RESIDUE shared memory")
except OSError:
    pass
print(42)
