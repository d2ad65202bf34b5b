"""Playing a fault to the end: submissions, a worker, and an engine on the stand-in.

Three submissions that print who they are: a right one, a wrong one and one that fails. What must come of a fault:
these three verdicts in the end, or an honest `internal_error`; nothing lost, and not many more requests than without.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Max
from django.utils import timezone

from executor.engines.judge0 import Judge0Engine, Timeouts
from executor.models import Judgement, Submission
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from tests.courses.factories import AlgorithmProblemFactory
from tests.executor.factories import SubmissionFactory
from tests.executor.judge0.standin import Behaviour, Exchange, Reply, StandIn, canaries
from tests.executor.judge0.support import KEY, FakeClock

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
        self.submissions = [self.add_submission(number) for number in range(3)]

    def add_submission(self, number: int) -> int:
        """Hand in the canary of a number; 1 is wrong on its second test, and 2 fails."""
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


def always(**chosen: Behaviour) -> Callable[[Exchange], Behaviour]:
    return lambda exchange: chosen.get(exchange.kind, chosen.get("all", lambda e: e.send(e.right_answer())))


def refused(exchange: Exchange) -> None:
    exchange.send(Reply.of(422, [{"source_code": ["can't be blank"]}] * len(exchange.body["submissions"])))


def duplicated(items: list[Any]) -> list[Any]:
    return [items[0]] * len(items)
