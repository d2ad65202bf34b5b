"""`/admin/queue/`: who sees which rows, who turns the switch, and what it costs."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import AuditEvent, User
from courses.models import Enrollment, Problem
from executor.models import Judgement, Submission, Worker
from executor.queue.switch import queue_pause, queue_state
from executor.selectors import queue_rows
from tests.accounts.factories import UserFactory
from tests.authorization.world import ROLES, World, make_world
from tests.courses.admin_world import client_of
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.executor.factories import SubmissionFactory

PAGE = "/admin/queue/"
STAFF = ("assistant", "instructor", "admin", "owner")
NASTY = "<script>alert(1)</script>"

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return UserFactory(is_superuser=True)


@pytest.fixture
def instructor(problem: Problem) -> User:
    return EnrollmentFactory(course=problem.course, role=Enrollment.Role.INSTRUCTOR).user


def waiting(problem: Problem, **changes: Any) -> Submission:
    submission = SubmissionFactory(problem=problem)
    submission.judgements.update(course_id=problem.course_id, student_id=submission.user_id, **changes)
    return submission


def running(problem: Problem, worker: Worker) -> Submission:
    submission = waiting(problem, state="claimed", claim_id=uuid4(), leased_until=timezone.now())
    submission.judgements.update(worker_id=worker.pk, started_at=timezone.now())
    Submission.objects.filter(pk=submission.pk).update(status="judging")
    return submission


def broken(problem: Problem, *, status: str = "quarantined", fault: str = "It broke.", days: float = 1) -> Submission:
    submission = waiting(problem, state="done", verdict="internal_error", fault=fault)
    submission.judgements.update(finished_at=timezone.now() - timedelta(days=days))
    Submission.objects.filter(pk=submission.pk).update(status=status)
    return submission


def worker(host: str = "judge-1 boot pid") -> Worker:
    now = timezone.now()
    return Worker.objects.create(
        kind="command", host=host, process_id=4711, process_started="1", threads=2, started_at=now, seen_at=now
    )


def page(user: User, query: str = "") -> Any:
    response = client_of(user).get(PAGE + query)
    assert response.status_code == 200
    return response


def shown(response: Any, table: str) -> list[int]:
    return [row["submission_id"] for row in response.context[table]]


class TestWhoSeesWhat:
    def test_every_role(self, settings: Settings) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        world: World = make_world("published")
        ours = waiting(world.problem)
        theirs = waiting(AlgorithmProblemFactory().problem)
        found = {}
        for role in ROLES:
            user = AnonymousUser() if role == "anonymous" else world.users[role]
            response = client_of(user).get(PAGE)
            found[role] = (
                "login" if response.status_code == 302 else set(shown(response, "waiting")) & {ours.pk, theirs.pk}
            )
        staff = {role: {ours.pk} for role in STAFF}
        # Staff of a course elsewhere enter, and see nothing of this one.
        assert found == {**dict.fromkeys(ROLES, "login"), **staff, "foreign": set()}
        everything = page(UserFactory(is_superuser=True))
        assert set(shown(everything, "waiting")) >= {ours.pk, theirs.pk}

    def test_all_three_tables_are_scoped(self, problem: Problem, instructor: User, operator: User) -> None:
        made, other = worker(), AlgorithmProblemFactory().problem
        own = [waiting(problem).pk, running(problem, made).pk, broken(problem).pk]
        foreign = [waiting(other).pk, running(other, made).pk, broken(other).pk]
        tables = ("waiting", "running", "broken")
        seen = page(instructor)
        assert [shown(seen, table) for table in tables] == [[pk] for pk in own]
        assert [set(shown(page(operator), table)) for table in tables] == [
            set(pair) for pair in zip(own, foreign, strict=True)
        ]
        # Machines are the operators' affair.
        assert b"judge-1" not in seen.content
        assert b"judge-1" in page(operator).content

    def test_control_without_the_scope_everything_is_seen(
        self, problem: Problem, instructor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        foreign = waiting(AlgorithmProblemFactory().problem)
        monkeypatch.setattr(queue_rows, "judgements_seen_by", lambda user: Judgement.objects.all())
        assert foreign.pk in shown(page(instructor), "waiting")

    def test_it_is_linked_from_the_index(self, instructor: User) -> None:
        assert f'href="{PAGE}"' in client_of(instructor).get(reverse("admin:index")).content.decode()


class TestWhatItTells:
    def test_the_next_twenty_in_the_order_of_the_queue(self, problem: Problem, operator: User) -> None:
        rejudge = waiting(problem, lane="rejudge", virtual_start=0)
        later = [waiting(problem, virtual_start=100 - number) for number in range(22)]
        assert shown(page(operator), "waiting") == [each.pk for each in reversed(later)][:20]
        Judgement.objects.filter(lane="live").update(state="withdrawn")
        assert shown(page(operator), "waiting") == [rejudge.pk]

    def test_what_runs_and_where(self, problem: Problem, operator: User) -> None:
        submission = running(problem, worker())
        text = page(operator).content.decode()
        assert "command process 4711 on judge-1" in text
        assert f"/api/v1/submissions/{submission.pk}/" in text
        assert "<strong>lost</strong>" not in text
        Worker.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
        assert "<strong>lost</strong>" in page(operator).content.decode()
        Worker.objects.all().delete()
        assert "<td>gone</td>" in page(operator).content.decode()

    def test_what_ended_badly_lately_and_still_stands(self, problem: Problem, operator: User) -> None:
        quarantined = broken(problem, days=3)
        given_up = broken(problem, status="internal_error", days=2)
        broken(problem, days=8)
        mended = broken(problem)
        Submission.objects.filter(pk=mended.pk).update(status="accepted")
        assert shown(page(operator), "broken") == [given_up.pk, quarantined.pk]

    def test_numbers_and_the_state_of_the_switch(self, problem: Problem, operator: User, settings: Settings) -> None:
        settings.EXECUTOR_QUEUE_CAPACITY = 2
        assert "There is no worker: nothing is judged." in page(operator).content.decode()
        worker()
        for _ in range(2):
            waiting(problem)
        text = page(operator).content.decode()
        assert "<strong>full</strong>" in text
        assert "2 of 2" in text
        queue_pause(actor=operator, reason="a new disk")
        text = page(operator).content.decode()
        assert f"by {operator}: a new disk" in text

    def test_everything_is_escaped(self, problem: Problem, operator: User) -> None:
        problem.title = NASTY
        problem.save()
        made = worker(host=NASTY.replace(" ", ""))
        broken(problem, fault=NASTY)
        waiting(problem, fault=NASTY)
        running(problem, made)
        queue_pause(actor=operator, reason=NASTY)
        text = page(operator).content.decode()
        assert NASTY not in text
        assert text.count("&lt;script&gt;") >= 7

    def test_it_loads_itself_anew_unless_it_is_told_not_to(self, operator: User) -> None:
        response = page(operator)
        assert b'<meta http-equiv="refresh" content="5">' in response.content
        # Nobody can type into a page that goes away.
        assert b'name="reason"' not in response.content
        still = page(operator, "?still")
        assert b"refresh" not in still.content.split(b"</head>")[0]
        assert b'name="reason"' in still.content

    def test_no_script_of_ours(self, operator: User) -> None:
        text = page(operator).content.decode()
        assert "<script>" not in text
        assert " on" + "click" not in text

    def test_in_a_constant_number_of_queries(
        self, problem: Problem, operator: User, instructor: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for user, queries in ((operator, OPERATOR_QUERIES), (instructor, STAFF_QUERIES)):
            client = client_of(user)
            with django_assert_num_queries(queries):
                client.get(PAGE)
            for _ in range(3):
                waiting(problem)
                running(problem, worker())
                broken(problem)
            with django_assert_num_queries(queries):
                client.get(PAGE)


# Who asks, what the admin asks for each of its pages, the overview (6), the switch, the workers, and three tables.
OPERATOR_QUERIES = 16
STAFF_QUERIES = 16


class TestSwitch:
    def act(self, user: User, **sent: str) -> Any:
        return client_of(user).post(PAGE, sent, follow=True)

    def test_operators_pause_and_resume(self, operator: User) -> None:
        told = self.act(operator, act="pause", reason="a new disk")
        assert "The queue is paused" in told.content.decode()
        state = queue_state()
        assert (state.is_paused, state.reason, state.changed_by) == (True, "a new disk", operator)
        assert "Work is taken again." in self.act(operator, act="resume").content.decode()
        assert not queue_state().is_paused
        assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
            "queue.pause",
            "queue.resume",
        ]

    def test_a_reason_that_is_refused_is_told(self, operator: User) -> None:
        assert "at most 200 characters" in self.act(operator, act="pause", reason="x" * 201).content.decode()
        assert not queue_state().is_paused

    @pytest.mark.parametrize("act", ["pause", "resume"])
    def test_staff_of_courses_may_not(self, instructor: User, act: str) -> None:
        assert client_of(instructor).post(PAGE, {"act": act, "reason": "x"}).status_code == 403
        assert not queue_state().is_paused
        text = page(instructor, "?still").content.decode()
        assert 'value="pause"' not in text

    def test_nobody_else_even_enters(self) -> None:
        response = client_of(EnrollmentFactory().user).post(PAGE, {"act": "pause", "reason": "x"})
        assert (response.status_code, queue_state().is_paused) == (302, False)

    def test_other_pages_cannot_press_the_buttons(self, operator: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(operator)
        assert client.post(PAGE, {"act": "pause", "reason": "x"}).status_code == 403
        assert not queue_state().is_paused

    def test_what_is_no_button_is_told(self, operator: User) -> None:
        for sent in ({}, {"act": "drop"}):
            assert "There is no such button." in self.act(operator, **sent).content.decode()

    def test_other_verbs_are_refused(self, operator: User) -> None:
        assert client_of(operator).put(PAGE).status_code == 405


class TestAnotherTry:
    def act(self, user: User, submission: Submission | str) -> str:
        wanted = submission if isinstance(submission, str) else str(submission.pk)
        response = client_of(user).post(PAGE, {"act": "retry", "submission": wanted}, follow=True)
        return str(response.content.decode())

    @pytest.mark.parametrize("status", ["quarantined", "internal_error"])
    def test_by_operators_and_staff_of_the_course(
        self, problem: Problem, operator: User, instructor: User, status: str
    ) -> None:
        for user in (operator, instructor):
            submission = broken(problem, status=status)
            assert f"Submission {submission.pk} is judged again" in self.act(user, submission)
            assert list(submission.judgements.values_list("number", "lane", "state")) == [
                (1, "live", "done"),
                (2, "rejudge", "pending"),
            ]
            assert AuditEvent.objects.filter(actor=user, action="submission.rejudge").count() == 1

    def test_what_waits_again_has_no_button_and_is_not_queued_twice(self, problem: Problem, operator: User) -> None:
        submission = broken(problem)
        assert "Another try" in page(operator).content.decode()
        self.act(operator, submission)
        text = page(operator).content.decode()
        assert "waits again" in text
        assert "Another try" not in text
        assert "waits to be judged anyway" in self.act(operator, submission)
        assert submission.judgements.count() == 2

    def test_not_for_submissions_of_others_courses(self, instructor: User) -> None:
        submission = broken(AlgorithmProblemFactory().problem)
        assert "There is no such submission" in self.act(instructor, submission)
        assert submission.judgements.count() == 1

    def test_control_without_the_scope_it_is_for_everybody(
        self, instructor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queue_rows, "judgements_seen_by", lambda user: Judgement.objects.all())
        submission = broken(AlgorithmProblemFactory().problem)
        self.act(instructor, submission)
        assert submission.judgements.count() == 2

    def test_not_for_what_has_a_verdict(self, problem: Problem, operator: User) -> None:
        submission = broken(problem, status="accepted")
        assert "There is no such submission" in self.act(operator, submission)

    @pytest.mark.parametrize("wanted", ["", "x", "-1", "1" * 40, "\u0661"])
    def test_what_is_no_number_is_no_submission(self, operator: User, wanted: str) -> None:
        assert "There is no such submission" in self.act(operator, wanted)
