"""An engine that is away costs a student the wait, and nothing else; back online, work goes on by itself.

Lines 4 and 7 of `ErrorRecoveryTestCase` in the test plan, as they concern judging.
"""

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from courses.models import AlgorithmProblem, Enrollment, Problem, ProblemProgress
from executor.engines.base import EngineHealth, EngineUnavailable, OnResult, RunReport, RunRequest
from executor.engines.judge0 import Judge0Engine
from executor.models import Judgement, Submission, TestResult
from executor.queue import claims, judge
from tests.core.redis_servers import free_port
from tests.courses.factories import AlgorithmProblemFactory
from tests.courses.progressing import drifted, progress_of
from tests.courses.refusals import ApiAs, refusal
from tests.executor.databases import claimed, judge_next
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine
from tests.executor.judge0.played import TIMEOUTS
from tests.executor.judge0.standin import StandIn, canaries
from tests.executor.judge0.support import KEY
from tests.executor.recovering import ADDRESS, all_judged, body, pauses_over, working
from tests.shell import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

CANARY = 7
SANDBOX = "executor.engines.sandbox.SandboxEngine"


@pytest.fixture(autouse=True)
def quick_workers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EXECUTOR_POLL_S = settings.EXECUTOR_SWEEP_S = 0.05
    monkeypatch.setattr(claims, "BACKOFF_FIRST_S", 0.05)


@pytest.fixture
def problem() -> Problem:
    given = [f"given {number}" for number in range(2)]
    tests = [(text, canaries.output(CANARY, text)) for text in given]
    problem: Problem = AlgorithmProblemFactory(tests=tests).problem
    # Each test is a job of its own, which the stand-in can answer without running anything.
    AlgorithmProblem.objects.filter(problem=problem).update(isolates_tests=True)
    return problem


@pytest.fixture
def student(enrollment: Enrollment, api_as: ApiAs) -> APIClient:
    return api_as(enrollment.user)


def was_tried_in_vain() -> bool:
    """At least three times, and none of them was counted."""
    return Judgement.objects.filter(state="pending", faults__gte=3, tries=0).exists()


class ErrorRecoveryTestCase:
    def test_with_judge0_away_it_is_accepted_and_judged_once_it_is_back(
        self, problem: Problem, enrollment: Enrollment, student: APIClient
    ) -> None:
        """Lines 4 and 7: 202, nothing charged; nobody has to ask again."""
        port = free_port()
        engine = Judge0Engine(base_url=f"http://127.0.0.1:{port}", auth_token=KEY, timeouts=TIMEOUTS)
        with working(engine):
            response = student.post(ADDRESS, body(problem, canaries.source(CANARY)))
            assert response.status_code == 202
            assert response.json()["status"] in Submission.UNFINISHED
            wait_until(was_tried_in_vain, what="it is tried in vain")
            shown = student.get(response["Location"]).json()
            assert (shown["status"] in Submission.UNFINISHED, shown["score"], shown["tests"]) == (True, None, [])
            assert not ProblemProgress.objects.exists()
            with StandIn(canaries.knowing(), auth_token=KEY, port=port):
                wait_until(all_judged, what="it is judged")
        judgement = Judgement.objects.get()
        assert (judgement.verdict, judgement.engine, judgement.tries) == ("accepted", "judge0", 1)
        assert TestResult.objects.count() == 2
        assert progress_of(enrollment, problem).attempts == 1
        assert drifted() == []

    def test_with_a_sandbox_that_cannot_run_it_waits_until_it_can(
        self, problem: Problem, enrollment: Enrollment, student: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Line 4, with the embedded engine: the real one, once it is let."""

        def away(*args: object) -> None:
            raise EngineUnavailable("no user namespaces here")

        unready = EngineHealth(is_ready=False, tier="none", detail="no user namespaces here")
        with monkeypatch.context() as outage:
            outage.setattr(f"{SANDBOX}.run", away)
            outage.setattr(f"{SANDBOX}.health", lambda self: unready)
            with working():
                response = student.post(ADDRESS, body(problem, canaries.source(CANARY)))
                assert response.status_code == 202
                wait_until(was_tried_in_vain, what="it is tried in vain")
                assert not ProblemProgress.objects.exists()
                outage.undo()
                wait_until(all_judged, what="it is judged")
        judgement = Judgement.objects.get()
        assert (judgement.verdict, judgement.engine, judgement.tries) == ("accepted", "sandbox", 1)
        assert progress_of(enrollment, problem).attempts == 1

    def test_what_waits_for_the_engine_keeps_its_place(self, student: APIClient, problem: Problem) -> None:
        """Line 4: who came first during the outage is judged first after it, and nobody twice."""
        made = [student.post(ADDRESS, body(problem)).json()["id"] for _ in range(3)]
        for _ in made:
            judge_next(ScriptedEngine(lambda stdin: EngineUnavailable("away"), is_ready=False))
        pauses_over()
        assert [claimed().submission_id for _ in made] == made
        assert claims.claim_next() is None

    def test_control_charged_like_other_faults_an_outage_would_end_as_an_error(
        self, student: APIClient, problem: Problem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def charging(claim: claims.Claim, **options: object) -> None:
            claims.claim_return(claim, fault="away", is_charged=True)

        monkeypatch.setattr(judge, "claim_return", charging)
        with working(ScriptedEngine(lambda stdin: EngineUnavailable("away"), is_ready=False)):
            assert student.post(ADDRESS, body(problem)).status_code == 202
            wait_until(all_judged, what="it ends")
        assert Submission.objects.get().status == "internal_error"

    def test_a_fault_over_one_submission_is_not_the_others(self, enrollment: Enrollment, problem: Problem) -> None:
        """Line 4: what breaks the engine ends as ours after three tries, and the queue goes on."""
        broken = SubmissionFactory(problem=problem, files=[{"name": "main.py", "content": "# breaks it"}])
        others = [SubmissionFactory(user=enrollment.user) for _ in range(3)]

        class Breaking(ScriptedEngine):
            def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
                if "breaks" in request.files[0].content:
                    raise EngineUnavailable("it died")
                return super().run(request, on_result)

        with working(Breaking()):
            wait_until(all_judged, what="all are judged")
        statuses = dict(Submission.objects.values_list("pk", "status"))
        assert statuses == {broken.pk: "internal_error"} | {each.pk: "accepted" for each in others}
        assert not ProblemProgress.objects.filter(problem=problem).exists()

    def test_a_free_run_without_an_engine_is_503(
        self, enrollment: Enrollment, student: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Line 7: somebody waits for it, so it is told at once and not queued; the place is free again."""

        def away(*args: object) -> None:
            raise EngineUnavailable("no user namespaces here")

        with monkeypatch.context() as outage:
            outage.setattr(f"{SANDBOX}.run", away)
            for _ in range(3):
                response = student.post("/api/v1/runs/", {"language": "python", "code": "print(1)"})
                assert refusal(response) == (503, "service_unavailable")
                assert int(response["Retry-After"]) > 0
        response = student.post("/api/v1/runs/", {"language": "python", "code": "print(1)"})
        assert response.status_code == 200
