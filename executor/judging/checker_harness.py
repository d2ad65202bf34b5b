"""Runs an author's checker once, inside a box of its own. Never imported by the server; started as

    python3 -I checker_harness.py PROGRAM [ARGUMENT ...]

From stdin it takes a line with three sizes, then so many bytes of the test's input, of its answer and of what the
student's program put out. It calls `PROGRAM ARGUMENT ... input answer feedback/ < output` and, once that has ended,
says on stdout how: `{"exit": 42, "judge": "...", "team": "..."}`, with a negative `exit` for a signal.

What the checker itself prints goes to stderr, both streams of it: stdout is the harness's alone.
"""

import json
import os
import stat
import sys

DIRECTORY = "/tmp/check"  # noqa: S108  a file system of the run's own
FEEDBACK = f"{DIRECTORY}/feedback"
MESSAGE_LIMIT_BYTES = 4096


def main() -> None:
    os.makedirs(FEEDBACK)
    paths = [f"{DIRECTORY}/{name}" for name in ("input", "answer", "output")]
    sizes = [int(size) for size in sys.stdin.buffer.readline().split()]
    for path, size in zip(paths, sizes, strict=True):
        with open(path, "wb") as file:
            file.write(sys.stdin.buffer.read(size))
    output = os.open(paths.pop(), os.O_RDONLY | os.O_CLOEXEC)
    checker = os.fork()
    if checker == 0:
        _become_checker(output, [*sys.argv[1:], *paths, f"{FEEDBACK}/"])
    _, status = os.waitpid(checker, 0)
    said = {"judge": _message("judgemessage.txt"), "team": _message("teammessage.txt")}
    print(json.dumps({"exit": os.waitstatus_to_exitcode(status), **said}))  # noqa: T201  this is the answer


def _become_checker(output: int, argv: list[str]) -> None:
    try:
        os.dup2(output, 0)
        os.dup2(2, 1)
        os.execv(argv[0], argv)  # noqa: S606  no shell is the point
    finally:
        os._exit(127)


def _message(name: str) -> str:
    """A message the checker left, cut; what is no plain file is none, and must not make us wait."""
    try:
        descriptor = os.open(f"{FEEDBACK}/{name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with open(descriptor, "rb") as file:
        is_plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return file.read(MESSAGE_LIMIT_BYTES).decode("utf-8", "backslashreplace") if is_plain else ""


if __name__ == "__main__":
    main()
