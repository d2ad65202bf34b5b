"""Handing in and judging as the database sees it: the steps, everything they write, and a database that refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, models
from django.utils import timezone

from accounts.models import User
from courses.models import Problem, TestSet
from executor.models import Judgement, Submission, TestResult
from executor.queue.claims import Claim, claim_next
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from executor.services.judgements import judgement_apply, judgement_plan
from executor.services.submissions import submission_create
from tests.executor.fakes import ScriptedEngine

DOUBLE = "print(int(input()) * 2)\n"


def submit(user: User, problem: Problem, **changes: Any) -> Submission:
    return submission_create(
        user=user,
        problem_id=problem.pk,
        **{"language": "python", "code": DOUBLE, "received_at": timezone.now(), **changes},
    )


def claimed() -> Claim:
    claim = claim_next()
    assert claim is not None
    return claim


def judge_next(engine: ScriptedEngine | None = None) -> None:
    judge_claimed(claimed(), CodeExecutorService(engine or ScriptedEngine()))


def apply(claim: Claim, engine: ScriptedEngine | None = None) -> bool:
    """Judge what was claimed and store the result, with no safety net around."""
    judgement = Judgement.objects.select_related("submission__problem__algorithm").get(pk=claim.judgement_id)
    outcome = CodeExecutorService(engine or ScriptedEngine()).run_all_test_cases(judgement_plan(judgement))
    return judgement_apply(judgement_id=claim.judgement_id, claim_id=claim.claim_id, outcome=outcome)


@contextmanager
def refusing(table: str, action: str) -> Iterator[None]:
    """The database itself refuses to insert into or update a table, as it does when a disk is full."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE FUNCTION refuse() RETURNS trigger AS "
                "$$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$ LANGUAGE plpgsql"
            )
            cursor.execute(f"CREATE TRIGGER refusal BEFORE {action} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()")
        else:
            cursor.execute(
                f"CREATE TRIGGER refusal BEFORE {action} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'no space left on device'); END"
            )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER refusal ON {table}")
                cursor.execute("DROP FUNCTION refuse()")
            else:
                cursor.execute("DROP TRIGGER refusal")


def rows() -> dict[str, list[dict[str, Any]]]:
    """Everything that handing in and judging write."""
    tables: tuple[type[models.Model], ...] = (Submission, Judgement, TestResult, TestSet)
    return {table.__name__: list(table._default_manager.order_by("pk").values()) for table in tables}
