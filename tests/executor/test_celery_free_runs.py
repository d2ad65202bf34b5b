"""Free runs and samples that a worker elsewhere makes: the way there and back, and what happens when nobody comes."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from threading import BoundedSemaphore

import pytest
from django.core.cache import cache
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from core.errors import ServiceUnavailable
from core.housekeeping import clean_up
from executor.engines.base import (
    CompileResult,
    EngineBusy,
    EngineProtocolError,
    EngineRejected,
    EngineUnavailable,
    RunResult,
    RunStatus,
    SourceFile,
)
from executor.judging.checkers import CheckerSpec
from executor.judging.custom import CustomChecker
from executor.judging.languages import LANGUAGES
from executor.judging.outcome import JudgingOutcome, TestOutcome
from executor.judging.plan import JudgingPlan, PlannedTest
from executor.judging.scoring import ScoreGroup
from executor.judging.verdicts import Verdict
from executor.models import Judgement, QueuedRun, RunQuota
from executor.queue.publishing import Message
from executor.services import lane, queued_runs
from executor.services.code_executor import CodeExecutorService, FreeRun
from executor.services.lane import RunCapacityFull, lane_place
from executor.services.languages import FLEET_KEY, available_languages, languages_tell
from executor.services.queued_runs import QueuedExecutor, queued_run_work_off, queued_runs_overlooked
from executor.services.run_codec import from_text, to_text
from executor.services.runs import free_run_limits, run_create
from executor.services.samples import samples_run
from executor.services.submissions import ProblemNotReady
from executor.signals import free_run_queued
from tests.accounts.factories import UserFactory
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.executor.factories import DOUBLE, SubmissionFactory
from tests.executor.fakes import ScriptedEngine, run_result

PYTHON = LANGUAGES["python"]
NUL_AND_SURROGATE = "\x00\ud800ä"
ApiAs = Callable[[User], APIClient]


class TestCodec:
    """What goes into the text comes out equal, hostile text and bytes included."""

    @given(st.text(), st.binary(), st.decimals(allow_nan=False, allow_infinity=False))
    def test_any_text_bytes_and_number(self, text: str, data: bytes, number: Decimal) -> None:
        result = RunResult(
            status=RunStatus.SIGNALED, signal=9, time_ms=1, wall_ms=2, memory_kib=3, stdout=data, stderr=b""
        )
        run = FreeRun(compilation=CompileResult(succeeded=True, output=text, time_ms=1), result=result, tier="A")
        assert from_text(FreeRun, to_text(run)) == run
        test = TestOutcome(key=7, verdict=Verdict.WRONG_ANSWER, result=result, printed=data, message=text)
        outcome = JudgingOutcome(
            verdict=Verdict.WRONG_ANSWER, score=number, tests=(test, TestOutcome(key=8, verdict=Verdict.SKIPPED)),
            compilation=None, time_ms=None, memory_kib=3, engine="sandbox", tier="A",
        )  # fmt: skip
        assert from_text(JudgingOutcome, to_text(outcome)) == outcome
        assert to_text(outcome).isascii()

    def test_a_whole_plan(self) -> None:
        file = SourceFile(name="main.py", content=NUL_AND_SURROGATE)
        plan = JudgingPlan(
            language=PYTHON,
            files=(file,),
            tests=(PlannedTest(key=1, input="1", expected=None, weight=Decimal("0.50"), group="g"),),
            checker=CheckerSpec(name="float", options={"absolute": 1e-6}),
            custom_checker=CustomChecker(language=PYTHON, file=file),
            groups=(ScoreGroup(name="g", points=Decimal(3), requires=("a", "b")),),
            time_limit_ms=1000,
            memory_limit_mb=64,
            is_exclusive=True,
        )
        assert from_text(JudgingPlan, to_text(plan)) == plan

    def test_text_of_something_else_is_refused(self) -> None:
        with pytest.raises(KeyError):
            from_text(FreeRun, to_text(SourceFile(name="a", content="b")))


@pytest.fixture
def fleet_of(settings: Settings) -> Iterator[Callable[[ScriptedEngine], None]]:
    """Workers with this engine, who come at once; until then nobody does."""
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    connected: list[Callable[..., object]] = []

    def come(engine: ScriptedEngine) -> None:
        def work_off(*, run_id: str, **kwargs: object) -> None:
            queued_run_work_off(run_id=uuid.UUID(run_id), executor=CodeExecutorService(engine))

        free_run_queued.connect(work_off, weak=False, dispatch_uid="test.fleet")
        connected.append(work_off)

    yield come
    free_run_queued.disconnect(dispatch_uid="test.fleet")


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids that were to be published; no broker is asked here."""
    ids: list[str] = []

    def publish(message: Message) -> bool:
        ids.append(str(message.args[0]))
        return True

    monkeypatch.setattr("executor.queue.publishing.publish", publish)
    return ids


def run_once(user: User | None = None) -> FreeRun:
    return run_create(user=user, language="python", code="print(1)", stdin="")


@pytest.mark.django_db
class TestQueued:
    def test_a_run_is_made_elsewhere_and_leaves_nothing(
        self, fleet_of: Callable[[ScriptedEngine], None], told: list[str]
    ) -> None:
        engine = ScriptedEngine(lambda stdin: run_result(stdin + b"\x00\xff"))
        fleet_of(engine)
        run = run_create(user=UserFactory(), language="python", code=f"# {NUL_AND_SURROGATE[2]}", stdin="in\x00")
        assert run.result is not None
        assert run.result.stdout == b"in\x00\x00\xff"
        (request,) = engine.requests
        assert (request.limits, request.files[0].content) == (free_run_limits(), "# ä")
        assert len(told) == 1
        assert not QueuedRun.objects.exists()

    def test_the_web_process_asks_no_engine(
        self, fleet_of: Callable[[ScriptedEngine], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fleet_of(ScriptedEngine())

        def engine_here() -> None:
            raise AssertionError("there is none")

        for module in ("code_executor", "languages"):
            monkeypatch.setattr(f"executor.services.{module}.default_engine", engine_here)
        problem = AlgorithmProblemFactory().problem
        problem.test_sets.get().test_cases.update(is_sample=True)
        student = EnrollmentFactory(course=problem.course).user
        run = samples_run(user=student, problem_id=problem.pk, language="python", code=DOUBLE)
        assert run.judged.verdict is Verdict.ACCEPTED

    @pytest.mark.parametrize("kind", [EngineUnavailable, EngineBusy, EngineRejected, EngineProtocolError])
    def test_faults_of_the_engine_are_ours_and_uncounted(
        self, fleet_of: Callable[[ScriptedEngine], None], kind: type[Exception]
    ) -> None:
        fleet_of(ScriptedEngine(lambda stdin: kind(NUL_AND_SURROGATE)))
        with pytest.raises(ServiceUnavailable) as refusal:
            run_once(UserFactory())
        assert type(refusal.value.__cause__) is kind
        assert str(refusal.value.__cause__) == NUL_AND_SURROGATE
        assert refusal.value.retry_after_s
        assert RunQuota.objects.values_list("count", "claim_id").get() == (0, None)
        assert not QueuedRun.objects.exists()

    def test_a_bug_there_is_a_fault_of_the_engine_here(
        self, fleet_of: Callable[[ScriptedEngine], None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        fleet_of(ScriptedEngine(lambda stdin: ZeroDivisionError("by 0")))
        with pytest.raises(ServiceUnavailable) as refusal:
            run_once(UserFactory())
        assert isinstance(refusal.value.__cause__, EngineProtocolError)

    def test_a_problem_that_cannot_be_judged_is_told_as_such(self, fleet_of: Callable[[ScriptedEngine], None]) -> None:
        fleet_of(ScriptedEngine())
        algorithm = AlgorithmProblemFactory(templates={"python": "{{{ nonsense }}}"}, languages=["python"])
        algorithm.problem.test_sets.get().test_cases.update(is_sample=True)
        student = EnrollmentFactory(course=algorithm.problem.course).user
        with pytest.raises(ProblemNotReady):
            samples_run(user=student, problem_id=algorithm.problem_id, language="python", code=DOUBLE)

    def test_where_nobody_comes_it_is_503_and_uncounted(
        self, fleet_of: Callable[[ScriptedEngine], None], api_as: ApiAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queued_runs, "MARGIN_S", -1000.0)
        response = api_as(UserFactory()).post("/api/v1/runs/", {"language": "python", "code": "1"})
        assert (response.status_code, response.json()["code"]) == (503, "service_unavailable")
        assert int(response["Retry-After"]) > 0
        assert RunQuota.objects.values_list("count", "claim_id").get() == (0, None)
        assert not QueuedRun.objects.exists()

    def test_where_the_broker_is_known_to_be_away_nobody_is_waited_for(
        self, fleet_of: Callable[[ScriptedEngine], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("executor.queue.publishing.publish", lambda message: False)
        monkeypatch.setattr(queued_runs, "_result_of", lambda *args: pytest.fail("it waits"))
        with pytest.raises(ServiceUnavailable):
            run_once()
        assert not QueuedRun.objects.exists()

    def test_a_doubled_message_runs_once(self, fleet_of: Callable[[ScriptedEngine], None]) -> None:
        engine = ScriptedEngine(lambda stdin: run_result(b"1"))
        request: dict[str, object] = {}

        def twice(*, run_id: str, **kwargs: object) -> None:
            service = CodeExecutorService(engine)
            request["done"] = [queued_run_work_off(run_id=uuid.UUID(run_id), executor=service) for _ in range(2)]

        free_run_queued.connect(twice, weak=False, dispatch_uid="test.fleet")
        run_once()
        assert request["done"] == [True, False]
        assert len(engine.requests) == 1

    def test_a_late_result_and_a_message_of_nothing_change_nothing(self) -> None:
        engine = ScriptedEngine()
        assert not queued_run_work_off(run_id=uuid.uuid4(), executor=CodeExecutorService(engine))
        row = QueuedRun.objects.create(
            request={
                "act": "run", "language": "python", "files": [to_text(SourceFile(name="a.py", content=""))],
                "stdin": to_text("1"), "limits": to_text(free_run_limits()),
            }
        )  # fmt: skip

        def given_up(stdin: bytes) -> RunResult:
            QueuedRun.objects.all().delete()
            return run_result(b"")

        assert not queued_run_work_off(run_id=row.pk, executor=CodeExecutorService(ScriptedEngine(given_up)))
        assert not QueuedRun.objects.exists()

    def test_leftovers_are_looked_for_and_then_thrown_away(self) -> None:
        old, older = (QueuedRun.objects.create(request={}) for _ in range(2))
        fresh = QueuedRun.objects.create(request={})
        QueuedRun.objects.filter(pk=old.pk).update(created_at=Now() - timedelta(seconds=60))
        QueuedRun.objects.filter(pk=older.pk).update(created_at=Now() - timedelta(seconds=queued_runs.KEPT_S + 1))
        assert queued_runs_overlooked() == [older.pk, old.pk]
        assert clean_up()["queued_runs"] == 1
        assert set(QueuedRun.objects.values_list("pk", flat=True)) == {old.pk, fresh.pk}

    def test_no_wait_outlasts_what_is_kept(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        deadlines: list[float] = []

        def note(run_id: uuid.UUID, deadline: float) -> None:
            deadlines.append(deadline)
            raise EngineUnavailable("enough")

        monkeypatch.setattr(queued_runs, "_result_of", note)
        monkeypatch.setattr("executor.services.queued_runs.time.monotonic", lambda: 0.0)
        tests = tuple(PlannedTest(key=key, input="", expected="") for key in range(100))
        plan = JudgingPlan(
            language=PYTHON, files=(), tests=tests, checker=CheckerSpec(name="tokens"), time_limit_ms=60_000,
            memory_limit_mb=64,
        )  # fmt: skip
        with pytest.raises(EngineUnavailable):
            QueuedExecutor().run_all_test_cases(plan)
        assert deadlines[0] < queued_runs.KEPT_S


@pytest.mark.django_db
class TestLanguages:
    def test_web_processes_offer_what_workers_told(self, settings: Settings) -> None:
        settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
        assert len(available_languages()) == len(LANGUAGES)
        cache.set(FLEET_KEY, {"java": "javac is missing"})
        assert set(LANGUAGES) - {language.key for language in available_languages()} == {"java"}
        cache.set(FLEET_KEY, "nonsense")
        assert len(available_languages()) == len(LANGUAGES)

    def test_workers_tell_what_their_sandbox_lacks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "executor.services.languages._missing_here", lambda language: "gone" if language.key == "go" else None
        )
        languages_tell()
        assert cache.get(FLEET_KEY) == {"go": "gone"}


@pytest.mark.django_db
class TestLiveWorkFirst:
    """Free runs leave their places to submissions that wait."""

    @pytest.fixture(autouse=True)
    def places(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.EXECUTOR_QUEUE_CAPACITY = 4
        monkeypatch.setattr(lane, "_places", BoundedSemaphore(3))

    def waiting(self, count: int, **fields: str) -> None:
        for _ in range(count):
            submission = SubmissionFactory()
            Judgement.objects.filter(submission=submission).update(**fields)

    def places_given(self) -> int:
        with lane_place(None, wall_ms=1):
            try:
                with lane_place(None, wall_ms=1):
                    return 2
            except RunCapacityFull:
                return 1

    def test_a_quiet_queue_leaves_them_all(self) -> None:
        self.waiting(1)
        assert self.places_given() == 2

    def test_a_busy_one_leaves_one(self) -> None:
        self.waiting(2)
        assert self.places_given() == 1
        # It is given back.
        assert self.places_given() == 1

    def test_a_full_one_leaves_none_and_nothing_is_counted(self) -> None:
        self.waiting(4)
        with pytest.raises(RunCapacityFull) as refusal:
            run_once(UserFactory())
        assert refusal.value.retry_after_s
        assert not RunQuota.objects.exists()
        Judgement.objects.update(state="done", verdict="accepted", finished_at=timezone.now())
        assert self.places_given() == 2

    def test_rejudges_do_not_count(self) -> None:
        self.waiting(4, lane="rejudge")
        assert self.places_given() == 2

    def test_control_without_looking_a_full_queue_stops_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lane, "queue_status", lambda pending: lane.QueueStatus.AVAILABLE)
        self.waiting(4)
        assert self.places_given() == 2
