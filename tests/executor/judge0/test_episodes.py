"""A thousand random episodes with a Judge0 that misbehaves, each made by its seed, after those of its block before it.

An episode judges one program that prints who it is, on a few tests; the first requests meet random faults, the later
ones none. It is tried again as the queue would. In the end its verdict must be the right one, each result its own, and
the requests not many more than the faults explain.
"""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from executor.engines.base import EngineError, EngineUnavailable
from executor.engines.judge0 import Judge0Engine, Timeouts, client
from executor.engines.judge0.batch import BatchRun
from executor.judging.verdicts import Verdict
from executor.services.code_executor import CodeExecutorService
from tests.executor.judge0.standin import Behaviour, Exchange, StandIn, behaviours, canaries
from tests.executor.judge0.standin.behaviours import answers, body, changed, changed_items, cut, each_item
from tests.executor.judge0.support import FakeClock

EPISODES, BLOCKS = 1000, 20
MOST_FAULTY_REQUESTS = 12
# Real seconds for silence, which few episodes meet; everything else passes on the fake clock.
TIMEOUTS = Timeouts(connect_s=1.0, read_s=0.5, exchange_s=0.7, queue_allowance_s=30.0)
FOREIGN = "00000000-0000-0000-0000-000000000000"
TRANSPORT: tuple[Behaviour, ...] = (
    behaviours.reset,
    behaviours.hung_up,
    behaviours.reset_after,
    behaviours.bad_gateway,
    behaviours.queue_full,
    behaviours.truncated,
    answers(500),
    answers(503),
    answers(503, Retry_After="3"),
    answers(429),
    answers(429, Retry_After="7"),
    answers(401),
    answers(404, "<html>"),
    answers(302, Location="/elsewhere"),
    answers(413),
    answers(204),
    cut(0.0),
    cut(0.7),
    body(b""),
    body(b"null"),
    body(b"7"),
    body(b"<html>"),
    body(b"[" * 5000),
    body(b'{"a": NaN}'),
)
SILENT: tuple[Behaviour, ...] = (behaviours.hang, behaviours.hang_after, behaviours.drip)
SHARE_OF_SILENT = 0.005


def without(fields: list[str]) -> Behaviour:
    """An object that lacks one of these, taken at random by the caller."""
    return changed(lambda found: {name: value for name, value in found.items() if name not in fields})


LEARNING: dict[str, tuple[Behaviour, ...]] = {
    "about": (without(["version"]), changed(lambda _: {"version": 7})),
    "config_info": (without(["max_memory_limit"]), changed(lambda found: {**found, "max_cpu_time_limit": "15"})),
    "languages": (changed(lambda found: {"languages": found}), changed(lambda found: [{"id": "71"}, *found])),
    "language": (changed(lambda _: []), changed(lambda _: {"run_cmd": 7})),
}
CREATE: tuple[Behaviour, ...] = (
    changed(lambda items: {"tokens": items}),
    changed_items(lambda items: items[:-1]),
    changed_items(lambda items: [*items, items[0]]),
    changed_items(lambda items: [items[0]] * (len(items) + 1)),
    changed_items(lambda items: [{"language_id": ["doesn't exist"]}, *items[1:]]),
    changed_items(lambda items: [{"token": None}, *items[1:]]),
    changed_items(lambda items: [None, *items[1:]]),
)
POLL: tuple[Behaviour, ...] = (
    changed(lambda found: found["submissions"]),
    changed_items(lambda items: items[:-1]),
    changed_items(lambda items: [*items, items[0]]),
    changed_items(lambda items: [items[-1]] * len(items)),
    changed_items(lambda items: [None, *items[1:]]),
    changed_items(lambda items: [None] * len(items)),
    each_item(token=FOREIGN),
    each_item(status_id=1),
    each_item(status_id=2),
    each_item(status_id=0),
    each_item(status_id=13),
    each_item(status_id=14),
    each_item(status_id=15),
    each_item(status_id="3"),
    each_item(status_id=None),
    each_item(status_id=True),
    each_item(time=None),
    each_item(time="-0.1"),
    each_item(time=0.1),
    each_item(memory="1000"),
    each_item(memory=-1),
    each_item(memory=2**40),
    each_item(exit_code=None),
    each_item(exit_code=256),
    each_item(exit_signal=0),
    each_item(stdout="not base64!"),
    each_item(stdout=7),
    each_item(stdout=b"drop"),
    each_item(token=b"drop"),
)


class WrongVerdict(AssertionError):
    """The worst that can happen."""


@dataclass(frozen=True)
class Told:
    """What an episode took."""

    requests: int
    faults: int
    tries: int


class Episodes:
    """One engine and one stand-in, on which episodes are played one after the other."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self.clock = FakeClock()
        self.service = CodeExecutorService(
            Judge0Engine(base_url=standin.url, timeouts=TIMEOUTS, clock=self.clock, sleep=self.clock.sleep)
        )
        self.answered: list[str] = []

    def play(self, seed: int) -> Told:
        """Play the episode of a seed.

        Raises:
            WrongVerdict: a verdict or a result was not the program's own.
            AssertionError: it was not judged in the end, or asked for too much.
        """
        rng = random.Random(seed)
        kind = rng.choice(["right", "right", "wrong", "failing"])
        plan = canaries.plan(seed, tests=rng.randint(1, 5), fails=kind == "failing", is_right=kind != "wrong")
        verdict = {
            "right": Verdict.ACCEPTED,
            "wrong": Verdict.WRONG_ANSWER,
            "failing": Verdict.RUNTIME_ERROR,
        }[kind]
        self.standin.api.judge = canaries.knowing(polls=rng.randint(0, 3))
        faults_left, share, faults = rng.randint(0, MOST_FAULTY_REQUESTS), rng.choice([0.3, 0.6, 0.9]), 0

        def choose(exchange: Exchange) -> Behaviour:
            nonlocal faults_left, faults
            if faults_left > 0:
                faults_left -= 1
                if rng.random() < share:
                    faults += 1
                    return self.random_fault(rng, exchange.kind)
            return shuffled if exchange.kind == "poll" else self.well

        # Judge0 answers in the order of the tokens, and promises it nowhere.
        shuffled = changed_items(lambda items: rng.sample(items, len(items)))
        self.standin.behave = choose
        before = self.standin.total
        # No pause of the breaker is left over from the episode before.
        self.clock.now_s += 100
        for tries in itertools.count(1):
            assert tries <= MOST_FAULTY_REQUESTS + 1, f"seed {seed}: never judged"
            try:
                outcome = self.service.run_all_test_cases(plan)
                break
            except EngineError as error:
                wish_s = error.retry_after_s if isinstance(error, EngineUnavailable) else None
                self.clock.now_s += wish_s or 2.0**tries
        if outcome.verdict is not verdict:
            raise WrongVerdict(f"seed {seed}: {outcome.verdict} instead of {verdict}")
        for index, test in enumerate(outcome.tests):
            if test.printed.decode() != canaries.output(seed, f"given {seed} {index}"):
                raise WrongVerdict(f"seed {seed}: test {index} printed {test.printed!r}")
        told = Told(self.standin.total - before, faults, tries)
        # Each try learns at most four things, posts once, and polls as often as a job lasts.
        assert told.requests <= told.faults + 9 * told.tries, f"seed {seed}: {told}"
        return told

    def random_fault(self, rng: random.Random, kind: str) -> Behaviour:
        if rng.random() < SHARE_OF_SILENT:
            return rng.choice(SILENT)
        own = {"create": CREATE, "poll": POLL}.get(kind) or LEARNING.get(kind, ())
        if rng.random() < 0.5:
            return rng.choice(TRANSPORT)
        if kind == "create" and self.answered and rng.random() < 0.2:
            old = rng.choice(self.answered)
            return changed_items(lambda items: [{"token": old}, *items[1:]])
        return rng.choice(own)

    def well(self, exchange: Exchange) -> None:
        reply = exchange.right_answer()
        if exchange.kind == "create" and reply.status == 201:
            self.answered += [item["token"] for item in reply.json]
        exchange.send(reply)


@pytest.fixture
def episodes() -> Iterator[Episodes]:
    with StandIn(canaries.knowing()) as standin:
        yield Episodes(standin)


class EpisodesTestCase:
    @pytest.mark.parametrize("block", range(BLOCKS))
    def test_random_episodes_end_with_the_right_verdict(self, block: int, episodes: Episodes) -> None:
        per_block = EPISODES // BLOCKS
        told = [episodes.play(seed) for seed in range(block * per_block, (block + 1) * per_block)]
        assert len(told) == per_block
        # They are what they are meant to be: most of them meet faults, and many have to begin again.
        assert sum(one.faults for one in told) > 2 * per_block
        assert sum(one.tries > 1 for one in told) > per_block // 4
        assert episodes.standin.counts["other"] == 0


def results_by_position(answer: Any, tokens: Any) -> Any:
    return dict(zip(tokens, map(client.parse_job, answer["submissions"]), strict=True))


class EpisodesControlTestCase:
    """A client that is broken in one place is found out, so the episodes above could have failed."""

    def first_wrong(self, episodes: Episodes, most: int = 400) -> int | None:
        for seed in range(most):
            try:
                episodes.play(seed)
            except WrongVerdict:
                return seed
            except (AssertionError, KeyError, TypeError, ValueError):
                # Broken, it also breaks in other ways; the episode after it starts anew.
                continue
        return None

    def test_results_by_position(self, episodes: Episodes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "_by_token", results_by_position)
        assert self.first_wrong(episodes) is not None

    def test_tokens_that_are_not_remembered(self, episodes: Episodes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client.Judge0Client, "_remember", lambda *_: None)
        assert self.first_wrong(episodes) is not None

    def test_a_status_that_is_believed(self, episodes: Episodes, monkeypatch: pytest.MonkeyPatch) -> None:
        """A client that takes an unknown status for an end, and missing figures for zero."""

        def credulous(item: dict[str, object]) -> Any:
            whole = {"stdout": None, "token": "0" * 8, **item, "time": "0", "wall_time": "0", "memory": 0}
            if whole["status_id"] in (1, 2, None):
                whole["status_id"] = 3
            if whole["status_id"] not in range(3, 13):
                whole |= {"status_id": 11, "exit_code": 1}
            return parse_job({**whole, "exit_code": whole["exit_code"] or 0})

        parse_job = client.parse_job
        monkeypatch.setattr(client, "parse_job", credulous)
        assert self.first_wrong(episodes) is not None

    def test_polls_without_a_pause_and_without_an_end(
        self, episodes: Episodes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def eager(self: BatchRun, tokens: list[str]) -> Any:
            for _ in range(100):
                try:
                    return self._client.results(tokens, budget_s=1.0)
                except EngineUnavailable:
                    continue
            raise EngineUnavailable("in the end")

        monkeypatch.setattr(BatchRun, "_results", eager)
        monkeypatch.setattr(episodes.service.engine._client.wire.breaker, "admit", lambda _where: 0)  # type: ignore[attr-defined]
        episodes.standin.behave = only_polls_fail
        before = episodes.standin.total
        with pytest.raises(EngineUnavailable):
            episodes.service.run_all_test_cases(canaries.plan(1, tests=1))
        assert episodes.standin.total - before > 9 + MOST_FAULTY_REQUESTS


def only_polls_fail(exchange: Exchange) -> Behaviour:
    failing: Callable[[Exchange], None] = behaviours.bad_gateway
    return failing if exchange.kind == "poll" else (lambda found: found.send(found.right_answer()))
