"""What is to be judged: a program, its tests and the rules, free of database and engine."""

from dataclasses import dataclass, field
from decimal import Decimal

from executor.engines.base import Limits, RunRequest, SourceFile
from executor.judging.checkers import CUSTOM, CheckerSpec
from executor.judging.custom import CustomChecker
from executor.judging.languages import Language
from executor.judging.scoring import ScoreGroup, ScoringRules, groups_fault
from executor.judging.values import JSON
from executor.judging.wrapping import WrappedProgram, frame_input, new_nonce, wrap

# A program may wait, for its input or a slow disk, longer than it may compute.
WALL_FACTOR = 2
WALL_MARGIN_MS = 1000


class PlanError(ValueError):
    """The problem cannot be judged as it is: an authoring fault, never a student's verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTest:
    """One test. `key` is the caller's own name for it; an `expected` of None takes any output."""

    key: int
    input: str
    expected: str | None
    weight: Decimal = Decimal(1)
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingPlan:
    """Everything one judging needs; `tests` are in judging order. `is_exclusive` as in `RunRequest`."""

    language: Language
    files: tuple[SourceFile, ...]
    tests: tuple[PlannedTest, ...]
    checker: CheckerSpec
    time_limit_ms: int
    memory_limit_mb: int
    entry_point: str = ""
    template: str = ""
    prelude: str = ""
    postlude: str = ""
    value_encoding: str = JSON
    # Where the checker is `custom`: the author's program.
    custom_checker: CustomChecker | None = None
    groups: tuple[ScoreGroup, ...] = ()
    is_partial_credit: bool = True
    stops_at_first_failure: bool = False
    is_exclusive: bool = False

    @property
    def scoring(self) -> ScoringRules:
        """How the tests make up the score."""
        return ScoringRules(
            groups=self.groups,
            is_partial_credit=self.is_partial_credit,
            stops_at_first_failure=self.stops_at_first_failure,
        )

    @property
    def limits(self) -> Limits:
        """What each test's run may use."""
        return limits_for(time_limit_ms=self.time_limit_ms, memory_limit_mb=self.memory_limit_mb)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRun:
    """A plan turned into a request, with what is needed to read its results. `nonces` is empty for stdio programs."""

    program: WrappedProgram
    request: RunRequest
    nonces: tuple[str, ...] = field(default=())


def limits_for(*, time_limit_ms: int, memory_limit_mb: int) -> Limits:
    """The limits of a run with this much CPU time and memory; the wall clock gives twice the time and a second."""
    return Limits(
        time_limit_ms=time_limit_ms,
        wall_limit_ms=WALL_FACTOR * time_limit_ms + WALL_MARGIN_MS,
        memory_limit_mb=memory_limit_mb,
    )


def prepare(plan: JudgingPlan) -> PreparedRun:
    """Wrap the program and lay out one run per test. Neither expected outputs nor weights go along (law 1).

    Raises:
        PlanError: there are no tests, their groups make no sense, or a custom checker is missing.
        WrappingError: the problem cannot be wrapped in this language.
    """
    if not plan.tests:
        raise PlanError("The problem has no test cases.")
    if fault := groups_fault(plan.groups):
        raise PlanError(fault)
    if plan.checker.name == CUSTOM and plan.custom_checker is None:
        raise PlanError("The problem's checker is custom, and its tests bring none.")
    program = wrap(
        plan.language,
        plan.files,
        entry_point=plan.entry_point,
        template=plan.template,
        prelude=plan.prelude,
        postlude=plan.postlude,
    )
    if program.is_framed:
        nonces = tuple(new_nonce() for _ in plan.tests)
        inputs = tuple(
            frame_input(test.input, nonce=nonce, encoding=plan.value_encoding)
            for test, nonce in zip(plan.tests, nonces, strict=True)
        )
    else:
        nonces = ()
        inputs = tuple(test.input.encode("utf-8", "surrogatepass") for test in plan.tests)
    return PreparedRun(
        program=program,
        nonces=nonces,
        request=RunRequest(
            toolchain=plan.language.toolchain,
            files=program.files,
            inputs=inputs,
            limits=plan.limits,
            is_exclusive=plan.is_exclusive,
        ),
    )
