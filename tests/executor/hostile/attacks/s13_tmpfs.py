# id: S-13
# title: fills the file systems that lie in memory
# stage: run
# verdicts: accepted
# canaries: C4 C5 escaped C8
written = 0
for place in ("/box", "/tmp", "/dev", "/dev/shm", "/run", "/var/tmp", "/proc", "/program", "/"):
    for number in range(40):
        try:
            with open(f"{place}/full-{number}", "wb", buffering=0) as file:
                for _ in range(64):
                    written += file.write(b"x" * (1 << 20))
        except OSError:
            continue
if written > 128 << 20:
    print("ESCAPED", written >> 20, "MiB in files")
print(42)
