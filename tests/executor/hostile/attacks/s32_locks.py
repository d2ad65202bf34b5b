# id: S-32
# title: two submissions at a time send each other bits by locks, abstract sockets and rings of the kernel
# stage: run
# verdicts: accepted
# canaries: escaped C8
# copies: 2
# wall_limit_ms: 4000
# time_limit_ms: 2000
import ctypes
import fcntl
import os
import socket
import struct
import time

copy = int(input())
libc = ctypes.CDLL(None)
file = os.open("/usr/bin/env", os.O_RDONLY)
start = int("@KEY@") + 100
if libc.syscall(425, 4, ctypes.create_string_buffer(256)) >= 0:
    print("ESCAPED io_uring")
try:
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    opened.bind(f"\0@MARK@-{copy}")
    print("ESCAPED abstract socket")
except OSError:
    pass
end = time.monotonic() + 1.2
while time.monotonic() < end:
    kind = fcntl.F_WRLCK if copy else fcntl.F_RDLCK
    asked = struct.pack("hhqqi4x", kind, os.SEEK_SET, start, 1, 0)
    try:
        answer = fcntl.fcntl(file, fcntl.F_GETLK if copy else fcntl.F_SETLK, asked)
        if copy and struct.unpack("hhqqi4x", answer)[0] != fcntl.F_UNLCK:
            print("ESCAPED a bit by a lock")
            break
    except OSError:
        pass
    time.sleep(0.02)
print(42)
