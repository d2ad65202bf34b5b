"""Streams of a real server: what they cost, how they end, and that news arrive whatever is away."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import TokenFamily, User
from courses.models import Enrollment
from events.hub import publish
from executor.models import Judgement, Submission
from executor.services.live import topic_of
from tests.core.live import LiveServer
from tests.core.redis_servers import RealRedis
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.events.listeners import Listener, event_server, signed_in
from tests.executor.databases import judge_next
from tests.executor.factories import SubmissionFactory
from tests.shell import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

USERS, STREAMS_EACH = 25, 20
EXTRA_MAX = 5
PLAIN_STREAMS = 40
NEVER = "3600"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with event_server(tmp_path) as running:
        yield running


@pytest.fixture
def submission() -> Submission:
    return SubmissionFactory()


def address_of(submission: Submission) -> str:
    return f"/api/v1/submissions/{submission.pk}/events/"


def listen(server: LiveServer, submission: Submission, user: User | None = None, **headers: str) -> Listener:
    return Listener(server, address_of(submission), token=signed_in(user or submission.user), **headers)


def opened(stream: Listener) -> Listener:
    """The stream, after its first event."""
    first = stream.next()
    assert first is not None
    assert first.data["status"] == "pending"
    return stream


def threads_of(server: LiveServer) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))


def connections_of_server() -> int:
    """Connections to this test's database, besides its own; 0 on SQLite, which has none."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


class TestCost:
    def test_500_idle_listeners_cost_five_threads_and_connections_at_most(self, server: LiveServer) -> None:
        problem = AlgorithmProblemFactory().problem
        submissions = [SubmissionFactory(problem=problem) for _ in range(USERS)]
        tokens = {submission.user_id: signed_in(submission.user) for submission in submissions}
        for submission in submissions[:3]:
            address = f"{server.url}/api/v1/submissions/{submission.pk}/"
            bearer = {"Authorization": f"Bearer {tokens[submission.user_id]}"}
            assert requests.get(address, headers=bearer, timeout=30).status_code == 200
        threads, connections = threads_of(server), connections_of_server()
        with ExitStack() as stack:
            streams = [
                stack.enter_context(Listener(server, address_of(submission), token=tokens[submission.user_id]))
                for submission in submissions
                for _ in range(STREAMS_EACH)
            ]
            for stream in streams:
                opened(stream)
            wait_until(lambda: threads_of(server) <= threads + EXTRA_MAX, what="the requests are over")
            # Meanwhile the database is asked five times a second, and every right read again twice a second.
            for _ in range(20):
                time.sleep(0.1)
                assert threads_of(server) <= threads + EXTRA_MAX
                assert connections_of_server() <= connections + EXTRA_MAX
            for _ in submissions:
                judge_next()
            verdicts = [stream.rest()[-1].data["status"] for stream in streams]
        assert verdicts == ["accepted"] * USERS * STREAMS_EACH
        wait_until(lambda: threads_of(server) <= threads + 1, what="the threads of the streams have ended")

    def test_control_as_a_plain_asynchronous_view_each_would_hold_a_thread(self, tmp_path: Path) -> None:
        with event_server(tmp_path, TEST_ROOT_URLCONF="tests.events.async_urls") as server, ExitStack() as stack:
            requests.get(f"{server.url}/healthz", timeout=30)
            threads = threads_of(server)
            for _ in range(PLAIN_STREAMS):
                assert stack.enter_context(Listener(server, "/plain-stream/")).next() is not None
            # One or two of before may have ended.
            assert threads_of(server) >= threads + PLAIN_STREAMS - EXTRA_MAX


class TestOneStream:
    def test_it_tells_the_state_then_the_verdict_and_closes(self, server: LiveServer, submission: Submission) -> None:
        with listen(server, submission) as stream:
            assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            assert stream.headers["x-accel-buffering"] == "no"
            assert "no-cache" in stream.headers["cache-control"]
            assert "content-length" not in stream.headers
            first = stream.next()
            assert first is not None
            assert (first.name, first.id) == ("submission", "0.0")
            assert (first.data["status"], first.data["tests"]) == ("pending", [])
            # In another process, and without a message: the database is asked.
            judge_next()
            last = stream.rest()[-1]
        assert (last.name, last.data["status"], last.data["score"]) == ("submission", "accepted", "100.00")
        assert [test["verdict"] for test in last.data["tests"]] == ["accepted", "accepted"]
        with listen(server, submission, Last_Event_ID=last.id) as again:
            assert (again.status, again.body()) == (204, b"")

    def test_it_goes_on_after_what_the_listener_has_seen(self, server: LiveServer, submission: Submission) -> None:
        with listen(server, submission, Last_Event_ID="0.0") as stream:
            judge_next()
            assert stream.rest()[-1].data["status"] == "accepted"
        for seen in ("0.0", "junk", "99999.1", "1"):
            with listen(server, submission, Last_Event_ID=seen) as stream:
                assert [event.data["status"] for event in stream.rest()] == ["accepted"]

    def test_it_says_that_it_is_there_and_ends_in_time_to_be_resumed(
        self, tmp_path: Path, submission: Submission
    ) -> None:
        quick = {"TEST_EVENTS_KEEP_ALIVE_S": "0.1", "TEST_EVENTS_STREAM_LIFE_S": "1.5"}
        with event_server(tmp_path, **quick) as server, opened(listen(server, submission)) as stream:
            assert stream.rest() == []
            assert stream.comments > 0

    def test_a_user_has_so_many_and_gets_them_back(self, tmp_path: Path, submission: Submission) -> None:
        with event_server(tmp_path, TEST_EVENTS_STREAMS_PER_USER="2") as server:
            first, second = opened(listen(server, submission)), opened(listen(server, submission))
            with listen(server, submission) as third:
                assert third.status == 429
                assert b'"too_many_streams"' in third.body()
                assert "retry-after" in third.headers
            staff = EnrollmentFactory(course=submission.problem.course, role=Enrollment.Role.ASSISTANT).user
            opened(listen(server, submission, staff)).close()
            first.close()

            def is_free() -> bool:
                with listen(server, submission) as another:
                    return another.status == 200

            wait_until(is_free, what="the place of the closed stream is free")
            second.close()


def sign_out(user: User) -> None:
    TokenFamily.objects.filter(user=user).update(revoked_at=timezone.now())


def disable(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def dismiss(user: User) -> None:
    Enrollment.objects.filter(user=user).update(role=Enrollment.Role.STUDENT)


LOSSES = [
    pytest.param(sign_out, "signed_out", id="signed out"),
    pytest.param(disable, "signed_out", id="account disabled"),
    pytest.param(dismiss, "not_available", id="no longer staff"),
]


class TestRights:
    @pytest.mark.parametrize(("lose", "reason"), LOSSES)
    def test_a_right_that_falls_ends_a_silent_stream(
        self, server: LiveServer, submission: Submission, lose: Callable[[User], None], reason: str
    ) -> None:
        staff = EnrollmentFactory(course=submission.problem.course, role=Enrollment.Role.ASSISTANT).user
        with opened(listen(server, submission, staff)) as stream:
            lose(staff)
            (end,) = stream.rest()
        assert (end.name, end.id, end.data) == ("end", "", {"reason": reason})
        with listen(server, submission, staff) as again:
            assert again.status == (200 if lose is sign_out else 401 if lose is disable else 404)

    @pytest.mark.parametrize(("lose", "reason"), LOSSES)
    def test_it_is_read_before_a_verdict_is_told(
        self, tmp_path: Path, submission: Submission, lose: Callable[[User], None], reason: str
    ) -> None:
        staff = EnrollmentFactory(course=submission.problem.course, role=Enrollment.Role.ASSISTANT).user
        with (
            event_server(tmp_path, TEST_EVENTS_RECHECK_S=NEVER) as server,
            opened(listen(server, submission, staff)) as stream,
        ):
            lose(staff)
            judge_next()
            (end,) = stream.rest()
        assert (end.name, end.data) == ("end", {"reason": reason})

    def test_a_session_opens_one_and_its_end_ends_it(self, server: LiveServer, submission: Submission) -> None:
        browser = Client()
        browser.force_login(submission.user)
        cookie = f"sessionid={browser.cookies['sessionid'].value}"
        with opened(Listener(server, address_of(submission), Cookie=cookie)) as stream:
            browser.logout()
            (end,) = stream.rest()
        assert end.data == {"reason": "signed_out"}

    def test_a_new_password_ends_a_sessions_stream(self, server: LiveServer, submission: Submission) -> None:
        browser = Client()
        browser.force_login(submission.user)
        cookie = f"sessionid={browser.cookies['sessionid'].value}"
        with opened(Listener(server, address_of(submission), Cookie=cookie)) as stream:
            submission.user.set_password("another horse battery")
            submission.user.save()
            (end,) = stream.rest()
        assert end.data == {"reason": "signed_out"}

    def test_a_ticket_opens_one_stream_which_ends_with_its_sign_in(
        self, server: LiveServer, submission: Submission
    ) -> None:
        bearer = {"Authorization": f"Bearer {signed_in(submission.user)}"}
        answer = requests.post(f"{server.url}/api/v1/events/tickets/", headers=bearer, timeout=30)
        assert answer.status_code == 201
        address = f"{address_of(submission)}?ticket={answer.json()['ticket']}"
        with opened(Listener(server, address)) as stream:
            with Listener(server, address) as replayed:
                assert replayed.status == 401
                assert b'"ticket_refused"' in replayed.body()
            sign_out(submission.user)
            (end,) = stream.rest()
        assert end.data == {"reason": "signed_out"}
        assert answer.json()["ticket"] not in (server.log.read_text())


class TestOtherProcesses:
    @pytest.fixture
    def redis(self, tmp_path: Path, settings: Settings, fresh_breakers: None) -> Iterator[RealRedis]:
        """A Redis that this process and the server share."""
        server = RealRedis(tmp_path)
        server.start()
        settings.CACHES = {
            "default": {
                "BACKEND": "core.cache.RedisCache",
                "LOCATION": f"redis://127.0.0.1:{server.port}/3",
                "KEY_PREFIX": "shared",
                "OPTIONS": {
                    "SOCKET_CONNECT_TIMEOUT": 20,
                    "SOCKET_TIMEOUT": 20,
                    "CONNECTION_POOL_KWARGS": {"protocol": 2, "driver_info": None},
                    "SERIALIZER": "core.plain_json.PlainJsonSerializer",
                    "IGNORE_EXCEPTIONS": True,
                },
            }
        }
        yield server
        server.stop()

    def environment(self, redis: RealRedis, *, poll_s: str) -> dict[str, str]:
        return {
            "REDIS_URL": f"redis://127.0.0.1:{redis.port}/3",
            "TEST_KEY_PREFIX": "shared",
            "TEST_EVENTS_POLL_S": poll_s,
        }

    def test_redis_brings_progress_and_verdict_at_once(
        self, redis: RealRedis, tmp_path: Path, submission: Submission
    ) -> None:
        with event_server(tmp_path, **self.environment(redis, poll_s=NEVER)) as server:
            with opened(listen(server, submission)) as stream:
                judge_next()
                events = stream.rest()
            assert events[-1].data["status"] == "accepted"

    def test_redis_dead_the_database_is_asked(self, redis: RealRedis, tmp_path: Path, submission: Submission) -> None:
        with (
            event_server(tmp_path, **self.environment(redis, poll_s="0.2")) as server,
            opened(listen(server, submission)) as stream,
        ):
            redis.stop()
            judge_next()
            assert stream.rest()[-1].data["status"] == "accepted"

    def test_redis_comes_back(self, redis: RealRedis, tmp_path: Path, submission: Submission) -> None:
        is_over = threading.Event()

        def tell_again_and_again() -> None:
            while not is_over.wait(0.1):
                publish(topic_of(submission.pk), {})

        with (
            event_server(tmp_path, **self.environment(redis, poll_s=NEVER)) as server,
            opened(listen(server, submission)) as stream,
        ):
            redis.stop()
            judge_next()
            redis.start()
            telling = threading.Thread(target=tell_again_and_again)
            telling.start()
            try:
                assert stream.rest()[-1].data["status"] == "accepted"
            finally:
                is_over.set()
                telling.join()

    def test_control_without_redis_and_polling_nobody_is_told(self, tmp_path: Path, submission: Submission) -> None:
        quick = {"TEST_EVENTS_POLL_S": NEVER, "TEST_EVENTS_STREAM_LIFE_S": "3"}
        with event_server(tmp_path, **quick) as server, opened(listen(server, submission)) as stream:
            time.sleep(1)  # beyond the reading at the start
            judge_next()
            assert Judgement.objects.get().state == Judgement.State.DONE
            assert stream.rest() == []


class TestStopping:
    def test_a_server_that_stops_ends_its_streams(self, server: LiveServer, submission: Submission) -> None:
        with opened(listen(server, submission)) as stream:
            server.stop()
            assert stream.rest() == []
        assert server.process.returncode in (0, -15)

    def test_control_otherwise_it_would_wait_for_them(self, tmp_path: Path, submission: Submission) -> None:
        with (
            event_server(tmp_path, application="tests.events.deaf_app:application") as server,
            opened(listen(server, submission)),
        ):
            server.process.terminate()
            wait_until(lambda: "Waiting for connections to close" in server.log.read_text(), what="it waits")
            with pytest.raises(subprocess.TimeoutExpired):
                server.process.wait(timeout=2)
