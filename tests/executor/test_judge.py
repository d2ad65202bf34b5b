"""What becomes of a claimed judgement, whatever the engine does."""

import pytest
from django.utils import timezone
from prometheus_client.metrics import MetricWrapperBase
from pytest_django import DjangoCaptureOnCommitCallbacks

from courses.models import AlgorithmProblem
from executor import metrics
from executor.engines.base import EngineProtocolError, EngineRejected, EngineUnavailable, RunResult, RunStatus
from executor.models import Judgement, Submission
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from executor.signals import submission_judged
from tests.courses.factories import AlgorithmProblemFactory
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine, double, run_result

pytestmark = pytest.mark.django_db


def judge(engine: ScriptedEngine) -> Submission:
    claim = claim_next()
    assert claim is not None
    judge_claimed(claim, CodeExecutorService(engine))
    return Submission.objects.select_related("current_judgement").get(current_judgement=claim.judgement_id)


class TestJudgeClaimed:
    def test_a_right_program_is_accepted(self) -> None:
        SubmissionFactory()
        submission = judge(ScriptedEngine())
        assert (submission.status, submission.score) == ("accepted", 100)

    def test_a_partly_right_program_gets_its_share(self) -> None:
        SubmissionFactory()
        submission = judge(ScriptedEngine(lambda stdin: double(stdin) if int(stdin) < 10 else run_result(b"0")))
        assert (submission.status, submission.score) == ("wrong_answer", 50)

    def test_expected_outputs_never_reach_the_engine(self) -> None:
        problem = AlgorithmProblemFactory(tests=[("1", "CANARY-1"), ("2", "CANARY-2")]).problem
        SubmissionFactory(problem=problem)
        engine = ScriptedEngine()
        judge(engine)
        assert engine.requests
        assert "CANARY" not in repr(engine.requests)

    def test_an_engine_that_is_away_costs_no_try(self) -> None:
        SubmissionFactory()
        submission = judge(ScriptedEngine(lambda stdin: EngineUnavailable("gone"), is_ready=False))
        judgement = submission.current_judgement
        assert judgement is not None
        assert (submission.status, judgement.tries, judgement.fault) == ("pending", 0, "gone")

    def test_its_own_wish_for_a_pause_is_kept(self) -> None:
        SubmissionFactory()
        answer = EngineUnavailable("full", retry_after_s=300)
        submission = judge(ScriptedEngine(lambda stdin: answer, is_ready=False))
        assert submission.current_judgement is not None
        assert submission.current_judgement.not_before is not None
        assert (submission.current_judgement.not_before - timezone.now()).total_seconds() > 250

    @pytest.mark.parametrize(
        "fault",
        [
            EngineUnavailable("only for this one"),
            EngineRejected("bad"),
            EngineProtocolError("odd"),
            ZeroDivisionError(),
        ],
        ids=["unavailable but well", "rejected", "protocol", "bug"],
    )
    def test_other_faults_are_tried_three_times_and_never_cost_a_student(self, fault: Exception) -> None:
        SubmissionFactory()
        for number in (1, 2, 3):
            submission = judge(ScriptedEngine(lambda stdin: fault))
            assert submission.status == ("pending" if number < 3 else "internal_error")
            Judgement.objects.update(not_before=None)
        assert submission.score is None
        assert claim_next() is None

    def test_an_authoring_fault_is_not_tried_again(self) -> None:
        problem = AlgorithmProblemFactory().problem
        SubmissionFactory(problem=problem, language="c", files=[{"name": "main.c", "content": "x"}])
        AlgorithmProblem.objects.update(entry_point="solve")
        submission = judge(ScriptedEngine())
        assert submission.status == "internal_error"
        assert submission.current_judgement is not None
        assert "template" in submission.current_judgement.fault

    @pytest.mark.parametrize(
        ("run", "status"),
        [
            (run_result(status=RunStatus.TIME_LIMIT, exit_code=None), "time_limit_exceeded"),
            (run_result(status=RunStatus.WALL_LIMIT, exit_code=None), "time_limit_exceeded"),
            (run_result(status=RunStatus.MEMORY_LIMIT, exit_code=1), "memory_limit_exceeded"),
            (run_result(status=RunStatus.OUTPUT_LIMIT, exit_code=None), "output_limit_exceeded"),
            (run_result(exit_code=3), "runtime_error"),
            (run_result(status=RunStatus.SIGNALED, exit_code=None), "runtime_error"),
            (run_result(b"\x00\xff NaN"), "wrong_answer"),
        ],
    )
    def test_measurements_become_verdicts(self, run: RunResult, status: str) -> None:
        SubmissionFactory()
        assert judge(ScriptedEngine(lambda stdin: run)).status == status


class TestSubmissionJudged:
    def test_it_is_sent_inside_the_transaction_with_both_statuses(self) -> None:
        heard: list[tuple[object, object]] = []

        def receiver(sender: object, previous: object, current: object, **kwargs: object) -> None:
            heard.append((previous, current))

        submission_judged.connect(receiver)
        try:
            SubmissionFactory()
            judge(ScriptedEngine())
        finally:
            submission_judged.disconnect(receiver)
        assert heard == [("judging", "accepted")]

    def test_a_receiver_that_fails_leaves_nothing_half_done(self) -> None:
        def receiver(sender: object, **kwargs: object) -> None:
            raise RuntimeError("exam scores cannot be written")

        submission_judged.connect(receiver)
        try:
            SubmissionFactory()
            submission = judge(ScriptedEngine())
        finally:
            submission_judged.disconnect(receiver)
        judgement = submission.current_judgement
        assert judgement is not None
        assert (submission.status, submission.score, judgement.state) == ("pending", None, "pending")
        assert judgement.test_results.count() == 0


class TestCounted:
    """What `/metrics` learns of judging: nothing that was not committed."""

    @staticmethod
    def count(metric: MetricWrapperBase, **labels: str) -> float:
        """How much a metric has under these labels; of a histogram, how often it was observed."""
        samples = [sample for family in metric.collect() for sample in family.samples if sample.labels == labels]
        return sum(sample.value for sample in samples if sample.name.endswith(("_total", "_count")))

    def test_verdicts_and_how_long_judging_took(
        self, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        def figures() -> tuple[float, float]:
            verdicts = self.count(metrics.VERDICTS, verdict="accepted", lane="live")
            return verdicts, self.count(metrics.RUN_SECONDS, lane="live")

        SubmissionFactory()
        before = figures()
        with django_capture_on_commit_callbacks() as callbacks:
            judge(ScriptedEngine())
        assert figures() == before
        for callback in callbacks:
            callback()
        assert figures() == (before[0] + 1, before[1] + 1)

    @pytest.mark.parametrize("fault", [EngineUnavailable("gone"), EngineProtocolError("odd")])
    def test_faults_of_the_engine_by_kind(self, fault: Exception) -> None:
        SubmissionFactory()
        kind = type(fault).__name__
        before = self.count(metrics.ENGINE_ERRORS, kind=kind)
        judge(ScriptedEngine(lambda stdin: fault))
        assert self.count(metrics.ENGINE_ERRORS, kind=kind) == before + 1
