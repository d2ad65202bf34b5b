"""Custom checkers: an author's program that decides whether an output is right. Pure: requests out, results in.

The contract is the one of the ICPC and Kattis problem packages: `checker INPUT ANSWER FEEDBACK_DIR < team_output`, exit
42 for right and 43 for wrong. Anything else, 0 included, is a fault of the checker and never of the student. It may
leave `judgemessage.txt`, for staff, and `teammessage.txt`, for the student, in the directory. Scores (`score.txt`) and
further passes are not taken from it.

It runs in a box of its own, on this machine, which the student's program never enters (law 1).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from executor.engines.base import Limits, RunRequest, RunResult, RunStatus, SourceFile
from executor.judging.checkers import BrokenCheck, CheckResult
from executor.judging.languages import Language

RIGHT_EXIT, WRONG_EXIT = 42, 43
# For one output. A student can hand in up to the output limit, and the checker may have to search in it.
LIMITS = Limits(time_limit_ms=10_000, wall_limit_ms=21_000, memory_limit_mb=256, output_limit_kib=256)
HARNESS = SourceFile(
    # A name that no program of an author has: file names do not begin with an underscore.
    name="_checker_harness.py",
    content=(Path(__file__).parent / "checker_harness.py").read_text(encoding="utf-8"),
)
# How a program is looked through where nothing is compiled: the faults a compiler would name.
_COMPILE_PYTHON = "import sys; compile(open(sys.argv[1], 'rb').read(), sys.argv[1], 'exec')"
_SYNTAX_CHECKS = {
    "python": ("python3", "-I", "-S", "-B", "-c", _COMPILE_PYTHON, "{main}"),
    "javascript": ("node", "--check", "{main}"),
}
_STDERR_KEPT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomChecker:
    """An author's checker: one file in one of our languages."""

    language: Language
    file: SourceFile


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckItem:
    """One output to decide, with what it is decided by."""

    input: bytes
    answer: bytes
    output: bytes


def checker_request(checker: CustomChecker, items: Sequence[CheckItem], *, run_argv: Sequence[str]) -> RunRequest:
    """One box for all the outputs, a run each. `run_argv` is the language's, with its program by path."""
    toolchain = replace(checker.language.toolchain, run_argv=("python3", "-I", "-S", "-B", HARNESS.name, *run_argv))
    return RunRequest(
        toolchain=toolchain,
        files=(checker.file, HARNESS),
        inputs=tuple(_stdin(item) for item in items),
        limits=LIMITS,
        is_exclusive=True,  # no box that runs students' code may ever have seen an expected output
    )


def syntax_request(checker: CustomChecker) -> RunRequest:
    """What finds out whether the checker compiles, or reads as a program where nothing is compiled."""
    argv = _SYNTAX_CHECKS.get(checker.language.key)
    toolchain = checker.language.toolchain
    return RunRequest(
        toolchain=toolchain if argv is None else replace(toolchain, run_argv=argv),
        files=(checker.file,),
        inputs=() if argv is None else (b"",),
        limits=LIMITS,
        is_exclusive=True,
    )


def read_check(result: RunResult) -> CheckResult | BrokenCheck:
    """What one run of the harness says. Its message for the student is theirs to see; the other is for staff."""
    if result.status is not RunStatus.EXITED or result.exit_code != 0:
        return BrokenCheck(reason=f"The checker was ended: {result.status.value}. {_tail(result.stderr)}".strip())
    try:
        said: Any = json.loads(result.stdout)
        code, judge, team = int(said["exit"]), str(said["judge"]), str(said["team"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return BrokenCheck(reason="The checker's box gave no answer that makes sense.")
    if code in (RIGHT_EXIT, WRONG_EXIT):
        return CheckResult(is_right=code == RIGHT_EXIT, message=team, judge_message=judge)
    ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    reason = f"The checker {ended}; only {RIGHT_EXIT} and {WRONG_EXIT} are answers. {judge} {_tail(result.stderr)}"
    return BrokenCheck(reason=reason.strip())


def _stdin(item: CheckItem) -> bytes:
    parts = (item.input, item.answer, item.output)
    return b" ".join(b"%d" % len(part) for part in parts) + b"\n" + b"".join(parts)


def _tail(stderr: bytes) -> str:
    return stderr[-_STDERR_KEPT:].decode("utf-8", "backslashreplace").strip()
