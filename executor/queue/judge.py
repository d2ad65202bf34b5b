"""Working off one claim, from the database row to the applied result."""

import structlog
from django.db import InterfaceError, OperationalError, connection

from executor import metrics
from executor.engines.base import EngineBusy, EngineError, EngineUnavailable
from executor.judging.plan import PlanError
from executor.judging.values import UnreadableValue
from executor.judging.wrapping import WrappingError
from executor.models import Judgement
from executor.queue.claims import Claim, claim_return
from executor.services.code_executor import CodeExecutorService
from executor.services.judgements import judgement_apply, judgement_give_up, judgement_plan
from executor.services.live import progress_teller

logger = structlog.get_logger("assay.judging")


def judge_claimed(claim: Claim, service: CodeExecutorService) -> None:
    """Judge what was claimed and apply the result. Every fault ends in a return to the queue or an `internal_error`.

    No engine call runs inside a transaction. A claim lost meanwhile makes the result vanish, silently.
    """
    with structlog.contextvars.bound_contextvars(submission_id=claim.submission_id, judgement_id=claim.judgement_id):
        try:
            _judge(claim, service)
        except (PlanError, WrappingError, UnreadableValue) as error:
            # Trying again would find the same: the author of the problem has to act.
            judgement_give_up(judgement_id=claim.judgement_id, claim_id=claim.claim_id, fault=str(error))
        except EngineUnavailable as error:
            metrics.ENGINE_ERRORS.labels(kind=type(error).__name__).inc()
            # An engine that is well again right after failed over this very submission: that is charged.
            is_charged = not isinstance(error, EngineBusy) and service.engine.health().is_ready
            claim_return(claim, fault=str(error), is_charged=is_charged, retry_after_s=error.retry_after_s)
        except EngineError as error:
            metrics.ENGINE_ERRORS.labels(kind=type(error).__name__).inc()
            logger.error("engine_fault", fault=f"{type(error).__name__}: {error}")
            claim_return(claim, fault=f"{type(error).__name__}: {error}", is_charged=True)
        except (OperationalError, InterfaceError) as error:
            # The database is away, or somebody was in the way: no fault of the program's, however often.
            logger.warning("judging_interrupted", exc_info=True)
            if not connection.in_atomic_block:
                # The claim is given back over a connection that works; where there is none, its lease runs out.
                connection.close_if_unusable_or_obsolete()
            claim_return(claim, fault=f"{type(error).__name__}: {error}", is_charged=False)
        except Exception as error:
            # A bug of ours must neither kill the worker nor leave the row to be tried for ever.
            logger.exception("judging_failed")
            claim_return(claim, fault=f"{type(error).__name__}: {error}", is_charged=True)


def _judge(claim: Claim, service: CodeExecutorService) -> None:
    judgement = (
        Judgement.objects.select_related("submission__problem__algorithm", "test_set")
        .prefetch_related("test_set__test_cases")
        .filter(pk=claim.judgement_id)
        .first()
    )
    if judgement is None:
        # A verification is deleted with its problem.
        logger.info("claim_lost")
        return
    tell = progress_teller(judgement, claim.claim_id)
    outcome = service.run_all_test_cases(judgement_plan(judgement), on_test=tell)
    logger.info("judged", verdict=outcome.verdict.value, time_ms=outcome.time_ms)
    if not judgement_apply(judgement_id=claim.judgement_id, claim_id=claim.claim_id, outcome=outcome):
        logger.info("claim_lost")
