# id: Z-03
# title: its own memory page by page, past the interpreter, and that of the processes around it
# stage: run
# verdicts: accepted
# canaries: C2 C8 escaped
# time_limit_ms: 5000
# wall_limit_ms: 11000
import ctypes
import os
import re
import sys

PAGE = 4096
WORD = re.compile(rb"PLANTED-[a-z]+-[0-9a-f]{16}")
own = set(WORD.findall(sys.stdin.read().encode()))
words = set()
libc = ctypes.CDLL(None, use_errno=True)
libc.sbrk.restype = ctypes.c_void_p
reading, writing = os.pipe()


def page_at(address):
    """A pipe is told to read the page: it says EFAULT where there is none, and we live on."""
    done = libc.write(writing, ctypes.c_void_p(address), PAGE)
    return os.read(reading, done) if done > 0 else None


looked = set()
stack = ctypes.c_int()
places = [libc.sbrk(0) - 1, ctypes.addressof(stack), ctypes.cast(libc.puts, ctypes.c_void_p).value, id(sys), id(None)]
places += [id(thing) for thing in (WORD, own, sys.modules, os, libc, [], {}, object(), b"x" * 100_000, "y" * 10_000)]
for place in places:
    for step in (PAGE, -PAGE):
        address = place // PAGE * PAGE
        tail = b""
        while len(looked) < 60_000 and (address, step) not in looked:
            looked.add((address, step))
            page = page_at(address)
            if page is None:
                break
            words.update(WORD.findall(tail + page if step > 0 else page))
            tail = page[-64:]
            address += step
for path in ("/proc/self/mem", "/proc/self/maps", f"/proc/{os.getppid()}/mem", "/proc/1/mem", "/dev/mem"):
    try:
        os.close(os.open(path, os.O_RDONLY))
        print("ESCAPED", path)
    except OSError:
        continue


class Span(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


buffer = ctypes.create_string_buffer(PAGE)
here, there = Span(ctypes.addressof(buffer), PAGE), Span(id(sys) // PAGE * PAGE, PAGE)
for pid in {os.getppid(), *range(1, 40)} - {os.getpid(), 0}:
    if libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) > 0:
        print("ESCAPED the memory of", pid)
    if libc.ptrace(0x4206, pid, 0, 0) == 0:
        print("ESCAPED into", pid)
for word in words - own:
    print("ESCAPED", word.decode())
print(42)
