# id: S-11
# title: turns into daemons that leave session and parent, and counts how many the box lets it have
# stage: run
# verdicts: accepted
# canaries: C3 escaped C8
# runs: 2
import os

count = 0
try:
    while count < 250:
        if os.fork() == 0:
            os.setsid()
            for number in range(3):
                os.close(number)
            os.execv("/bin/sleep", ["@MARK@", "60"])
        count += 1
except OSError:
    pass
if count == 250:
    print("ESCAPED as many processes as wanted")
print(42)
