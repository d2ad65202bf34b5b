"""F-20 to F-29 played to the end: faults that pass, wrong results, callbacks. Those that last are in another file."""

import socket
from typing import Any

import pytest
from urllib3.util import connection

from executor.engines.judge0 import breaker
from executor.models import Judgement, Submission
from tests.executor.judge0.played import CLEAN_REQUESTS, PENDING, RIGHT, Play, always, duplicated, refused
from tests.executor.judge0.standin import Behaviour, StandIn, behaviours, in_turn
from tests.executor.judge0.standin.behaviours import answers, body, changed, changed_items, cut, each_item, slow
from tests.executor.judge0.support import b64

pytestmark = pytest.mark.django_db


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
