"""Judging by Celery's workers, over both brokers: what is handed in is judged once, whatever happens to messages."""

import signal
from collections.abc import Iterator

import pytest

from accounts.models import User
from courses.models import Problem
from executor.models import Judgement, QueuedRun, RunQuota, Submission, TestResult, Worker
from executor.queue import publishing
from executor.queue.publishing import Message, Publisher, publish, publish_judgement
from executor.services.languages import available_languages
from executor.services.runs import run_create
from executor.services.samples import samples_run
from tests.core.redis_servers import RealRedis
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory, TestCaseFactory
from tests.executor.databases import DOUBLE, submit
from tests.executor.fleet.machine import STOP_PATIENCE_S, Fleet
from tests.shell import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

# It waits, and is right in the end.
SLOW = "import time\ntime.sleep({seconds})\n" + DOUBLE


@pytest.fixture
def problem() -> Problem:
    algorithm = AlgorithmProblemFactory(time_limit_ms=10_000)
    return algorithm.problem


@pytest.fixture
def student(problem: Problem) -> User:
    user: User = EnrollmentFactory(course=problem.course).user
    return user


def is_judged(*submissions: Submission) -> bool:
    ids = [submission.pk for submission in submissions]
    return not Submission.objects.filter(pk__in=ids, status__in=Submission.UNFINISHED).exists()


def wait_judged(*submissions: Submission) -> None:
    wait_until(lambda: is_judged(*submissions), what="all are judged")


def is_judging(submission: Submission) -> bool:
    return Submission.objects.filter(pk=submission.pk, status=Submission.Status.JUDGING).exists()


class TestWholeWay:
    def test_messages_wake_workers_and_have_no_other_effect(
        self, fleet: Fleet, student: User, problem: Problem
    ) -> None:
        """No beat runs here: what is judged was told of by a message."""
        # Before there is any worker: queues are durable and are there.
        early = submit(student, problem)
        worker = fleet.start_worker(children=2)
        wait_judged(early)
        later = [submit(student, problem, code=DOUBLE + f"# {number}\n") for number in range(6)]
        # Doubled, out of order, of lanes where nothing waits, and of judgements that never were.
        for submission in reversed(later):
            for _ in range(2):
                publish_judgement(judgement_id=submission.current_judgement_id, lane="live")
        publish_judgement(judgement_id=10**9, lane="rejudge")
        publish(Message(task="executor.run", args=("0" * 32,), queue="runs"))
        wait_judged(*later)
        assert set(Submission.objects.values_list("status", "score")) == {("accepted", 100)}
        assert set(Judgement.objects.values_list("number", "tries", "losses")) == {(1, 1, 0)}
        assert TestResult.objects.count() == 2 * 7
        assert set(Worker.objects.values_list("kind", "threads")) == {("celery", 1)}
        judged_by = set(Judgement.objects.values_list("worker_id", flat=True))
        assert judged_by <= set(Worker.objects.values_list("pk", flat=True))
        wait_until(fleet.alive_file("w0").exists, what="the worker says that it lives")

        worker.send_signal(signal.SIGTERM)
        assert worker.wait(STOP_PATIENCE_S) == 0
        assert not Worker.objects.exists()

    def test_what_somebody_waits_for_is_run_by_a_worker(
        self, fleet: Fleet, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def local(name: str) -> None:
            raise AssertionError("the web process of a fleet has no engine")

        monkeypatch.setattr("executor.services.code_executor.default_engine", local)
        monkeypatch.setattr("executor.services.languages.default_engine", local)
        fleet.start_worker()
        hostile = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read() + b'\\x00\\xff')"
        run = run_create(user=student, language="python", code=hostile, stdin="ä\x00")
        assert run.result is not None
        assert (run.result.exit_code, run.result.stdout) == (0, "ä\x00".encode() + b"\x00\xff")
        TestCaseFactory(test_set=problem.test_sets.get(), order=9, input="3\n", expected_output="6\n", is_sample=True)
        tried = samples_run(user=student, problem_id=problem.pk, language="python", code=DOUBLE)
        assert {sample.outcome.verdict.value for sample in tried.samples} == {"accepted"}
        # The way there and back leaves nothing; both count.
        assert not QueuedRun.objects.exists()
        assert RunQuota.objects.values_list("count", "claim_id").get() == (2, None)

    def test_the_sweep_tells_of_what_no_message_told(
        self, fleet: Fleet, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fleet.start_worker()
        with monkeypatch.context() as silence:
            silence.setattr(publishing, "publish", lambda message: True)
            submission = submit(student, problem)
        heard = submit(student, problem)
        wait_judged(heard)
        # The message of the one sent the worker to the other: it takes what is most due.
        wait_judged(submission)
        with monkeypatch.context() as silence:
            silence.setattr(publishing, "publish", lambda message: True)
            submission = submit(student, problem)
        fleet.start_beat()
        wait_judged(submission)
        assert fleet.alive_file("beat").exists()
        # With the sweep come the languages that the workers offer.
        assert "python" in [language.key for language in available_languages()]


class TestEnds:
    def test_a_killed_worker_s_judging_is_done_again_and_counts_once(
        self, fleet: Fleet, student: User, problem: Problem
    ) -> None:
        worker = fleet.start_worker()
        submission = submit(student, problem, code=SLOW.format(seconds=3))
        wait_until(lambda: is_judging(submission), what="it is being judged")
        fleet.kill(worker)
        # Control: without the sweep another worker judges what it is told of, and leaves this one lying.
        fleet.start_worker()
        other = submit(student, problem)
        wait_judged(other)
        assert is_judging(submission)

        fleet.start_beat()
        wait_judged(submission)
        submission.refresh_from_db()
        judgement = Judgement.objects.get(submission=submission)
        assert (submission.status, submission.score) == ("accepted", 100)
        assert (judgement.tries, judgement.losses) == (2, 1)
        assert TestResult.objects.filter(judgement=judgement).count() == 2

    def test_a_worker_told_to_stop_gives_back_what_it_cannot_end(
        self, fleet: Fleet, student: User, problem: Problem
    ) -> None:
        worker = fleet.start_worker()
        slow = submit(student, problem, code=SLOW.format(seconds=6))
        wait_until(lambda: is_judging(slow), what="it is being judged")
        worker.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_judging(slow), what="it is given back")
        assert list(Judgement.objects.values_list("state", "tries", "losses")) == [("pending", 0, 0)]
        # Another may take it, though the program still runs: what comes of that meets the fence.
        fleet.start_worker()
        wait_until(lambda: is_judging(slow), what="another took it")
        wait_judged(slow)
        assert list(Judgement.objects.values_list("verdict", "tries", "losses")) == [("accepted", 1, 0)]
        assert worker.wait(STOP_PATIENCE_S) == 0


class TestDeaf:
    def test_a_worker_that_hears_nothing_looks_by_itself(
        self, fleet: Fleet, student: User, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither messages nor beat: what a worker is left with whose main process went deaf."""
        killed = fleet.start_worker()
        monkeypatch.setattr(publishing, "publish", lambda message: True)
        submission = submit(student, problem)
        fleet.start_worker(looks=True)
        wait_judged(submission)
        assert Judgement.objects.get().tries == 1
        run = run_create(user=student, language="python", code="print(1)", stdin="")
        assert run.result is not None
        assert run.result.stdout == b"1\n"
        fleet.kill(killed)


class TestBrokerAway:
    @pytest.fixture
    def broker_url(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
        """A Redis of this test's own, which it stops and starts."""
        self.redis = RealRedis(tmp_path_factory.mktemp("redis"))
        self.redis.start()
        yield f"redis://127.0.0.1:{self.redis.port}/0"
        self.redis.stop()

    def test_what_is_handed_in_meanwhile_is_judged_afterwards(
        self, fleet: Fleet, publisher: Publisher, student: User, problem: Problem
    ) -> None:
        fleet.start_worker(looks=True)
        fleet.start_beat()
        before = submit(student, problem)
        wait_judged(before)
        self.redis.stop()
        lost = [submit(student, problem, code=DOUBLE + f"# {number}\n") for number in range(3)]
        wait_until(lambda: publisher.is_resting, what="the publisher noticed")
        lost.append(submit(student, problem))
        self.redis.start()
        wait_judged(*lost)
        assert set(Submission.objects.values_list("status", flat=True)) == {"accepted"}
