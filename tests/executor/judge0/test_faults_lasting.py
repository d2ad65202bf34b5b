"""F-20 to F-29 played to the end: faults that last or come and go, and the plays without their protections."""

from collections.abc import Callable

import pytest

from executor.engines.base import EngineHealth
from executor.engines.judge0 import breaker, client
from executor.engines.judge0.batch import BatchRun
from executor.models import Submission
from executor.queue import judge
from tests.executor.judge0.played import GIVEN_UP, PENDING, RIGHT, Play, always, duplicated, refused
from tests.executor.judge0.standin import Behaviour, Exchange, StandIn, behaviours, canaries, in_turn
from tests.executor.judge0.standin.behaviours import answers, changed_items, each_item

pytestmark = pytest.mark.django_db


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
        more = [play.add_submission(3 + number) for number in range(12)]
        # Each takes a while, so that many begin, and are polled, while it is down.
        standin.api.judge = canaries.knowing(polls=8)
        play.play(30)
        statuses = Submission.objects.in_bulk([*play.submissions, *more])
        assert [statuses[pk].status for pk in play.submissions] == RIGHT
        assert {statuses[pk].status for pk in more} == {"accepted"}
        assert standin.counts["create"] <= 3 * 15


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
