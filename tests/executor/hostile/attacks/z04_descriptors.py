# id: Z-04
# title: descriptors left open: what they say, what they take, and input beyond its own
# stage: run
# verdicts: accepted
# canaries: C2 C8 escaped
# time_limit_ms: 5000
# wall_limit_ms: 11000
import fcntl
import os
import re
import select
import socket
import sys

WORD = re.compile(rb"PLANTED-[a-z]+-[0-9a-f]{16}")
own = set(WORD.findall(sys.stdin.read().encode()))
words, strange = set(), []
try:
    listed = [int(name) for name in os.listdir("/proc/self/fd")]
except OSError:
    listed = []
for descriptor in {*range(4096), *listed}:
    try:
        os.fstat(descriptor)
    except OSError:
        continue
    for way in (os.pread, lambda descriptor, size, start: os.lseek(descriptor, start, 0) or os.read(descriptor, size)):
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_NONBLOCK)
            if descriptor == 0 or select.select([descriptor], [], [], 0)[0]:
                words.update(WORD.findall(way(descriptor, 1 << 20, 0)))
        except (OSError, ValueError):
            continue
    if descriptor > 2 and descriptor not in listed:
        strange.append(descriptor)
        try:
            with socket.socket(fileno=os.dup(descriptor)) as taken:
                taken.send(b"ended")
        except OSError:
            continue
for descriptor in (1, 2):
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) & ~os.O_NONBLOCK)
for path in ("/proc/self/fd/0", "/proc/self/fd/3", "/dev/fd/3", "/proc/1/fd/0"):
    try:
        with open(path, "rb") as file:
            words.update(WORD.findall(file.read(1 << 20)))
    except OSError:
        continue
print(*(f"ESCAPED {word.decode()}\n" for word in words - own), sep="", end="")
print(f"ESCAPED to descriptors {strange}" if strange else 42)
