"""From a claimed judgement to its stored result."""

import uuid
from dataclasses import replace
from functools import partial

import structlog
from django.db import transaction
from django.db.models.functions import Now

from courses.models import AlgorithmProblem, TestSet
from executor.engines.base import SourceFile
from executor.judging.checkers import CheckerSpec
from executor.judging.languages import LANGUAGES, Language
from executor.judging.outcome import JudgingOutcome, TestOutcome
from executor.judging.plan import JudgingPlan, PlannedTest
from executor.judging.text import storable_text
from executor.judging.verdicts import Verdict
from executor.models import Judgement, Submission, TestResult
from executor.signals import submission_announced, submission_judged

logger = structlog.get_logger("assay.judging")

# What is kept of each test's output, and of the compiler's.
OUTPUT_KEPT_BYTES = 4 * 1024
COMPILE_OUTPUT_KEPT_BYTES = 16 * 1024


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
        time_limit_ms=judgement.time_limit_ms,
        memory_limit_mb=judgement.memory_limit_mb,
    )


def plan_for(
    algorithm: AlgorithmProblem, test_set: TestSet, *, language: Language, files: tuple[SourceFile, ...]
) -> JudgingPlan:
    """What judging these files on a problem as it is now would run."""
    return JudgingPlan(
        language=language,
        files=files,
        tests=tuple(
            PlannedTest(key=case.pk, input=case.input, expected=case.expected_output, weight=case.weight)
            for case in test_set.test_cases.all()
        ),
        checker=CheckerSpec(name=algorithm.checker, options=algorithm.checker_options),
        time_limit_ms=algorithm.time_limit_ms,
        memory_limit_mb=algorithm.memory_limit_mb,
        entry_point=algorithm.entry_point,
        template=algorithm.templates.get(language.key, ""),
        value_encoding=algorithm.value_encoding,
    )


@transaction.atomic
def judgement_apply(*, judgement_id: int, claim_id: uuid.UUID, outcome: JudgingOutcome) -> bool:
    """Store what a judging found, once. False, and nothing changed, where the claim is not the row's any more.

    Test results, judgement, submission and whatever `submission_judged` moves change together or not at all.
    """
    judgement = _lock_claimed(judgement_id, claim_id)
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
    _finish(judgement, outcome.verdict)
    return True


@transaction.atomic
def judgement_give_up(*, judgement_id: int, claim_id: uuid.UUID, fault: str) -> bool:
    """End a judgement as `internal_error`, ours to mend: it costs the student nothing and leaves no score."""
    judgement = _lock_claimed(judgement_id, claim_id)
    if judgement is None:
        return False
    judgement.fault = fault
    logger.error("judgement_given_up", submission_id=judgement.submission_id, judgement_id=judgement.pk, fault=fault)
    _finish(judgement, Verdict.INTERNAL_ERROR)
    return True


def _lock_claimed(judgement_id: int, claim_id: uuid.UUID) -> Judgement | None:
    """The judgement, with its submission locked before it (parents first), if this claim still holds it."""
    Submission.objects.select_for_update().get(judgements=judgement_id)
    return (
        Judgement.objects.select_for_update(of=("self",))
        .select_related("submission")
        .filter(pk=judgement_id, claim_id=claim_id, state=Judgement.State.CLAIMED)
        .first()
    )


def _finish(judgement: Judgement, verdict: Verdict) -> None:
    judgement.state = Judgement.State.DONE
    judgement.verdict = verdict.value
    judgement.claim_id = judgement.leased_until = None
    judgement.save()
    Judgement.objects.filter(pk=judgement.pk).update(finished_at=Now())
    submission = judgement.submission
    previous = submission.status
    submission.status = verdict.value
    submission.score = judgement.score
    submission.current_judgement = judgement
    submission.save(update_fields=["status", "score", "current_judgement", "updated_at"])
    submission_judged.send(
        sender=Submission,
        submission_id=submission.pk,
        judgement_id=judgement.pk,
        previous=previous,
        current=submission.status,
    )
    transaction.on_commit(partial(submission_announced.send_robust, sender=Submission, submission_id=submission.pk))


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
        message=storable_text(test.message.encode("utf-8", "surrogatepass"), limit_bytes=OUTPUT_KEPT_BYTES),
    )
