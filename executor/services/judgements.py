"""From a claimed judgement to its stored result."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from courses.models import AlgorithmProblem, TestSet
from executor import metrics
from executor.engines.base import SourceFile
from executor.judging.checkers import CUSTOM, CheckerSpec
from executor.judging.custom import CustomChecker
from executor.judging.languages import LANGUAGES, Language
from executor.judging.outcome import JudgingOutcome, TestOutcome
from executor.judging.plan import JudgingPlan, PlannedTest
from executor.judging.scoring import Aggregate, ScoreGroup
from executor.judging.text import storable_text
from executor.judging.verdicts import Verdict
from executor.models import Judgement, Submission, TestResult
from executor.services.announcing import submission_announce
from executor.services.progress import submission_progress_update
from executor.services.sources import main_name_for
from executor.signals import submission_judged

logger = structlog.get_logger("assay.judging")

# What is kept of each test's output, and of the compiler's.
OUTPUT_KEPT_BYTES = 4 * 1024
COMPILE_OUTPUT_KEPT_BYTES = 16 * 1024
NOTHING_JUDGED = "No test was judged."
# What the end of a judging writes on its row.
_FOUND = (
    *("state", "claim_id", "leased_until", "engine", "tier", "verdict", "score", "time_ms", "memory_kib"),
    *("compile_output", "fault", "finished_at"),
)


def judgement_plan(judgement: Judgement) -> JudgingPlan:
    """What this judgement has to run, from its frozen test set and its own limits and checker."""
    submission = judgement.submission
    plan = plan_for(
        submission.problem.algorithm,
        judgement.test_set,
        language=LANGUAGES[submission.language],
        files=tuple(SourceFile(name=file["name"], content=file["content"]) for file in submission.files),
    )
    return replace(
        plan,
        checker=CheckerSpec(name=judgement.checker, options=judgement.checker_options),
        custom_checker=custom_checker_of(judgement.test_set) if judgement.checker == CUSTOM else None,
        is_partial_credit=judgement.is_partial_credit,
        stops_at_first_failure=judgement.stops_at_first_failure,
        time_limit_ms=judgement.time_limit_ms,
        memory_limit_mb=judgement.memory_limit_mb,
        is_exclusive=plan.is_exclusive or submission.purpose == Submission.Purpose.EXAM,
    )


def plan_for(
    algorithm: AlgorithmProblem, test_set: TestSet, *, language: Language, files: tuple[SourceFile, ...]
) -> JudgingPlan:
    """What judging these files on a problem as it is now would run."""
    return JudgingPlan(
        language=language,
        files=files,
        tests=tuple(
            PlannedTest(
                key=case.pk, input=case.input, expected=case.expected_output, weight=case.weight, group=case.group
            )
            for case in test_set.test_cases.all()
        ),
        groups=tuple(_group(group) for group in test_set.groups),
        custom_checker=custom_checker_of(test_set) if algorithm.checker == CUSTOM else None,
        is_partial_credit=algorithm.is_partial_credit,
        stops_at_first_failure=algorithm.stops_at_first_failure,
        is_exclusive=algorithm.isolates_tests,
        checker=CheckerSpec(name=algorithm.checker, options=algorithm.checker_options),
        time_limit_ms=algorithm.time_limit_ms,
        memory_limit_mb=algorithm.memory_limit_mb,
        entry_point=algorithm.entry_point,
        template=algorithm.templates.get(language.key, ""),
        prelude=algorithm.preludes.get(language.key, ""),
        postlude=algorithm.postludes.get(language.key, ""),
        value_encoding=algorithm.value_encoding,
    )


def custom_checker_of(test_set: TestSet) -> CustomChecker | None:
    """The checker a test set brings; None where it brings none, or one in a language that is no longer known."""
    language = LANGUAGES.get(test_set.checker_language)
    if language is None:
        return None
    name = main_name_for(language, test_set.checker_source)
    return CustomChecker(language=language, file=SourceFile(name=name, content=test_set.checker_source))


def _group(stored: Mapping[str, Any]) -> ScoreGroup:
    """A group as the test set stores it."""
    points, threshold = stored["points"], stored["threshold"]
    return ScoreGroup(
        name=stored["name"],
        aggregate=Aggregate(stored["aggregate"]),
        points=None if points is None else Decimal(points),
        threshold=Decimal(1) if threshold is None else Decimal(threshold),
        requires=tuple(stored["requires"]),
    )


@transaction.atomic
def judgement_apply(*, judgement_id: int, claim_id: uuid.UUID, outcome: JudgingOutcome) -> bool:
    """Store what a judging found, once. False, and nothing changed, where the claim is not the row's any more.

    Test results, judgement, submission, progress and whatever `submission_judged` moves change together or not at all.
    """
    judgement = claimed_lock(judgement_id, claim_id=claim_id)
    if judgement is None:
        return False
    TestResult.objects.bulk_create(
        [_result_row(judgement, order, test) for order, test in enumerate(outcome.tests)], batch_size=200
    )
    if outcome.compilation is not None:
        judgement.compile_output = storable_text(
            outcome.compilation.output.encode("utf-8", "surrogatepass"), limit_bytes=COMPILE_OUTPUT_KEPT_BYTES
        )
    judgement.engine = outcome.engine
    judgement.tier = outcome.tier
    judgement.time_ms = outcome.time_ms
    judgement.memory_kib = outcome.memory_kib
    judgement.score = outcome.score
    if outcome.verdict is Verdict.INTERNAL_ERROR:
        broken = next((test for test in outcome.tests if test.verdict is Verdict.INTERNAL_ERROR), None)
        judgement.fault = _message(broken.judge_message if broken else NOTHING_JUDGED)
        # Not why: a checker that broke may have quoted what the program printed. The row has it.
        logger.error(
            "judged_internal_error", alert=True, submission_id=judgement.submission_id, judgement_id=judgement.pk
        )
    _finish(judgement, outcome.verdict)
    return True


@transaction.atomic
def judgement_give_up(*, judgement_id: int, claim_id: uuid.UUID, fault: str, is_quarantined: bool = False) -> bool:
    """End a judgement as `internal_error`, ours to mend: it costs the student nothing and leaves no score.

    Where it killed its workers the submission is `quarantined`: it is judged again only if staff ask for that.
    """
    judgement = claimed_lock(judgement_id, claim_id=claim_id)
    if judgement is None:
        return False
    judgement.fault = fault
    logger.error(
        "submission_quarantined" if is_quarantined else "judgement_given_up",
        alert=True,
        submission_id=judgement.submission_id,
        judgement_id=judgement.pk,
        fault=fault,
    )
    if is_quarantined:
        transaction.on_commit(metrics.QUARANTINES.inc)
    shown = Submission.Status.QUARANTINED if is_quarantined else Submission.Status.INTERNAL_ERROR
    _finish(judgement, Verdict.INTERNAL_ERROR, shown=shown)
    return True


def claimed_lock(judgement_id: int, *, skip_locked: bool = False, **conditions: object) -> Judgement | None:
    """A claimed judgement that meets these conditions, held with its submission, which is locked first (parents first).

    None also where its submission is gone, as a verification is with its problem, and with `skip_locked` where somebody
    else holds one of the two.
    """
    # The program itself is large, and nobody reads it here.
    submissions = Submission.objects.select_for_update(of=("self",), skip_locked=skip_locked).defer("files")
    submission = submissions.filter(judgements=judgement_id).first()
    if submission is None:
        return None
    judgement = (
        Judgement.objects.select_for_update(skip_locked=skip_locked)
        .filter(pk=judgement_id, state=Judgement.State.CLAIMED, **conditions)
        .first()
    )
    if judgement is not None:
        judgement.submission = submission
    return judgement


def _finish(judgement: Judgement, verdict: Verdict, shown: Submission.Status | None = None) -> None:
    """End a judgement with a verdict, as which its submission is shown unless it is `shown` as something else."""
    judgement.state = Judgement.State.DONE
    judgement.verdict = verdict.value
    judgement.claim_id = judgement.leased_until = None
    judgement.finished_at = Now()
    judgement.save(update_fields=_FOUND)
    transaction.on_commit(partial(_count, judgement))
    submission = judgement.submission
    if submission.current_judgement_id != judgement.pk and _is_overtaken(judgement, verdict):
        return
    if verdict is Verdict.INTERNAL_ERROR and _shows_another(submission, judgement):
        # A rejudge that broke takes no verdict away (law 3).
        return
    previous = submission.status
    submission.status = shown or verdict.value
    submission.score = judgement.score
    submission.current_judgement = judgement
    submission.version += 1  # its row is locked
    submission.save(update_fields=["status", "score", "current_judgement", "version", "updated_at"])
    submission_progress_update(submission=submission, judgement=judgement)
    submission_judged.send(
        sender=Submission,
        submission_id=submission.pk,
        judgement_id=judgement.pk,
        previous=previous,
        current=submission.status,
    )
    submission_announce(submission.pk)


def _is_overtaken(judgement: Judgement, verdict: Verdict) -> bool:
    """Whether a later judging was quicker, so that what it found stands; one that broke found nothing."""
    later = judgement.submission.judgements.filter(number__gt=judgement.number, state=Judgement.State.DONE)
    if verdict is not Verdict.INTERNAL_ERROR:
        later = later.exclude(verdict=Verdict.INTERNAL_ERROR)
    return later.exists()


def _shows_another(submission: Submission, judgement: Judgement) -> bool:
    """Whether a submission shows what another of its judgements found."""
    if submission.current_judgement_id == judgement.pk or (shown := submission.current_judgement) is None:
        return False
    return shown.state == Judgement.State.DONE and shown.verdict != Verdict.INTERNAL_ERROR


def _count(judgement: Judgement) -> None:
    logger.info(
        "judgement_applied",
        submission_id=judgement.submission_id,
        judgement_id=judgement.pk,
        verdict=judgement.verdict,
        shown=judgement.submission.status,
    )
    metrics.VERDICTS.labels(verdict=judgement.verdict, lane=judgement.lane).inc()
    if judgement.started_at is not None:
        # By two clocks, the database's and ours: what they differ by is little beside what this is asked for.
        ran_s = (timezone.now() - judgement.started_at).total_seconds()
        metrics.RUN_SECONDS.labels(lane=judgement.lane).observe(max(0.0, ran_s))


def _result_row(judgement: Judgement, order: int, test: TestOutcome) -> TestResult:
    result = test.result
    return TestResult(
        judgement=judgement,
        test_case_id=test.key,
        order=order,
        verdict=test.verdict.value,
        time_ms=result.time_ms if result else None,
        memory_kib=result.memory_kib if result else None,
        exit_code=result.exit_code if result else None,
        signal=result.signal if result else None,
        stdout=storable_text(test.printed, limit_bytes=OUTPUT_KEPT_BYTES),
        stderr=storable_text(result.stderr if result else b"", limit_bytes=OUTPUT_KEPT_BYTES),
        message=_message(test.message),
        judge_message=_message(test.judge_message),
    )


def _message(text: str) -> str:
    return storable_text(text.encode("utf-8", "surrogatepass"), limit_bytes=OUTPUT_KEPT_BYTES)
