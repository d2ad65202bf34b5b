"""The programs that clients hand in, and what becomes of each where nothing fails."""

from dataclasses import dataclass

# What the problem asks: twice the number. The first test is the sample.
TESTS = (("2\n", "4\n"), ("21\n", "42\n"), ("3\n", "6\n"), ("40\n", "80\n"))
KEY_MARK = "# key "


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program in Python, with the status and score (percent) that its submission has to end with."""

    code: str
    status: str
    score: str


PROGRAMS = {
    "accepted": Program(code="print(int(input()) * 2)", status="accepted", score="100.00"),
    "wrong": Program(code="print(-1)", status="wrong_answer", score="0.00"),
    "partial": Program(code="n = int(input())\nprint(n * 2 if n < 10 else 0)", status="wrong_answer", score="50.00"),
    "broken": Program(code="raise ValueError(input())", status="runtime_error", score="0.00"),
    # Long enough for a lease to be renewed over it now and then.
    "slow": Program(code="import time\ntime.sleep(0.2)\nprint(int(input()) * 2)", status="accepted", score="100.00"),
}
KINDS = tuple(PROGRAMS)


def source_of(kind: str, key: str) -> str:
    """The program of this kind, marked with the key it is sent under: its row can be told from all others."""
    return f"{KEY_MARK}{key}\n{PROGRAMS[kind].code}\n"


def key_of(source: str) -> str:
    """The key that a program was marked with."""
    return source.partition("\n")[0].removeprefix(KEY_MARK)
