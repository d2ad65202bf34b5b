# id: Z-11
# title: unwinds into its callers: errors that lie about themselves, tracers on outer frames, hooks that look around
# stage: run
# verdicts: runtime_error
# canaries: C2 C8 escaped
# time_limit_ms: 5000
# wall_limit_ms: 11000
import re
import sys
import threading

WORD = re.compile("PLANTED-[a-z]+-[0-9a-f]{16}")
own = set(WORD.findall(sys.stdin.read()))


class Lying(BaseException):
    code = 0
    args = property(lambda self: 1 / 0)
    __class__ = property(lambda self: SystemExit)

    def __str__(self):
        look()
        raise Lying

    __repr__ = __str__


def look(*_):
    frame = sys._getframe()
    while frame:
        for word in {*WORD.findall(repr(frame.f_locals))} - own:
            sys.__stdout__.write(f"ESCAPED {word}\n")
        if frame.f_globals is not globals() and frame.f_globals.setdefault("left_behind", own) is not own:
            sys.__stdout__.write("ESCAPED into the callers of the next run\n")
        frame = frame.f_back
    return look


def trace(frame, event, argument):
    look()
    return trace


print(42, flush=True)
sys.excepthook = threading.excepthook = sys.unraisablehook = look
frame = sys._getframe()
while frame:
    frame.f_trace = trace
    frame = frame.f_back
sys.setprofile(trace)
sys.settrace(trace)
raise Lying
