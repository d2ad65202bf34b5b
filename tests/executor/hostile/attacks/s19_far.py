# id: S-19
# title: calls the metadata address, a name server, and services by their names
# stage: run
# verdicts: accepted
# canaries: C1 escaped C8
# wall_limit_ms: 4000
import socket

for address in (
    ("169.254.169.254", 80),
    ("127.0.0.53", 53),
    ("127.0.0.1", 2358),
    ("127.0.0.1", 5432),
    ("127.0.0.1", 6379),
):
    try:
        socket.create_connection(address, 0.3).close()
        print("ESCAPED to", address)
    except OSError:
        pass
for name in ("localhost", "redis", "postgres", "judge0", "metadata.google.internal"):
    try:
        socket.create_connection((name, 80), 0.3)
        print("ESCAPED to", name)
    except OSError:
        pass
print(42)
