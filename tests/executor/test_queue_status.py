"""What the queue tells those who wait in it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from accounts.models import User
from courses.models import Problem
from executor.models import Judgement, QueueSwitch, Worker
from executor.queue.claims import claim_next
from executor.selectors.queue import estimated_wait_seconds, own_entries, queue_overview, queue_overview_lately
from tests.courses.factories import EnrollmentFactory
from tests.executor.databases import judge_next, submit
from tests.executor.factories import JudgementFactory, SubmissionFactory

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/submissions/queue-status/"
ApiAs = Callable[[User], APIClient]


def worker(threads: int) -> None:
    now = timezone.now()
    Worker.objects.create(
        kind="embedded", host="here", process_id=1, process_started="1", threads=threads, started_at=now, seen_at=now
    )


def judged(*, number: int, ago_s: float, took_s: float) -> None:
    """So many judgements that ended so long ago."""
    for _ in range(number):
        judgement = SubmissionFactory().current_judgement
        finished_at = timezone.now() - timedelta(seconds=ago_s)
        Judgement.objects.filter(pk=judgement.pk).update(
            state="done",
            verdict="accepted",
            finished_at=finished_at,
            started_at=finished_at - timedelta(seconds=took_s),
        )


class TestAnswer:
    def test_counts_capacity_and_one_s_own(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        running = submit(student, problem)
        claim_next()
        other = EnrollmentFactory(course=problem.course).user
        submit(other, problem)
        waiting = submit(student, problem)
        worker(2)
        assert api_as(student).get(ADDRESS).json() == {
            "status": "available",
            "pending": 2,
            "running": 1,
            "capacity": 5000,
            "threads": 2,
            "judged_per_minute": 0,
            "paused": False,
            "submissions": [
                {"id": running.pk, "problem": problem.pk, "position": None, "estimated_wait_seconds": None},
                {"id": waiting.pk, "problem": problem.pk, "position": 2, "estimated_wait_seconds": 1},
            ],
        }

    @pytest.mark.parametrize(("waiting", "status"), [(1, "available"), (2, "busy"), (4, "full")])
    def test_status(self, api_as: ApiAs, student: User, settings: Settings, waiting: int, status: str) -> None:
        settings.EXECUTOR_QUEUE_CAPACITY = 4
        for _ in range(waiting):
            SubmissionFactory()
        assert api_as(student).get(ADDRESS).json()["status"] == status

    def test_a_pause_is_told(self, api_as: ApiAs, student: User) -> None:
        QueueSwitch.objects.create(pk=QueueSwitch.ONLY, is_paused=True, changed_at=timezone.now())
        assert api_as(student).get(ADDRESS).json()["paused"] is True

    def test_of_others_only_numbers_are_told(self, api_as: ApiAs, student: User, problem: Problem) -> None:
        submit(EnrollmentFactory(course=problem.course).user, problem)
        assert api_as(student).get(ADDRESS).json()["submissions"] == []

    def test_rejudges_are_nobody_s_wait(self, student: User, problem: Problem) -> None:
        submission = submit(student, problem)
        JudgementFactory(submission=submission, number=2, lane="rejudge", student_id=student.pk)
        overview = queue_overview()
        assert (overview.pending_live, overview.pending_rejudge) == (1, 1)
        assert [entry.position for entry in own_entries(student.pk, overview)] == [1]

    def test_fifty_of_one_s_own_at_most(self, student: User, problem: Problem) -> None:
        for _ in range(52):
            JudgementFactory(
                submission=SubmissionFactory(problem=problem, user=student), number=2, student_id=student.pk
            )
        claim_next()
        assert len(own_entries(student.pk, queue_overview())) == 50

    def test_the_position_is_the_place_in_the_order_of_the_queue(
        self, api_as: ApiAs, student: User, problem: Problem
    ) -> None:
        flooder = EnrollmentFactory(course=problem.course).user
        for _ in range(5):
            submit(flooder, problem)
        mine = submit(student, problem)
        entry = api_as(student).get(ADDRESS).json()["submissions"][0]
        assert (entry["id"], entry["position"]) == (mine.pk, 2)
        assert api_as(student).get(f"/api/v1/submissions/{mine.pk}/").json()["queue_position"] == 2

    def test_it_takes_as_many_queries_however_much_waits(
        self,
        api_as: ApiAs,
        student: User,
        problem: Problem,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in (1, 15):
            for _ in range(number):
                submit(student, problem)
            with django_assert_num_queries(8):
                api_as(student).get(ADDRESS)


@pytest.mark.django_db(transaction=True)
class TestForAMoment:
    def test_totals_are_kept_and_one_s_own_are_not(
        self, api_as: ApiAs, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # A busy machine must not make the moment pass.
        monkeypatch.setattr("executor.selectors.queue.OVERVIEW_KEPT_S", 600)
        before = api_as(student).get(ADDRESS).json()
        submission = submit(student, problem)
        after = api_as(student).get(ADDRESS).json()
        assert (before["pending"], after["pending"]) == (0, 0)
        assert [entry["id"] for entry in after["submissions"]] == [submission.pk]
        assert queue_overview().pending_live == 1

    def test_what_stands_in_the_cache_may_be_anything(self) -> None:
        rubbish: object
        for rubbish in (1, None, {"status": "full"}, []):
            cache.set("executor.queue_overview", rubbish)
            assert queue_overview_lately().status == "available"


class TestEstimate:
    def test_by_what_was_judged_in_the_last_minute(self) -> None:
        judged(number=30, ago_s=30, took_s=10)
        assert [estimated_wait_seconds(position) for position in (1, 15)] == [2, 30]

    def test_after_a_quiet_minute_by_what_the_workers_could_do(self) -> None:
        judged(number=2, ago_s=120, took_s=4)
        worker(2)
        assert [estimated_wait_seconds(position) for position in (1, 15)] == [2, 30]

    def test_one_that_was_handed_in_in_a_quiet_minute_does_not_mean_a_minute_each(self) -> None:
        judged(number=1, ago_s=30, took_s=0.5)
        worker(2)
        assert estimated_wait_seconds(8) == 2

    def test_with_nothing_known_nothing_is_divided_by_zero(self) -> None:
        overview = queue_overview()
        assert (overview.threads, overview.judged_per_minute, overview.mean_judging_s) == (0, 0, None)
        assert (overview.oldest_live_s, overview.oldest_rejudge_s) == (None, None)
        assert estimated_wait_seconds(3) == 3

    def test_ages(self, student: User, problem: Problem) -> None:
        submission = submit(student, problem)
        Judgement.objects.filter(submission=submission).update(created_at=timezone.now() - timedelta(seconds=90))
        oldest_s = queue_overview().oldest_live_s
        assert oldest_s is not None
        assert 90 <= oldest_s < 3600

    def test_judging_counts(self, student: User, problem: Problem) -> None:
        submit(student, problem)
        judge_next()
        overview = queue_overview()
        assert (overview.judged_per_minute, overview.pending_live, overview.running_live) == (1, 0, 0)
        assert overview.mean_judging_s is not None
