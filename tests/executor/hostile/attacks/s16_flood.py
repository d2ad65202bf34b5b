# id: S-16
# title: prints one line of a gigabyte
# stage: run
# verdicts: output_limit_exceeded
# canaries: C5 C6 C7 C8
import os
import signal

signal.signal(signal.SIGPIPE, signal.SIG_IGN)
while True:
    try:
        os.write(1, b"x" * 65536)
    except OSError:
        pass
