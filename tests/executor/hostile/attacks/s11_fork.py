# id: S-11
# title: a fork bomb whose processes start again when they are told to end
# stage: run
# verdicts: time_limit_exceeded
# canaries: C3 C5 C7 C8
# time_limit_ms: 300
# wall_limit_ms: 1000
import ctypes
import os
import signal


def again(number: int, frame: object) -> None:
    os.fork()


ctypes.CDLL(None).prctl(15, b"@MARK@", 0, 0, 0)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGXCPU, signal.SIGALRM):
    signal.signal(number, again)
while True:
    try:
        os.fork()
    except OSError:
        pass
