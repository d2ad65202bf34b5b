"""Which submissions may share a box or a job between their tests: practice may, an exam never."""

import pytest

from courses.models import AlgorithmProblem
from executor.engines.base import RunReport, RunRequest
from executor.engines.sandbox import SandboxEngine
from executor.judging.languages import LANGUAGES
from executor.models import Submission
from executor.services.code_executor import CodeExecutorService
from executor.services.judgements import judgement_plan
from tests.executor.factories import SubmissionFactory


class Listening(SandboxEngine):
    """Notes what it is asked, and runs nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[RunRequest] = []

    def run(self, request: RunRequest, on_result: object = None) -> RunReport:
        self.requests.append(request)
        return RunReport(compilation=None, results=(), tier="A")


@pytest.mark.django_db
class ExclusiveRunsTestCase:
    @pytest.mark.parametrize(
        ("purpose", "is_exclusive"),
        [
            (Submission.Purpose.PRACTICE, False),
            (Submission.Purpose.VERIFY, False),
            (Submission.Purpose.EXAM, True),
        ],
    )
    def test_the_engine_is_told(self, purpose: Submission.Purpose, is_exclusive: bool) -> None:
        submission = SubmissionFactory(purpose=purpose)
        engine = Listening()
        CodeExecutorService(engine).run_all_test_cases(judgement_plan(submission.current_judgement))
        assert [request.is_exclusive for request in engine.requests] == [is_exclusive]
        assert engine.requests[0].toolchain is LANGUAGES["python"].toolchain

    def test_a_problem_may_ask_for_it(self) -> None:
        submission = SubmissionFactory()
        AlgorithmProblem.objects.update(isolates_tests=True)
        submission.problem.algorithm.refresh_from_db()
        engine = Listening()
        CodeExecutorService(engine).run_all_test_cases(judgement_plan(submission.current_judgement))
        assert engine.requests[0].is_exclusive

    def test_every_purpose_is_decided_above(self) -> None:
        assert set(Submission.Purpose) == {
            Submission.Purpose.PRACTICE,
            Submission.Purpose.VERIFY,
            Submission.Purpose.EXAM,
        }
