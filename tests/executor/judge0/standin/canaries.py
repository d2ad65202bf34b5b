"""Programs that print who they are, and a judge that knows what they print without running them.

A result that reaches the wrong program, or the wrong test of the right one, shows in the verdict.
"""

import base64
import io
import re
import zipfile
from collections.abc import Callable

from executor.engines.base import SourceFile
from executor.judging.checkers import CheckerSpec
from executor.judging.languages import LANGUAGES
from executor.judging.plan import JudgingPlan, PlannedTest
from tests.executor.judge0.standin.api import Item, finished, in_turn_states, state
from tests.executor.judge0.support import b64

CANARY = re.compile(r"^# canary ([0-9]+)( fails)?$", re.MULTILINE)


def source(number: int, *, fails: bool = False) -> str:
    """A Python program that prints its number and what it was given; one that fails exits with 3 after that."""
    end = "raise SystemExit(3)\n" if fails else ""
    return f"# canary {number}{' fails' if fails else ''}\nprint({number}, input())\n{end}"


def output(number: int, given: str) -> str:
    """What that program prints."""
    return f"{number} {given}\n"


def plan(number: int, *, tests: int, fails: bool = False, is_right: bool = True) -> JudgingPlan:
    """The judging of a canary on so many tests, a job for each; of one that is not right the last test tells."""
    planned = [
        PlannedTest(key=index, input=f"given {number} {index}", expected=output(number, f"given {number} {index}"))
        for index in range(tests)
    ]
    if not is_right:
        planned[-1] = PlannedTest(key=tests - 1, input=planned[-1].input, expected="something else")
    return JudgingPlan(
        language=LANGUAGES["python"],
        files=(SourceFile(name="main.py", content=source(number, fails=fails)),),
        tests=tuple(planned),
        checker=CheckerSpec(name="tokens"),
        time_limit_ms=2000,
        memory_limit_mb=256,
        is_exclusive=True,
    )


def source_of(submission: Item) -> str:
    """The program in a submission, from its archive or plain."""
    if submission.get("source_code"):
        return base64.b64decode(submission["source_code"]).decode()
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(submission["additional_files"]))) as archive:
        return archive.read("program/main.py").decode()


def knowing(*, polls: int = 1) -> Callable[[Item], Callable[[], Item | None]]:
    """The judge: each job has its end after so many polls."""

    def judge(submission: Item) -> Callable[[], Item | None]:
        found = CANARY.search(source_of(submission))
        assert found is not None, "the program of a test is a canary"
        number, fails = int(found[1]), bool(found[2])
        printed = output(number, base64.b64decode(submission.get("stdin") or "").decode()).encode()
        changes: Item = (
            {"status_id": 11, "exit_code": 3, "message": b64(b"Exited with error status 3")} if fails else {}
        )
        return in_turn_states([*(state(1 + at % 2) for at in range(polls)), finished(printed, **changes)])

    return judge
