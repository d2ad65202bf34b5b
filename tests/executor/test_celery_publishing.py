"""Wake-ups: whoever submits never meets the broker, and what cannot be sent is left to the sweeper."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from courses.models import Problem
from executor.models import Worker
from executor.queue import publishing
from executor.queue.publishing import Link, Message, Publisher, broker_link, publish_judgement, publish_waiting
from tests.core.redis_servers import free_port
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.executor.databases import submit
from tests.shell import ROOT, clean_environment, wait_until

MESSAGE = Message(task="executor.judge", args=(1, "live"), queue="live")


class RecordedLink:
    """Keeps what is sent, and through which thread; fails or waits where a test tells it."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.threads: set[str] = set()
        self.is_broken = False
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def connect(self) -> Link:
        self.threads.add(threading.current_thread().name)
        if self.is_broken:
            raise ConnectionRefusedError
        return self

    def send(self, message: Message) -> None:
        self.may_go_on.wait(60)
        self.sent.append(message)

    def close(self) -> None:
        pass


@pytest.fixture
def link() -> Iterator[RecordedLink]:
    made = RecordedLink()
    yield made
    made.may_go_on.set()


@pytest.fixture
def publisher(link: RecordedLink, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    made = Publisher(link.connect, rest_s=0.2)
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(publishing, "_publisher", made)
    yield made
    link.may_go_on.set()
    made.stop()


class TestPublisher:
    def test_another_thread_sends_in_order(self, publisher: Publisher, link: RecordedLink) -> None:
        messages = [Message(task="t", args=(number,), queue="live") for number in range(5)]
        assert all(publisher.offer(message) for message in messages)
        publisher.stop()
        assert link.sent == messages
        assert link.threads == {"assay-publisher"}

    def test_no_thread_before_the_first_message(self, publisher: Publisher, link: RecordedLink) -> None:
        assert publisher._thread is None
        publisher.stop()
        assert not link.threads

    def test_a_broker_that_hangs_fills_a_bounded_queue(
        self, publisher: Publisher, link: RecordedLink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link.may_go_on.clear()
        taken = sum(publisher.offer(MESSAGE) for _ in range(publishing.WAITING_MAX + 10))
        assert publishing.WAITING_MAX <= taken <= publishing.WAITING_MAX + 1
        # Ending does not wait for it.
        publisher.stop(within_s=0.01)
        assert not link.sent

    def test_after_a_failure_it_rests_and_begins_anew(self, publisher: Publisher, link: RecordedLink) -> None:
        link.is_broken = True
        assert publisher.offer(MESSAGE)
        wait_until(lambda: publisher.is_resting, what="it failed")
        link.is_broken = False
        wait_until(lambda: publisher.offer(MESSAGE), what="it has rested")
        publisher.stop()
        assert link.sent == [MESSAGE]

    def test_while_it_rests_nothing_is_taken(self, link: RecordedLink) -> None:
        publisher = Publisher(link.connect, rest_s=3600)
        link.is_broken = True
        publisher.offer(MESSAGE)
        wait_until(lambda: publisher.is_resting, what="it failed")
        assert not publisher.offer(MESSAGE)
        publisher.stop()
        assert not link.sent

    def test_an_idle_link_is_closed(
        self, publisher: Publisher, link: RecordedLink, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(publishing, "IDLE_S", 0.01)
        publisher.offer(MESSAGE)
        wait_until(lambda: link.sent == [MESSAGE] and publisher._link is None, what="it is closed")


@pytest.mark.django_db
class TestSubmitting:
    @pytest.fixture
    def problem(self) -> Problem:
        return AlgorithmProblemFactory().problem

    def test_only_the_publisher_meets_the_broker(
        self,
        publisher: Publisher,
        link: RecordedLink,
        problem: Problem,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        """However long the broker hangs: here it does until the submission is answered, and much longer if need be."""
        link.may_go_on.clear()
        with django_capture_on_commit_callbacks(execute=True):
            submission = submit(EnrollmentFactory(course=problem.course).user, problem)
        assert not link.sent
        assert submission.current_judgement_id
        link.may_go_on.set()
        publisher.stop()
        assert link.threads == {"assay-publisher"}
        assert link.sent == [
            Message(task="executor.judge", args=(submission.current_judgement_id, "live"), queue="live")
        ]

    def test_control_sending_at_once_makes_the_caller_meet_it(
        self,
        publisher: Publisher,
        link: RecordedLink,
        problem: Problem,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        monkeypatch.setattr(Publisher, "offer", lambda self, message: link.connect().send(message))
        with django_capture_on_commit_callbacks(execute=True):
            submit(EnrollmentFactory(course=problem.course).user, problem)
        assert link.threads == {threading.current_thread().name}

    def test_without_a_broker_nothing_is_sent(
        self, publisher: Publisher, link: RecordedLink, settings: Settings
    ) -> None:
        settings.CELERY_BROKER_URL = None
        publish_judgement(judgement_id=1, lane="live")
        publish_waiting(counts={"live": 5})
        assert publisher._thread is None

    def test_a_sweep_wakes_no_more_than_can_follow(self, publisher: Publisher, link: RecordedLink) -> None:
        now = timezone.now()
        for process_id in (1, 2, 3):
            Worker.objects.create(
                kind="celery",
                host="h",
                process_id=process_id,
                process_started="",
                threads=1,
                started_at=now,
                seen_at=now,
            )
        publish_waiting(counts={"live": 800, "rejudge": 2})
        publisher.stop()
        assert [message.queue for message in link.sent] == ["live"] * 3 + ["rejudge"] * 2


class TestRealDrivers:
    """Drivers of both brokers give up within seconds, in the publisher's thread."""

    @pytest.fixture
    def hung(self) -> Iterator[int]:
        """Takes connections, and says nothing."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            yield listening.getsockname()[1]

    @pytest.mark.parametrize("scheme", ["redis", "amqp"])
    @pytest.mark.parametrize("fault", ["refuses", "hangs"])
    def test_a_broker_that_is_away_ends_in_a_rest(self, settings: Settings, hung: int, scheme: str, fault: str) -> None:
        settings.CELERY_BROKER_URL = f"{scheme}://127.0.0.1:{hung if fault == 'hangs' else free_port()}/"
        publisher = Publisher(broker_link, rest_s=3600)
        assert publisher.offer(MESSAGE)
        wait_until(lambda: publisher.is_resting, what="it gave up")
        assert not publisher.offer(MESSAGE)
        publisher.stop()


def python(script: str, **extra: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=clean_environment(ASSAY_DATA_DIR=os.environ.get("ASSAY_DATA_DIR", ""), **extra),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class TestProcesses:
    LOADED = "print(sorted({name.partition('.')[0] for name in sys.modules} & {'celery', 'kombu', 'amqp'}))"

    def test_without_a_broker_nothing_of_celery_is_loaded(self) -> None:
        assert python(f"import sys, config.asgi, config.urls; {self.LOADED}") == "[]"

    def test_control_with_one_it_is_loaded_by_the_first_message(self) -> None:
        port = free_port()
        script = (
            "import sys, config.asgi, config.urls\n"
            f"{self.LOADED}\n"
            "from executor.queue import publishing\n"
            "publishing.publish_judgement(judgement_id=1, lane='live')\n"
            "publishing._publisher.stop(within_s=60)\n"
            f"{self.LOADED}\n"
        )
        environment = {"CELERY_BROKER_URL": f"redis://127.0.0.1:{port}/0", "DATABASE_URL": "postgres://h/none"}
        before, after = [line for line in python(script, **environment).splitlines() if line.startswith("[")]
        assert (before, after) == ("[]", "['amqp', 'celery', 'kombu']")

    def test_a_forked_process_has_a_publisher_of_its_own(self) -> None:
        script = (
            "import os, threading, django; django.setup()\n"
            "from executor.queue import publishing\n"
            "class Link:\n"
            "    def send(self, message): os.write(1, f'{message.args[0]} '.encode())\n"
            "    def close(self): pass\n"
            "publishing._publisher = publishing.Publisher(Link)\n"
            "message = lambda text: publishing.Message(task='t', args=(text,), queue='q')\n"
            "publishing._publisher.offer(message('parent'))\n"
            "publishing.broker_link = Link\n"
            "if os.fork() == 0:\n"
            "    inherited = [one.name for one in threading.enumerate() if one.name == 'assay-publisher']\n"
            "    publishing._publisher.offer(message(f'child-{len(inherited)}'))\n"
            "    publishing._publisher.stop()\n"
            "    os._exit(0)\n"
            "os.wait()\n"
            "publishing.stop()\n"
        )
        assert set(python(script, DJANGO_SETTINGS_MODULE="config.settings").split()) == {"parent", "child-0"}
