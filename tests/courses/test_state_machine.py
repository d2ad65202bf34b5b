"""Anything that can happen, in any order, against a plain model; `script/soak` does it a thousand times."""

import os

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.courses.machine.machine import CourseMachine

IS_SOAK = "SOAK_RUNS" in os.environ
RUNS = int(os.environ.get("SOAK_RUNS", "12"))
STEPS = int(os.environ.get("SOAK_STEPS", "30"))
# A soak uses two processors.
SHARDS = 2 if IS_SOAK else 1


@pytest.fixture(autouse=True)
def no_quotas(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a student may hand in is not what is tried here."""
    for name in ("PENDING_PER_STUDENT", "SUBMISSIONS_PER_MINUTE", "SUBMISSIONS_PER_PROBLEM_HOUR"):
        monkeypatch.setattr(f"django.conf.settings.EXECUTOR_{name}", 100_000)


@pytest.mark.django_db(transaction=True)
class TestCourseMachine:
    @pytest.mark.parametrize("shard", range(SHARDS))
    def test_every_student_always_sees_what_is(self, shard: int) -> None:
        run_state_machine_as_test(
            CourseMachine,
            settings=settings(
                max_examples=-(-RUNS // SHARDS),
                stateful_step_count=STEPS,
                derandomize=not IS_SOAK,
                print_blob=True,
                deadline=None,
            ),
        )

    @pytest.mark.parametrize(
        "protection",
        [
            pytest.param("courses.signals.enrollment_cache_replace", id="the student's token stays"),
            pytest.param("courses.signals.course_cache_replace", id="the course's token stays"),
            pytest.param("courses.services.progress._fold_anew", id="progress is not folded anew"),
        ],
    )
    def test_without_a_protection_it_finds_that_out(self, monkeypatch: pytest.MonkeyPatch, protection: str) -> None:
        monkeypatch.setattr(protection, lambda *args, **kwargs: {})
        with pytest.raises(AssertionError):
            run_state_machine_as_test(
                CourseMachine,
                settings=settings(
                    max_examples=60,
                    stateful_step_count=STEPS,
                    phases=[Phase.generate],
                    report_multiple_bugs=False,
                    print_blob=False,
                ),
            )
