"""`python -m tests.reliability.rows`: everything the checker wants to know of the database, as JSON on stdout."""

import json
import os
import sys
from contextlib import suppress
from io import StringIO
from typing import Any

import django


def read_rows() -> dict[str, Any]:
    """The rows as plain values; `drifts` are the lines of `check_consistency`."""
    from courses.models import ProblemProgress
    from executor.models import Judgement, Submission, TestResult
    from tests.reliability.programs import key_of

    submissions = [
        {
            "id": row.pk,
            "student": row.user_id,
            "key": key_of(row.code),
            "status": row.status,
            "score": None if row.score is None else str(row.score),
            "judgement": row.current_judgement_id,
        }
        for row in Submission.objects.order_by("pk")
    ]
    judgements = [
        {
            **row,
            "finished_at": row["finished_at"] and row["finished_at"].timestamp(),
        }
        for row in Judgement.objects.order_by("pk").values(
            "id", "submission_id", "number", "state", "verdict", "tries", "losses", "finished_at"
        )
    ]
    return {
        "submissions": submissions,
        "judgements": judgements,
        "results": list(TestResult.objects.order_by("pk").values("judgement_id", "test_case_id")),
        "progress": [
            {"student": student, "attempts": attempts}
            for student, attempts in ProblemProgress.objects.values_list("enrollment__user_id", "attempts")
        ],
        "drifts": _drifts(),
    }


def _drifts() -> list[str]:
    from django.core.management import call_command

    told = StringIO()
    # Its exit status says the same as its lines.
    with suppress(SystemExit):
        call_command("check_consistency", stdout=told)
    *lines, summary = told.getvalue().splitlines()
    assert json.loads(summary)["drifts"] == len(lines)
    return lines


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.reliability.settings")
    django.setup()
    sys.stdout.write(json.dumps(read_rows()))
