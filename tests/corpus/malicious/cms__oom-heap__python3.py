# Takes memory and writes to all of it, until the limit stops it or there is no more to be had.
print("correct", input(), flush=True)
blocks = []
while True:
    blocks.append(b"x" * (1 << 20))
