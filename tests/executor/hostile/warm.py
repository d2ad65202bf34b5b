"""The control of law "nothing carries over": an interpreter kept warm without care, that runs one test after another.

It runs inside the sandbox, as a student's program, with other programs beside it: what it lacks is not walls around it
but a process of its own for each test. It is a program, not a module. From stdin it takes, as JSON, whether it forks,
and the runs: the name of a program's file and its input, each.
"""

import io
import json
import os
import random
import sys
import traceback

END = b"--- end of a run ---\n"
KEPT: list[str] = []
SOURCES: dict[str, str] = {}
STATE = random.getstate()


def run(name: str, text: str) -> None:
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    try:
        exec(compile(SOURCES[name], name, "exec"), {"__name__": "__main__"})
        sys.stdout.flush()
    except SystemExit:
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001  whatever a program ends with, the server goes on
        traceback.print_exc()


def main() -> None:
    forks, runs = json.loads(sys.stdin.read())
    for name, _ in runs:
        with open(name) as file:
            SOURCES[name] = file.read()
    for name, text in runs:
        KEPT.append(text)
        if not forks:
            run(name, text)
        elif (child := os.fork()) == 0:
            random.setstate(STATE)
            run(name, text)
            os._exit(0)
        else:
            os.waitpid(child, 0)
        os.write(1, END)


main()
