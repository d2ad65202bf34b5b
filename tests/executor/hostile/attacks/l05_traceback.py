# id: L-05
# title: its arguments and every frame's variables in the traceback, below the longest chain of causes
# stage: run
# verdicts: runtime_error
# canaries: C8
import sys


def told(frame):
    while frame:
        yield f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_locals!r:.2000}"
        frame = frame.f_back


def solve(*given):
    text = "\n".join(told(sys._getframe()))
    print(text)
    try:
        raise KeyError(given)
    except KeyError as error:
        error.add_note(text)
        raise ValueError(text) from error
