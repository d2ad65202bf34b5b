# Right, and then computes for ever.
print("Hello, World!", flush=True)
while True:
    pass
