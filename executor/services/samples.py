"""Trying a program on a problem's sample tests: the real judging, of the public tests alone, with nothing kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db.models import Prefetch, prefetch_related_objects

from accounts.models import User
from courses.models import TestCase
from courses.selectors import current_test_set
from executor.engines.base import SourceFile
from executor.judging.outcome import JudgingOutcome, TestOutcome
from executor.judging.plan import PlanError
from executor.judging.values import UnreadableValue
from executor.judging.wrapping import WrappingError
from executor.services.judgements import plan_for
from executor.services.lane import lane_place
from executor.services.queued_runs import Executor, executor_for_waiting
from executor.services.sources import language_of, source_files
from executor.services.submissions import ProblemNotReady, open_problem

NOT_JUDGED = "This problem cannot be judged as it is; its author has to act."


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleOutcome:
    """One sample test and what came of it."""

    sample: TestCase
    outcome: TestOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRun:
    """What came of a program on all samples, in judging order. There is no score: samples alone decide none."""

    judged: JudgingOutcome
    samples: tuple[SampleOutcome, ...]


def samples_run(
    *,
    user: User,
    problem_id: int,
    language: str,
    code: str | None = None,
    files: Sequence[SourceFile] = (),
    service: Executor | None = None,
) -> SampleRun:
    """Judge a program on the samples of the problem's current tests, with its checker and limits; no attempt is used.

    Groups and early stops are left aside: every sample is run. It takes a place and a count of the free runs' lane.

    Raises:
        NotFound, ProblemNotReady: as handing in does; also where there are no samples, or they cannot be judged.
        InvalidInput: the language or a file is not acceptable.
        RunCapacityFull, RunQuotaUsed, ServiceUnavailable: as for free runs.
    """
    problem = open_problem(user=user, problem_id=problem_id)
    chosen = language_of(language, allowed=problem.algorithm.languages)
    program = source_files(chosen, code if code is not None else files)
    test_set = current_test_set(problem)
    if test_set is not None:
        # All that is known of the test set from here on: no hidden test leaves the database.
        prefetch_related_objects([test_set], Prefetch("test_cases", TestCase.objects.filter(is_sample=True)))
    samples = {case.pk: case for case in test_set.test_cases.all()} if test_set else {}
    if test_set is None or not samples:
        raise ProblemNotReady("This problem has no sample tests.")
    plan = plan_for(problem.algorithm, test_set, language=chosen, files=program)
    plan = replace(plan, groups=(), stops_at_first_failure=False)
    with lane_place(user, wall_ms=len(samples) * plan.limits.wall_limit_ms):
        try:
            judged = (service or executor_for_waiting()).run_all_test_cases(plan)
        except (PlanError, WrappingError, UnreadableValue) as error:
            raise ProblemNotReady(NOT_JUDGED) from error
    return SampleRun(
        judged=judged,
        samples=tuple(SampleOutcome(sample=samples[outcome.key], outcome=outcome) for outcome in judged.tests),
    )
