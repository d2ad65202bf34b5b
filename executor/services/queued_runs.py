"""What a worker elsewhere runs while somebody waits for it here: free runs and samples, where a broker is set.

The row is the way there and back, and is gone when the answer is; the message that tells of it is only a wake-up.
"""

import time
import uuid
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from executor.engines.base import (
    EngineBusy,
    EngineProtocolError,
    EngineRejected,
    EngineUnavailable,
    Limits,
    SourceFile,
)
from executor.judging.languages import LANGUAGES, Language
from executor.judging.outcome import JudgingOutcome
from executor.judging.plan import JudgingPlan, PlanError
from executor.judging.values import UnreadableValue
from executor.judging.wrapping import WrappingError
from executor.models import QueuedRun
from executor.services.code_executor import CodeExecutorService, FreeRun
from executor.services.run_codec import from_text, to_text
from executor.signals import free_run_queued

logger = structlog.get_logger("assay.queue")

# What may pass beyond a run's own wall clock: waiting for a worker, and compiling.
MARGIN_S = 20.0
POLL_FIRST_S, POLL_MAX_S = 0.02, 0.25
# A request with an idempotency key claims the key for two minutes.
WAIT_MAX_S = 100.0
# What is older than any wait: whoever asked was killed.
KEPT_S = 300
CLEANED_AT_A_TIME = 1000
OVERLOOKED_MAX = 20
NOBODY_CAME = "No worker took the run in time."
# What an executor raises, by the name it has on its way here.
FAULTS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        EngineBusy,
        EngineUnavailable,
        EngineRejected,
        EngineProtocolError,
        PlanError,
        WrappingError,
        UnreadableValue,
    )
}
T = TypeVar("T")


class Executor(Protocol):
    """The two things that a `CodeExecutorService` does, wherever it does them."""

    def run_all_test_cases(self, plan: JudgingPlan) -> JudgingOutcome: ...

    def run_freely(
        self, *, language: Language, files: tuple[SourceFile, ...], stdin: str, limits: Limits
    ) -> FreeRun: ...


def executor_for_waiting() -> Executor:
    """Who runs what somebody waits for: this process, or where a broker is set a worker of the fleet."""
    return QueuedExecutor() if settings.CELERY_BROKER_URL else CodeExecutorService()


class QueuedExecutor:
    """A `CodeExecutorService` elsewhere, reached by a row. It raises what that one raises, and `EngineUnavailable`
    where none answers in time; either way the row is gone. Never called inside a transaction: nobody would see the row.
    """

    def run_all_test_cases(self, plan: JudgingPlan) -> JudgingOutcome:
        wall_s = len(plan.tests) * plan.limits.wall_limit_ms / 1000
        return _asked(JudgingOutcome, {"act": "judge", "plan": to_text(plan)}, wait_s=wall_s + MARGIN_S)

    def run_freely(self, *, language: Language, files: tuple[SourceFile, ...], stdin: str, limits: Limits) -> FreeRun:
        request = {
            "act": "run",
            "language": language.key,
            "files": [to_text(file) for file in files],
            "stdin": to_text(stdin),
            "limits": to_text(limits),
        }
        return _asked(FreeRun, request, wait_s=limits.wall_limit_ms / 1000 + MARGIN_S)


def _asked(kind: type[T], request: dict[str, Any], *, wait_s: float) -> T:
    deadline = time.monotonic() + min(wait_s, WAIT_MAX_S)
    with transaction.atomic(durable=True):
        row = QueuedRun.objects.create(request=request)
    try:
        told = free_run_queued.send_robust(sender=QueuedRun, run_id=str(row.pk))
        if any(answer is False for _, answer in told):
            # The broker is known to be away: better said at once than after a wait in vain.
            raise EngineUnavailable("The message broker is away.")
        result = _result_of(row.pk, deadline)
    finally:
        QueuedRun.objects.filter(pk=row.pk).delete()
    if fault := result.get("fault"):
        raise FAULTS.get(fault, EngineProtocolError)(from_text(str, result["message"]))
    return from_text(kind, result["body"])


def _result_of(run_id: uuid.UUID, deadline: float) -> dict[str, Any]:
    pause_s = POLL_FIRST_S
    while True:
        result = QueuedRun.objects.filter(pk=run_id).values_list("result", flat=True).first()
        if result is not None:
            return dict(result)
        if time.monotonic() >= deadline:
            raise EngineUnavailable(NOBODY_CAME)
        # A connection held while asleep would be one less for those who work.
        connection.close_if_unusable_or_obsolete()
        time.sleep(pause_s)
        pause_s = min(POLL_MAX_S, 1.3 * pause_s)


def queued_run_work_off(*, run_id: uuid.UUID, executor: Executor | None = None) -> bool:
    """Run what the row asks for and leave the result there. False, and nothing run, where another has it or it is gone.

    Faults become the result, for whoever waits to raise.
    """
    mine = QueuedRun.objects.filter(pk=run_id, claim_id=(claim_id := uuid.uuid4()))
    pending = QueuedRun.objects.filter(pk=run_id, state=QueuedRun.State.PENDING)
    if not pending.update(state=QueuedRun.State.CLAIMED, claim_id=claim_id):
        return False
    row = mine.first()
    if row is None:
        return False
    try:
        result = {"body": to_text(_done(row.request, executor or CodeExecutorService()))}
    except Exception as error:
        if type(error).__name__ not in FAULTS:
            logger.exception("free_run_failed", run_id=str(run_id))
        result = {"fault": type(error).__name__, "message": to_text(str(error))}
    return bool(mine.update(state=QueuedRun.State.DONE, result=result))


def _done(request: dict[str, Any], executor: Executor) -> JudgingOutcome | FreeRun:
    if request["act"] == "judge":
        return executor.run_all_test_cases(from_text(JudgingPlan, request["plan"]))
    return executor.run_freely(
        language=LANGUAGES[request["language"]],
        files=tuple(from_text(SourceFile, file) for file in request["files"]),
        stdin=from_text(str, request["stdin"]),
        limits=from_text(Limits, request["limits"]),
    )


def queued_runs_overlooked() -> list[uuid.UUID]:
    """Free runs that wait for longer than a message takes, so that it may have gone astray; the oldest of them."""
    old = QueuedRun.objects.filter(
        state=QueuedRun.State.PENDING, created_at__lt=Now() - timedelta(seconds=settings.EXECUTOR_SWEEP_S)
    )
    return list(old.order_by("created_at").values_list("pk", flat=True)[:OVERLOOKED_MAX])


def queued_runs_clean() -> int:
    """Delete what nobody waits for any more, being older than any wait; how many there were."""
    old = QueuedRun.objects.filter(created_at__lt=Now() - timedelta(seconds=KEPT_S))
    ids = list(old.values_list("pk", flat=True)[:CLEANED_AT_A_TIME])
    return QueuedRun.objects.filter(pk__in=ids).delete()[0]
