"""F-20 to F-29 played to the end: submission, worker, a Judge0 that fails on the wire, stored verdict.

Each plays on three submissions that print who they are: a right one, a wrong one and one that fails. What must come of
it: these three verdicts in the end, or an honest `internal_error`; nothing lost, and not many more requests than
without the fault.
"""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db.models import Max
from django.utils import timezone
from urllib3.util import connection

from executor.engines.base import EngineHealth
from executor.engines.judge0 import Judge0Engine, Timeouts, breaker, client
from executor.engines.judge0.batch import BatchRun
from executor.models import Judgement, Submission
from executor.queue import judge
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from tests.courses.factories import AlgorithmProblemFactory
from tests.executor.factories import SubmissionFactory
from tests.executor.judge0.standin import Behaviour, Exchange, Reply, StandIn, behaviours, canaries, in_turn
from tests.executor.judge0.standin.behaviours import answers, body, changed, changed_items, cut, each_item, slow
from tests.executor.judge0.support import KEY, FakeClock, b64

pytestmark = pytest.mark.django_db

RIGHT = ["accepted", "wrong_answer", "runtime_error"]
GIVEN_UP = ["internal_error"] * 3
PENDING = ["pending"] * 3
# Real seconds, so that silence does not last; everything else passes on the fake clock.
TIMEOUTS = Timeouts(connect_s=0.5, read_s=0.4, exchange_s=0.6, queue_allowance_s=30.0)
# Without a fault: what is asked of the server at first, and for each submission a POST and two polls.
CLEAN_REQUESTS = 4 + 3 * 3


class Play:
    """Three submissions, an engine on a stand-in, and a queue whose pauses pass on the fake clock."""

    def __init__(self, standin: StandIn, *, url: str = "") -> None:
        self.standin = standin
        self.clock = FakeClock()
        self.engine = Judge0Engine(
            base_url=url or standin.url,
            auth_token=KEY,
            timeouts=TIMEOUTS,
            clock=self.clock,
            sleep=self.clock.sleep,
        )
        self.submissions = [self._submission(number) for number in range(3)]

    def _submission(self, number: int) -> int:
        inputs = [f"given {number} {index}" for index in range(2)]
        expected = [canaries.output(number, given) for given in inputs]
        if number == 1:
            expected[1] = "something else"
        problem = AlgorithmProblemFactory(tests=list(zip(inputs, expected, strict=True))).problem
        code = canaries.source(number, fails=number == 2)
        files = [{"name": "main.py", "content": code}]
        # In an exam each test has a job of its own, which the stand-in can answer without running anything.
        submission: Submission = SubmissionFactory(problem=problem, files=files, purpose=Submission.Purpose.EXAM)
        return submission.pk

    def round(self) -> None:
        """Judge whatever may be judged now, once each."""
        service = CodeExecutorService(self.engine)
        while (claim := claim_next()) is not None:
            judge_claimed(claim, service)

    def pass_pauses(self) -> None:
        """Let the longest pause of the queue pass."""
        until = Judgement.objects.aggregate(until=Max("not_before"))["until"]
        if until is not None:
            self.clock.now_s += max(0.0, (until - timezone.now()).total_seconds())
        Judgement.objects.update(not_before=None)

    def play(self, rounds: int = 8) -> list[str]:
        """Judge until nothing waits any more; the statuses in the end."""
        for _ in range(rounds):
            self.round()
            if not Judgement.objects.filter(state=Judgement.State.PENDING).exists():
                break
            self.pass_pauses()
        return self.statuses()

    def statuses(self) -> list[str]:
        assert not Judgement.objects.filter(state=Judgement.State.CLAIMED).exists()
        found = Submission.objects.in_bulk(self.submissions)
        return [found[pk].status for pk in self.submissions]

    def tries(self) -> list[int]:
        return list(Judgement.objects.order_by("pk").values_list("tries", flat=True))


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn(canaries.knowing(), auth_token=KEY) as standin:
        yield standin


@pytest.fixture
def play(standin: StandIn) -> Play:
    return Play(standin)


def always(**chosen: Behaviour) -> Callable[[Exchange], Behaviour]:
    return lambda exchange: chosen.get(exchange.kind, chosen.get("all", lambda e: e.send(e.right_answer())))


class WithoutFaultsTestCase:
    def test_three_submissions_have_their_verdicts(self, play: Play, standin: StandIn) -> None:
        assert play.play() == RIGHT
        assert standin.total == CLEAN_REQUESTS
        assert standin.counts["other"] == 0
        scores = [Submission.objects.get(pk=pk).score for pk in play.submissions]
        assert scores == [100, 50, 0]


class F20UnreachableTestCase:
    def test_a_refused_connection_holds_the_queue_until_it_is_back(self, play: Play, standin: StandIn) -> None:
        standin.go_down()
        for _ in range(20):
            play.round()
            play.pass_pauses()
        assert play.statuses() == PENDING
        assert play.tries() == [0, 0, 0]
        standin.go_up()
        assert play.play() == RIGHT
        assert standin.total <= CLEAN_REQUESTS + 2

    def test_connections_are_not_tried_in_a_hot_loop(
        self, play: Play, standin: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[object] = []
        connect = connection.create_connection

        def counting(*args: Any, **kwargs: Any) -> socket.socket:
            tried.append(args)
            return connect(*args, **kwargs)

        def rounds(count: int) -> int:
            tried.clear()
            for _ in range(count):
                play.round()
                Judgement.objects.update(not_before=None)  # a queue that knows no pauses
            return len(tried)

        monkeypatch.setattr(connection, "create_connection", counting)
        standin.go_down()
        assert rounds(50) <= breaker.FAULTS_TO_OPEN + 2
        # Control: without the breaker it is at least once for each of them each time.
        monkeypatch.setattr(play.engine._client.wire.breaker, "admit", lambda _where: 0)
        assert rounds(10) >= 30
        standin.go_up()

    def test_a_name_that_does_not_resolve(self, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
        play = Play(standin, url=f"http://localhost:{standin.port}")
        with monkeypatch.context() as patched:

            def unresolved(*_args: object, **_kwargs: object) -> Any:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

            patched.setattr(socket, "getaddrinfo", unresolved)
            assert play.play(5) == PENDING
        assert play.tries() == [0, 0, 0]
        assert standin.total == 0
        play.clock.now_s += 60
        assert play.play() == RIGHT

    def test_a_server_without_tls(self, standin: StandIn) -> None:
        play = Play(standin, url=standin.url.replace("http:", "https:"))
        assert play.play(5) == PENDING
        assert play.tries() == [0, 0, 0]
        assert standin.total == 0


def refused(exchange: Exchange) -> None:
    exchange.send(Reply.of(422, [{"source_code": ["can't be blank"]}] * len(exchange.body["submissions"])))


def duplicated(items: list[Any]) -> list[Any]:
    return [items[0]] * len(items)


def partly_refused(items: list[Any]) -> list[Any]:
    return [items[0], {"language_id": ["language with id 89 doesn't exist"]}]


# What happens to the first request or the first few of a kind; after that all is well.
PASSING: dict[str, dict[str, list[Behaviour]]] = {
    "F-21 hang on create": {"create": [behaviours.hang]},
    "F-21 hang on create, heard": {"create": [behaviours.hang_after]},
    "F-21 hang on poll": {"poll": [behaviours.hang] * 2},
    "F-21 drip on create": {"create": [behaviours.drip]},
    "F-21 drip on poll": {"poll": [behaviours.drip]},
    "F-21 drip on config": {"config_info": [behaviours.drip]},
    "F-21 slow but in time": {"create": [slow(0.1)] * 3, "poll": [slow(0.1)] * 4},
    "F-22 429 with Retry-After on create": {"create": [answers(429, Retry_After="7")] * 2},
    "F-22 429 without": {"create": [answers(429)] * 3, "poll": [answers(429)] * 3},
    "F-22 429 with Retry-After on poll": {"poll": [answers(429, Retry_After="2")] * 3},
    "F-22 queue full": {"create": [behaviours.queue_full] * 4},
    "F-22 500": {"create": [answers(500)] * 3, "poll": [answers(500)] * 4},
    "F-22 502 with HTML": {"create": [behaviours.bad_gateway] * 3, "poll": [behaviours.bad_gateway] * 4},
    "F-22 502 while learning": {"config_info": [behaviours.bad_gateway] * 3, "languages": [behaviours.bad_gateway]},
    "F-22 401": {"create": [answers(401)] * 2, "poll": [answers(401)]},
    "F-22 403": {"create": [answers(403)] * 2},
    "F-22 404 for the path": {"create": [answers(404, "<html>")] * 2},
    "F-22 404 for a language": {"language": [answers(404)] * 2},
    "F-22 null for a token": {"poll": [changed_items(lambda items: [None for _ in items])] * 3},
    "F-22 413": {"create": [answers(413, "<html>")] * 2},
    "F-22 422": {"create": [refused] * 2},
    "F-23 invalid JSON": {"create": [body(b"{")], "poll": [body(b'{"submissions": [')]},
    "F-23 truncated JSON": {"create": [behaviours.truncated], "poll": [behaviours.truncated]},
    "F-23 body cut short": {"create": [cut(0.5)], "poll": [cut(0.5)] * 3},
    "F-23 empty 200": {"create": [body(b"")], "poll": [body(b"")]},
    "F-23 HTML with 200": {"create": [body(behaviours.HTML)], "poll": [body(behaviours.HTML)]},
    "F-23 200 for 201": {"create": [changed(lambda items: items), answers(200, "[]")]},
    "F-23 deep JSON": {"create": [body(b"[" * 100_000)], "poll": [body(b"[" * 100_000)]},
    "F-23 NaN": {"poll": [body(b'{"submissions": [NaN, NaN]}')]},
    "F-23 unknown status": {"poll": [each_item(status_id=99), each_item(status_id=0)]},
    "F-23 status of a wrong type": {"poll": [each_item(status_id="3"), each_item(status_id=None)]},
    "F-23 missing field": {"poll": [each_item(status_id=b"drop"), each_item(exit_code=b"drop")]},
    "F-23 negative time": {"poll": [lambda e: e.send(e.right_answer()), each_item(time="-1")]},
    "F-23 huge time": {"poll": [each_item(status_id=3, time="1e9", memory=1, exit_code=0)]},
    "F-23 memory of a wrong type": {"poll": [each_item(status_id=3, time="0.1", wall_time="0.1", memory="many")]},
    "F-23 no base64": {
        "poll": [each_item(status_id=3, time="0", wall_time="0", memory=1, exit_code=0, stdout="!!")]
    },
    "F-24 reset before": {"create": [behaviours.reset] * 2, "poll": [behaviours.reset] * 2},
    "F-24 hung up": {"create": [behaviours.hung_up] * 2, "poll": [behaviours.hung_up] * 2},
    "F-24 created, and the answer is lost": {"create": [behaviours.reset_after] * 2},
    "F-25 the same token twice": {"create": [changed_items(duplicated)] * 2},
    "F-25 a batch partly refused": {"create": [changed_items(partly_refused)] * 2},
    "F-25 a token missing": {"create": [changed_items(lambda items: items[:1])] * 2},
    "F-25 null for a token on create": {"create": [changed_items(lambda items: [items[0], None])] * 2},
    "F-25 the same job twice": {"poll": [changed_items(duplicated)] * 2},
    "F-25 a foreign job": {"poll": [each_item(token="0" * 8 + "-0000-0000-0000-" + "0" * 12)] * 2},
    "F-25 in another order": {"poll": [changed_items(lambda items: items[::-1])] * 8},
    "F-25 one null among others": {"poll": [changed_items(lambda items: [None, *items[1:]])] * 2},
    "J-5 status 13": {"poll": [each_item(status_id=13), each_item(status_id=14)]},
}  # fmt: skip


class PassingFaultsTestCase:
    @pytest.mark.parametrize("name", PASSING)
    def test_a_fault_that_passes_costs_no_verdict(self, name: str, play: Play, standin: StandIn) -> None:
        standin.behave = in_turn(**PASSING[name])
        assert play.play() == RIGHT
        faults = sum(len(script) for script in PASSING[name].values())
        # A fault costs at most itself, and what follows a refusal: all four are learned anew.
        assert standin.total <= CLEAN_REQUESTS + 5 * faults
        assert standin.counts["other"] == 0
        assert max(play.tries()) <= 3


class LastingFaultsTestCase:
    @pytest.mark.parametrize(
        ("behave", "statuses", "most_requests"),
        [
            # Asked once a pause at most: by the trial of the breaker or by a health.
            pytest.param(always(all=answers(401)), PENDING, 25, id="F-22 a wrong key"),
            pytest.param(always(all=answers(403)), PENDING, 25, id="F-22 forbidden"),
            pytest.param(always(all=answers(404)), PENDING, 25, id="F-22 another server"),
            pytest.param(always(all=behaviours.bad_gateway), PENDING, 25, id="F-22 a proxy without a server"),
            pytest.param(always(all=answers(503, Retry_After="60")), PENDING, 25, id="F-22 overloaded"),
            pytest.param(always(all=behaviours.reset), PENDING, 25, id="F-24 resets"),
            # Well but for what is ours: three tries, and an end that costs the student nothing.
            pytest.param(always(create=refused), GIVEN_UP, 3 * 3 * 5, id="F-22 422"),
            pytest.param(always(create=answers(413)), GIVEN_UP, 3 * 3 * 5, id="F-22 413"),
            pytest.param(always(poll=each_item(status_id=99)), GIVEN_UP, 3 * 3 * 5, id="F-23 unknown status"),
            pytest.param(always(poll=each_item(status_id=13)), GIVEN_UP, 3 * 3 * 5, id="J-5 status 13"),
            pytest.param(always(create=changed_items(duplicated)), GIVEN_UP, 3 * 3 * 5, id="F-25 double tokens"),
        ],
    )
    def test_a_fault_that_lasts_gives_no_verdict(
        self,
        behave: Callable[[Exchange], Behaviour],
        statuses: list[str],
        most_requests: int,
        play: Play,
        standin: StandIn,
    ) -> None:
        standin.behave = behave
        assert play.play(12) == statuses
        assert standin.total <= most_requests
        assert all(Submission.objects.get(pk=pk).score is None for pk in play.submissions)
        if statuses == PENDING:
            assert play.tries() == [0, 0, 0]
            assert not play.engine.health().is_ready
            standin.behave = in_turn()
            play.clock.now_s += 400
            assert play.play() == RIGHT

    @pytest.mark.parametrize(
        "behave",
        [
            pytest.param(always(create=behaviours.queue_full), id="its queue is full"),
            pytest.param(always(create=answers(429)), id="429"),
            pytest.param(always(create=answers(503, Retry_After="10")), id="503 with Retry-After"),
        ],
    )
    def test_a_full_server_is_waited_for_and_costs_no_try(
        self, behave: Callable[[Exchange], Behaviour], play: Play, standin: StandIn
    ) -> None:
        """Though it is well otherwise, and says so: a storm must not end in `internal_error`."""
        standin.behave = behave
        assert play.play(20) == PENDING
        assert play.tries() == [0, 0, 0]
        assert standin.counts["create"] <= 3 * 20
        standin.behave = in_turn()
        play.clock.now_s += 400
        assert play.play() == RIGHT

    @pytest.mark.parametrize("status", [1, 2])
    def test_stuck_jobs_are_sent_anew_and_the_old_ones_forgotten(
        self, status: int, play: Play, standin: StandIn
    ) -> None:
        """F-26, J-6."""
        standin.behave = always(poll=each_item(status_id=status))
        play.round()
        assert play.statuses() == PENDING
        old = list(standin.api.jobs)
        # Polled about once a second for the half minute that a job may wait, and its own time.
        assert standin.total < 3 * 90
        polled: list[str] = []

        def noting(exchange: Exchange) -> None:
            polled.append(exchange.query["tokens"])
            exchange.send(exchange.right_answer())

        standin.behave = always(poll=noting)
        play.pass_pauses()
        assert play.play() == RIGHT
        assert not any(token in tokens for token in old for tokens in polled)

    def test_a_judge0_that_forgot_its_jobs(self, play: Play, standin: StandIn) -> None:
        """F-26: its database was reset between POST and poll."""

        def forgetting(exchange: Exchange) -> None:
            exchange.standin.api.jobs.clear()
            exchange.send(exchange.right_answer())

        standin.behave = in_turn(poll=[forgetting])
        assert play.play() == RIGHT


class F27FlappingTestCase:
    def test_five_seconds_up_five_down(self, play: Play, standin: StandIn) -> None:
        ups_and_downs = (answers(500), behaviours.reset, behaviours.bad_gateway, behaviours.queue_full)

        def flapping(exchange: Exchange) -> Behaviour:
            phase = int(play.clock.now_s // 5)
            return ups_and_downs[phase // 2 % 4] if phase % 2 else lambda e: e.send(e.right_answer())

        standin.behave = flapping
        more = [play._submission(3 + number) for number in range(12)]
        # Each takes a while, so that many begin, and are polled, while it is down.
        standin.api.judge = canaries.knowing(polls=8)
        play.play(30)
        statuses = Submission.objects.in_bulk([*play.submissions, *more])
        assert [statuses[pk].status for pk in play.submissions] == RIGHT
        assert {statuses[pk].status for pk in more} == {"accepted"}
        assert standin.counts["create"] <= 3 * 15


class F28WrongResultsTestCase:
    @pytest.mark.parametrize(
        ("fields", "statuses"),
        [
            ({"status_id": 3, "stdout": b64(b"other")}, ["wrong_answer", "wrong_answer"]),
            ({"status_id": 3, "stdout": None}, ["wrong_answer", "wrong_answer"]),
            ({"status_id": 4}, ["accepted", "wrong_answer"]),
        ],
        ids=["accepted, with another output", "accepted, with none", "wrong answer, with the right output"],
    )
    def test_our_checker_decides(
        self, fields: dict[str, object], statuses: list[str], play: Play, standin: StandIn
    ) -> None:
        def lie(items: list[Any]) -> list[Any]:
            return [item | fields if item["status_id"] == 3 else item for item in items]

        standin.behave = always(poll=changed_items(lie))
        assert play.play() == [*statuses, "runtime_error"]

    def test_nothing_that_judge0_could_decide_with_is_sent(self, play: Play, standin: StandIn) -> None:
        play.play()
        assert all("expected_output" not in submission for submission in standin.api.submissions)


class F29CallbacksTestCase:
    def test_no_callback_is_asked_for_so_none_can_be_lost_or_forged(self, play: Play, standin: StandIn) -> None:
        play.play()
        assert standin.api.submissions
        assert not any("callback_url" in submission for submission in standin.api.submissions)


class ControlsTestCase:
    """Each protection taken away, the play that it carries turns red."""

    def test_results_by_position_reach_the_wrong_test(
        self, play: Play, standin: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            client,
            "_by_token",
            lambda answer, tokens: dict(zip(tokens, map(client.parse_job, answer["submissions"]), strict=True)),
        )
        standin.behave = always(poll=changed_items(lambda items: items[::-1]))
        assert play.play()[0] == "wrong_answer"

    def test_without_the_breaker_a_dead_server_is_asked_all_the_time(
        self, play: Play, standin: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(breaker, "FAULTS_TO_OPEN", 10**9)
        monkeypatch.setattr(BatchRun, "_pause", lambda *_: None)
        standin.behave = always(all=behaviours.bad_gateway)
        play.play(12)
        assert standin.total > 25

    def test_a_health_that_says_yes_to_everything_costs_tries(
        self, play: Play, standin: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(play.engine, "health", lambda: EngineHealth(is_ready=True, tier="judge0", detail=""))
        standin.behave = always(all=answers(401))
        assert GIVEN_UP[0] in play.play(12)

    def test_a_full_server_taken_for_a_broken_submission_ends_in_internal_errors(
        self, play: Play, standin: StandIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Never(Exception):
            pass

        monkeypatch.setattr(judge, "EngineBusy", Never)
        standin.behave = always(create=behaviours.queue_full)
        assert GIVEN_UP[0] in play.play(20)
