"""The cases of the benchmark as data: what is run how often on each side, what is compared, and the target."""

from dataclasses import dataclass
from enum import StrEnum

from executor.bench import programs
from executor.bench.programs import BenchProgram


class Figure(StrEnum):
    """What of both sides is divided."""

    WALL = "wall time"
    CPU = "CPU time"
    THROUGHPUT = "tests per second"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A bound on a ratio; `one_core` replaces `limit` where only one core may be used."""

    limit: float
    one_core: float | None = None
    stretch: float | None = None
    is_at_least: bool = False

    def limit_on(self, cores: int) -> float:
        """The bound that holds with so many cores."""
        return self.one_core if cores == 1 and self.one_core is not None else self.limit

    def is_met(self, ratio: float, *, cores: int) -> bool:
        """Whether a ratio keeps the bound, which itself is kept."""
        limit = self.limit_on(cores)
        return ratio >= limit if self.is_at_least else ratio <= limit

    def words(self, *, cores: int) -> str:
        """The bound as people read it."""
        text = f"{'at least' if self.is_at_least else 'at most'} {self.limit_on(cores):.2f}"
        return text if self.stretch is None else f"{text}, stretch {self.stretch:.2f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One comparison. A round is `submissions` on the engine against `bare_submissions` of `bare_tests` runs each.

    Several submissions, one after the other, so that work which an engine puts off until after its answer is paid for,
    and where one alone is too short to be timed. All figures are per submission. `workers` do that much each, at the
    same time, on both sides; 0 stands for one a core. `is_compiled_anew`: each submission has a source that nobody has
    seen, and both sides compile it; else both compile before the rounds.
    """

    name: str
    title: str
    program: BenchProgram
    tests: int = 20
    bare_tests: int = 20
    submissions: int = 1
    bare_submissions: int = 1
    workers: int = 1
    is_exclusive: bool = False
    is_compiled_anew: bool = False
    figure: Figure = Figure.WALL
    target: Target | None = None


# With a Judge0, this case has it as a second contender in the same rounds.
JUDGE0_CASE = "python-20"
CASES = (
    Case(
        name="python-1",
        title="Python, 1 test",
        program=programs.PYTHON,
        tests=1,
        bare_tests=1,
        submissions=3,
        bare_submissions=3,
    ),
    Case(
        name=JUDGE0_CASE,
        title="Python, 20 tests",
        program=programs.PYTHON,
        target=Target(limit=0.13, one_core=0.20, stretch=0.10),
    ),
    Case(
        name="python-100",
        title="Python, 100 tests",
        program=programs.PYTHON,
        tests=100,
        bare_tests=100,
        target=Target(limit=0.11),
    ),
    Case(
        name="python-20-exclusive",
        title="Python, 20 tests, a fresh interpreter for each submission",
        program=programs.PYTHON,
        submissions=3,
        is_exclusive=True,
        target=Target(limit=0.28),
    ),
    Case(
        name="python-20-over-one",
        title="Python, 20 tests over one bare run",
        program=programs.PYTHON,
        bare_tests=1,
        bare_submissions=3,
        target=Target(limit=2.6),
    ),
    Case(
        name="python-20-cpu",
        title="Python, 20 tests, CPU time",
        program=programs.PYTHON,
        submissions=10,
        bare_submissions=2,
        figure=Figure.CPU,
        target=Target(limit=0.22),
    ),
    Case(
        name="cpp-20-run",
        title="C++, 20 tests, compiled before",
        program=programs.CPP_IOSTREAM,
        submissions=3,
        bare_submissions=3,
        target=Target(limit=1.75),
    ),
    Case(
        name="cpp-20-iostream",
        title="C++ with <iostream>, compiled, 20 tests",
        program=programs.CPP_IOSTREAM,
        is_compiled_anew=True,
        target=Target(limit=1.1),
    ),
    Case(
        name="cpp-20-bits",
        title="C++ with <bits/stdc++.h>, compiled, 20 tests",
        program=programs.CPP_BITS,
        is_compiled_anew=True,
        target=Target(limit=0.50),
    ),
    Case(name="node-20", title="Node, 20 tests", program=programs.JAVASCRIPT),
    Case(name="java-20", title="Java, 20 tests, compiled before", program=programs.JAVA),
    Case(
        name="two-at-a-time",
        title="Python, 20 tests, two submissions at a time",
        program=programs.PYTHON,
        submissions=5,
        workers=2,
        figure=Figure.THROUGHPUT,
        target=Target(limit=4.5, is_at_least=True),
    ),
    Case(
        name="sustained",
        title="Python, 20 tests, one submission a core, sustained",
        program=programs.PYTHON,
        submissions=20,
        workers=0,
        figure=Figure.THROUGHPUT,
    ),
)
