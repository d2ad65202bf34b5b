"""Celery's workers from within: settings, one turn of a worker, what the sweep does, and what `/readyz` says."""

import socket
import sys
from pathlib import Path

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from config.environment import ConfigurationError, Environment, database_settings, read_environment
from core import health
from executor.models import Judgement, QueuedRun, Submission, Worker
from executor.queue import celery_worker, publishing, tasks
from executor.queue.celery_worker import ChildWorker
from executor.queue.messages import make_app
from executor.queue.publishing import Message
from executor.readiness import check_broker
from executor.services.code_executor import CodeExecutorService
from tests.core.redis_servers import free_port
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine
from tests.executor.test_celery_publishing import python
from tests.shell import wait_until

REDIS = "redis://127.0.0.1:6379/1"
POSTGRES = "postgres://h/assay"


def read(**variables: str) -> Environment:
    return read_environment(variables, base_dir=Path("/srv/assay"))


class TestEnvironment:
    def test_a_broker_without_a_shared_database_is_refused(self) -> None:
        for url in ({}, {"DATABASE_URL": "sqlite:////srv/a.sqlite3"}):
            with pytest.raises(ConfigurationError, match="set DATABASE_URL to a PostgreSQL"):
                read(CELERY_BROKER_URL=REDIS, **url)

    @pytest.mark.parametrize("broker", [REDIS, "amqp://guest:guest@127.0.0.1:5672//", "amqps://h/v", "rediss://h/0"])
    def test_with_a_broker_the_server_judges_nothing_unless_told(self, broker: str) -> None:
        environment = read(CELERY_BROKER_URL=broker, DATABASE_URL=POSTGRES)
        assert (environment.celery_broker_url, environment.executor_worker_threads) == (broker, 0)
        told = read(CELERY_BROKER_URL=broker, DATABASE_URL=POSTGRES, EXECUTOR_WORKER_THREADS="2")
        assert told.executor_worker_threads == 2

    def test_celery_without_a_broker_ends_with_a_sentence(self) -> None:
        script = "import sys\ntry:\n    import config.celery\nexcept SystemExit as end:\n    print(end.code)\n"
        assert python(script).startswith("assay: CELERY_BROKER_URL is missing")

    def test_workers_have_no_connection_pool_whatever_the_environment_says(self) -> None:
        script = (
            "import config.celery; from django.conf import settings; print(settings.DATABASES['default']['OPTIONS'])"
        )
        variables = {"DATABASE_URL": POSTGRES, "CELERY_BROKER_URL": REDIS, "ASSAY_PROCESS": "web"}
        assert "pool" not in python(script, **variables)
        # Control: the web process has one.
        assert "pool" in database_settings(read(**variables))["OPTIONS"]


class TestApp:
    @pytest.mark.parametrize(
        ("broker", "options"),
        [
            (REDIS, {"visibility_timeout": 600, "socket_keepalive": True, "health_check_interval": 5}),
            ("amqp://h//", {"confirm_publish": True}),
        ],
    )
    def test_messages_are_late_acknowledged_json_without_results(
        self, settings: Settings, broker: str, options: dict[str, object]
    ) -> None:
        settings.CELERY_BROKER_URL = broker
        conf = make_app().conf
        assert conf.broker_transport_options == options
        assert (conf.result_backend, conf.task_ignore_result) == (None, True)
        assert (conf.task_serializer, conf.accept_content) == ("json", ["json"])
        assert (conf.task_acks_late, conf.task_reject_on_worker_lost, conf.worker_prefetch_multiplier) == (
            True,
            True,
            1,
        )
        assert [(queue.name, queue.durable, queue.exchange.durable) for queue in conf.task_queues] == [
            (name, True, True) for name in ("live", "rejudge", "runs")
        ]
        assert (conf.timezone, conf.enable_utc, conf.task_create_missing_queues) == ("UTC", True, False)
        sweep = conf.beat_schedule["sweep"]
        assert (sweep["task"], sweep["schedule"]) == ("executor.sweep", settings.EXECUTOR_SWEEP_S)
        # Sweeps that nobody comes for do not pile up.
        assert sweep["options"] == {"queue": "runs", "expires": 3 * settings.EXECUTOR_SWEEP_S}


@pytest.fixture
def sent(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    messages: list[Message] = []
    settings.CELERY_BROKER_URL = REDIS

    def publish(message: Message) -> bool:
        messages.append(message)
        return True

    monkeypatch.setattr(publishing, "publish", publish)
    return messages


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def worker(engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch) -> ChildWorker:
    """This process's worker; its threads' rows are not needed here."""
    made = ChildWorker()
    made._service = CodeExecutorService(engine)
    monkeypatch.setattr(celery_worker, "_worker", made)
    return made


@pytest.mark.django_db
class TestTurn:
    def test_one_message_judges_all_there_is(self, worker: ChildWorker, sent: list[Message]) -> None:
        for _ in range(3):
            SubmissionFactory()
        tasks.judge(None, "live")
        assert set(Submission.objects.values_list("status", flat=True)) == {"accepted"}
        assert not sent

    @pytest.mark.parametrize(("bound", "value", "judged"), [("TURN_JUDGINGS_MAX", 2, 2), ("TURN_S", 0.0, 0)])
    def test_a_turn_is_bounded_and_asks_for_another(
        self,
        worker: ChildWorker,
        sent: list[Message],
        monkeypatch: pytest.MonkeyPatch,
        bound: str,
        value: float,
        judged: int,
    ) -> None:
        monkeypatch.setattr(celery_worker, bound, value)
        for _ in range(3):
            SubmissionFactory()
        tasks.judge(7, "live")
        assert Judgement.objects.filter(state="done").count() == judged
        assert sent == [Message(task="executor.judge", args=(7, "live"), queue="live")]

    def test_rejudges_wait_for_live_work_and_are_woken_by_the_sweep(
        self, worker: ChildWorker, sent: list[Message]
    ) -> None:
        live, rejudge = SubmissionFactory(), SubmissionFactory()
        Judgement.objects.filter(submission=rejudge).update(lane="rejudge")
        tasks.judge(rejudge.current_judgement_id, "rejudge")
        assert not sent
        assert not Judgement.objects.filter(state="done").exists()
        tasks.judge(live.current_judgement_id, "live")
        assert list(Judgement.objects.filter(state="done").values_list("lane", flat=True)) == ["live"]
        tasks.sweep()
        assert [(message.task, message.queue) for message in sent] == [("executor.judge", "rejudge")]
        tasks.judge(None, "rejudge")
        assert not Judgement.objects.exclude(state="done").exists()

    def test_a_stopping_worker_takes_nothing_and_passes_the_message_on(
        self, worker: ChildWorker, sent: list[Message]
    ) -> None:
        SubmissionFactory()
        worker.stop()
        tasks.judge(None, "live")
        assert Judgement.objects.get().state == "pending"
        assert len(sent) == 1

    def test_a_second_message_finds_nothing(
        self, worker: ChildWorker, sent: list[Message], engine: ScriptedEngine
    ) -> None:
        submission = SubmissionFactory()
        for _ in range(3):
            tasks.judge(submission.current_judgement_id, "live")
        assert len(engine.requests) == 1
        assert Judgement.objects.get().tries == 1

    def test_the_sweep_tells_of_free_runs_that_were_overlooked(
        self, worker: ChildWorker, sent: list[Message], settings: Settings
    ) -> None:
        settings.EXECUTOR_SWEEP_S = -1
        row = QueuedRun.objects.create(request={})
        tasks.sweep()
        assert sent == [Message(task="executor.run", args=(str(row.pk),), queue="runs")]


@pytest.mark.django_db(transaction=True)
class TestLife:
    def test_a_worker_is_a_row_from_its_beginning_to_its_end(self, worker: ChildWorker) -> None:
        worker.start()
        try:
            wait_until(Worker.objects.exists, what="it is written down")
            assert Worker.objects.values_list("kind", "threads").get() == ("celery", 1)
        finally:
            worker.end()
        assert not Worker.objects.exists()


@pytest.mark.django_db
class TestReadiness:
    def test_a_broker_that_takes_connections_is_well(self, settings: Settings) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            settings.CELERY_BROKER_URL = f"amqp://guest:hunter2@127.0.0.1:{listening.getsockname()[1]}//"
            found = check_broker()
        assert (found.is_ok, found.detail, found.is_required) == (True, "amqp", False)

    def test_one_that_is_away_is_named_and_not_required(
        self, settings: Settings, anonymous_api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.CELERY_BROKER_URL = f"redis://:hunter2@127.0.0.1:{free_port()}/0"
        monkeypatch.setattr(health, "_checks", {**health._checks, "broker": check_broker})
        response = anonymous_api.get("/readyz")
        assert response.status_code == 200
        assert response.json()["checks"]["broker"] == {"ok": False, "detail": "redis does not answer"}
        assert "hunter2" not in response.content.decode()

    def test_without_one_there_is_no_such_check(self, anonymous_api: APIClient) -> None:
        assert "broker" not in anonymous_api.get("/readyz").json()["checks"]

    def test_a_web_process_is_ready_without_a_sandbox_of_its_own(
        self, settings: Settings, anonymous_api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("executor.readiness.default_engine", lambda: sys.exit("there is none"))
        settings.CELERY_BROKER_URL = REDIS
        response = anonymous_api.get("/readyz")
        assert response.status_code == 200
        assert response.json()["checks"]["engine"] == {"ok": False, "detail": "sandbox, 0 threads of workers"}
