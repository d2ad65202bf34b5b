# id: S-13
# title: fills the heap, and goes on when it is refused
# stage: run
# verdicts: memory_limit_exceeded time_limit_exceeded
# canaries: C5 escaped C8
# wall_limit_ms: 1500
pieces: list[bytes] = []
while len(pieces) < 400:
    try:
        pieces.append(b"x" * (1 << 20))
    except MemoryError:
        pass
print("ESCAPED 400 MiB of memory")
