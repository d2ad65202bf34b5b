# id: S-23
# title: looks for descriptors it was not given, and writes to them
# stage: run
# verdicts: accepted
# canaries: escaped C5 C8
# runs: 2
import os

for number in range(3, 4096):
    try:
        os.fstat(number)
    except OSError:
        continue
    if number == 3 and os.path.samestat(os.fstat(3), os.stat("main.py")):
        continue  # an interpreter may hold the program itself open
    print("ESCAPED descriptor", number)
    try:
        os.write(number, b"ended")
    except OSError:
        pass
print(42)
