"""Judging again, on today's tests and rules, what was judged before.

A rejudge is a judgement of its own, in the lane that live work goes before. What is shown stays until it is applied.
Whoever has a judgement that waits or runs gets no second one, so that asking twice changes nothing. It is allowed in
archived courses too: mistakes in tests are found after a course has ended, and its marks are the ones that last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet

from accounts.audit import audit_record
from accounts.models import User
from core.errors import NotFound
from courses.models import Problem, TestSet
from courses.selectors import current_test_set
from courses.services import testset_freeze
from executor.errors import VerificationNotRejudged
from executor.models import Judgement, Submission
from executor.selectors.queue import UNENDED
from executor.services.submissions import (
    ProblemNotReady,
    judgement_announce,
    judgement_create,
    judgement_log_queued,
    judgement_row,
)

STEP_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejudged:
    """How many submissions are judged again, and how many are not: those still waiting for a judgement anyway, and
    those that verify reference solutions."""

    queued: int
    skipped: int


@transaction.atomic
def submission_rejudge(*, actor: User, submission_id: int) -> bool:
    """Have a submission judged again. False, and nothing changed, where a judgement of it waits or runs already.

    Raises:
        NotFound: there is no such submission.
        VerificationNotRejudged: it verifies a reference solution, which has a way of its own.
        ProblemNotReady: its problem has no tests any more.
    """
    submission = _locked(Submission.objects.filter(pk=submission_id)).first()
    if submission is None:
        raise NotFound
    if submission.purpose == Submission.Purpose.VERIFY:
        raise VerificationNotRejudged("Have the reference solution verified instead.")
    test_set = _test_set_of(submission.problem)
    if submission.judgements.filter(state__in=UNENDED).exists():
        return False
    judgement = judgement_create(submission=submission, test_set=test_set, lane=Judgement.Lane.REJUDGE)
    audit_record(
        actor=actor,
        action="submission.rejudge",
        target=submission,
        organization_id=submission.problem.course.organization_id,
        changes={"judgement": [judgement.number - 1, judgement.number]},
    )
    return True


def problem_rejudge(
    *, actor: User, problem_id: int, statuses: Sequence[str] = (), languages: Sequence[str] = ()
) -> Rejudged:
    """Have a problem's submissions judged again, oldest first: all of them, or those of these statuses and languages.

    Done in steps that are each committed, so that nobody waits long. Where it is cut short, asking again goes on with
    what is not queued yet.

    Raises:
        NotFound: there is no such problem.
        ProblemNotReady: it is not answered with programs, or has no tests.
    """
    with transaction.atomic():
        problem = Problem.objects.select_related("algorithm", "course").filter(pk=problem_id).first()
        if problem is None:
            raise NotFound
        test_set = _test_set_of(problem)
        testset_freeze(test_set_id=test_set.pk)
        audit_record(
            actor=actor,
            action="problem.rejudge",
            target=problem,
            organization_id=problem.course.organization_id,
            changes={
                "test_set_version": [None, test_set.version],
                "statuses": [None, sorted(statuses)],
                "languages": [None, sorted(languages)],
            },
        )
    chosen = Submission.objects.filter(problem=problem)
    if statuses:
        chosen = chosen.filter(status__in=statuses)
    if languages:
        chosen = chosen.filter(language__in=languages)
    # What is handed in from now on is judged on these tests anyway.
    last = chosen.aggregate(last=Max("pk"))["last"] or 0
    queued = skipped = after = 0
    while after < last:
        step = _step(problem, test_set, chosen.filter(pk__gt=after, pk__lte=last))
        if step is None:
            break
        after = step.after
        queued, skipped = queued + step.queued, skipped + step.skipped
    return Rejudged(queued=queued, skipped=skipped)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    after: int
    queued: int
    skipped: int


@transaction.atomic
def _step(problem: Problem, test_set: TestSet, chosen: QuerySet[Submission]) -> _Step | None:
    """Queue the first `STEP_ROWS` of these; None where there are none left."""
    submissions = list(_locked(chosen).defer("files").order_by("pk")[:STEP_ROWS])
    if not submissions:
        return None
    # In a statement of its own, after the lock: whoever rejudged them meanwhile is seen.
    judged = Judgement.objects.filter(submission__in=submissions).order_by().values("submission")
    so_far = {
        row["submission"]: row
        for row in judged.annotate(number=Max("number"), unended=Count("pk", filter=Q(state__in=UNENDED)))
    }
    rows: list[Judgement] = []
    for submission in submissions:
        before = so_far.get(submission.pk, {"number": 0, "unended": 0})
        if submission.purpose == Submission.Purpose.VERIFY or before["unended"]:
            continue
        submission.problem = problem
        row = judgement_row(submission, number=before["number"] + 1, lane=Judgement.Lane.REJUDGE, test_set=test_set)
        rows.append(row)
    Judgement.objects.bulk_create(rows)
    # One call is enough: a worker that has come goes on until nothing waits.
    for row in rows[:1]:
        judgement_announce(row)
    for row in rows[1:]:
        transaction.on_commit(partial(judgement_log_queued, row))
    return _Step(after=submissions[-1].pk, queued=len(rows), skipped=len(submissions) - len(rows))


def _locked(submissions: QuerySet[Submission]) -> QuerySet[Submission]:
    """The same, held: no other judging of them is asked for meanwhile, and none is applied."""
    return submissions.select_for_update(of=("self",)).select_related("problem__algorithm", "problem__course")


def _test_set_of(problem: Problem) -> TestSet:
    if problem.type != Problem.Type.ALGORITHM or not hasattr(problem, "algorithm"):
        raise ProblemNotReady("This problem is not answered with programs.")
    test_set = current_test_set(problem)
    if test_set is None:
        raise ProblemNotReady("This problem has no tests yet.")
    return test_set
