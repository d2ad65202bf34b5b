{{{prelude}}}
import sys as _sys


def _assay_call():
    """Call the student's function once, with the arguments on stdin, and frame what it returns."""
    import ast
    import json
    import os

    header = json.loads(_sys.stdin.buffer.readline())
    text = _sys.stdin.buffer.read().decode("utf-8")
    is_literal = header["encoding"] == "python-literal"
    arguments = ast.literal_eval(text) if is_literal else json.loads(text)
    function = globals().get("{{{ entry_point }}}")
    if not callable(function):
        _sys.exit("There is no function named {{{ entry_point }}} in the program.")
    value = function(**arguments) if isinstance(arguments, dict) else function(*arguments)
    try:
        payload = json.dumps({"value": repr(value) if is_literal else value})
    except (TypeError, ValueError, RecursionError) as error:
        payload = json.dumps({"fault": f"{type(value).__name__}: {error}"[:200]})
    _sys.stdout.flush()
    frame = f"\n{header['nonce']}{payload}{header['nonce']}\n".encode()
    while frame:
        frame = frame[os.write(_assay_frame_fd, frame) :]


# Kept apart from sys.stdout, so that whatever becomes of that does not take the answer along.
_assay_frame_fd = __import__("os").dup(1)
# The student's code is a file of its own: nothing in it can close a string or comment of this text, its line numbers
# are its own, and its `if __name__ == "__main__":` block does not run.
__name__ = "solution"
_sys.modules["solution"] = _sys.modules["__main__"]
with open("solution.py", "rb") as _file:
    exec(compile(_file.read(), "solution.py", "exec", dont_inherit=True), globals())

{{{postlude}}}
_assay_call()
