"""What messages lead to. Each may be lost, doubled or late: they only say that it is worth looking at the rows."""

import uuid

from celery import shared_task
from structlog.contextvars import bound_contextvars

from executor.queue.celery_worker import sweep_all, this_worker
from executor.queue.publishing import publish_free_run, publish_judgement
from executor.services.queued_runs import queued_run_work_off


@shared_task(name="executor.judge")
def judge(judgement_id: int | None, lane: str) -> None:
    """Judge what is most due in a lane, and go on for a bounded time; where more may wait, another message follows.

    The id is that of the judgement whose queuing sent the message, for the logs; the sweep's messages have none.
    """
    this_worker().hear()
    with bound_contextvars(woken_for=judgement_id):
        if this_worker().judge_some(lane):
            publish_judgement(judgement_id=judgement_id, lane=lane)


@shared_task(name="executor.run")
def run(run_id: str) -> None:
    """Make a free run that somebody waits for; one that has ended, or that another makes, is left alone."""
    this_worker().hear()
    queued_run_work_off(run_id=uuid.UUID(run_id))


@shared_task(name="executor.sweep")
def sweep() -> None:
    """Return what lost workers held, throw away what is over, and send wake-ups for what waits."""
    this_worker().hear()
    for run_id in sweep_all():
        publish_free_run(run_id=run_id)
