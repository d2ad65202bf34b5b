# id: S-15
# title: fills the disk with one file until it is ended or refused
# stage: run
# verdicts: runtime_error
# canaries: C4 C5 escaped C8
written = 0
with open("file", "wb", buffering=0) as file:
    while written < 1 << 30:
        written += file.write(b"x" * (1 << 20))
print("ESCAPED 1 GiB on disk")
