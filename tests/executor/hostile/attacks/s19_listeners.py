# id: S-19
# title: sends to listeners of this machine: TCP, UDP, IPv6, sockets with and without a file
# stage: run
# verdicts: accepted
# canaries: C1 C8
# wall_limit_ms: 4000
import socket

targets: list[tuple[int, int, tuple[str, int] | str]] = [
    (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", int("@TCP_PORT@"))),
    (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", int("@UDP_PORT@"))),
    (socket.AF_INET6, socket.SOCK_STREAM, ("::1", int("@TCP6_PORT@"))),
    (socket.AF_INET6, socket.SOCK_DGRAM, ("::1", int("@UDP6_PORT@"))),
    (socket.AF_UNIX, socket.SOCK_STREAM, "\0@ABSTRACT@"),
    (socket.AF_UNIX, socket.SOCK_STREAM, "@UNIX_PATH@"),
    (socket.AF_UNIX, socket.SOCK_STREAM, "/dev/log"),
]
for family, kind, address in targets:
    try:
        with socket.socket(family, kind) as opened:
            opened.settimeout(0.5)
            opened.connect(address)
            opened.send(b"@MARK@")
    except OSError:
        pass
try:
    # A pair is bound to nobody else, and can send by name all the same.
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    pair[0].sendto(b"@MARK@", "\0@DATAGRAM@")
except OSError:
    pass
print(42)
