"""`/metrics`: what it tells, to whom, at which cost, and of which processes."""

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries, Settings

from core import metrics
from executor.models import Judgement, QueueSwitch, Submission, Worker
from executor.selectors import metrics as queue_metrics
from tests.core.live import live_server, process_environment
from tests.executor.factories import JudgementFactory, SubmissionFactory
from tests.shell import wait_until

TOKEN = "a-token-of-many-characters"
MANY = 100_000


def figures(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """{(name, labels): value} of an answer in Prometheus' text format."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def figure(text: str, name: str, **labels: str) -> float:
    return figures(text).get((name, frozenset(labels.items())), 0.0)


def scrape(client: Client, **headers: Any) -> str:
    response = client.get("/metrics", **headers)
    assert response.status_code == 200, response.content
    return response.content.decode()


def waiting(lane: str = "live", **changes: Any) -> Judgement:
    """A judgement in a lane, as the only one of its submission that has not ended."""
    submission = SubmissionFactory()
    submission.judgements.update(state="withdrawn")
    return JudgementFactory(submission=submission, number=2, lane=lane, **changes)


def running(lane: str = "live") -> Judgement:
    return waiting(lane, state="claimed", claim_id=uuid4(), leased_until=timezone.now())


@pytest.mark.django_db
class TestTheQueue:
    def test_what_waits_and_runs_by_lane(self, client: Client) -> None:
        for _ in range(3):
            waiting()
        running()
        waiting("rejudge")
        waiting("rejudge", state="withdrawn")
        waiting("rejudge", state="done", verdict="accepted")
        text = scrape(client)
        found = {
            (lane, state): figure(text, "assay_queue_judgements", lane=lane, state=state)
            for lane in ("live", "rejudge")
            for state in ("queued", "running")
        }
        assert found == {
            ("live", "queued"): 3,
            ("live", "running"): 1,
            ("rejudge", "queued"): 1,
            ("rejudge", "running"): 0,
        }

    def test_the_age_of_the_oldest(self, client: Client) -> None:
        submission = SubmissionFactory()
        Judgement.objects.filter(submission=submission).update(created_at=timezone.now() - timedelta(seconds=90))
        SubmissionFactory()
        text = scrape(client)
        assert 90 <= figure(text, "assay_queue_oldest_seconds", lane="live") < 150
        assert figures(text)["assay_queue_oldest_seconds", frozenset({("lane", "rejudge")})] == 0

    def test_workers_their_threads_and_the_switch(self, client: Client, settings: Settings) -> None:
        now = timezone.now()
        for kind, threads, seen_at in (("command", 4, now), ("command", 2, now), ("celery", 8, now - timedelta(1))):
            Worker.objects.create(
                kind=kind, host="h", process_id=1, process_started="1", threads=threads, started_at=now, seen_at=seen_at
            )
        settings.EXECUTOR_QUEUE_CAPACITY = 77
        text = scrape(client)
        assert figure(text, "assay_workers", kind="command") == 2
        assert figure(text, "assay_worker_threads", kind="command") == 6
        assert figure(text, "assay_worker_threads", kind="celery") == 0
        assert figure(text, "assay_queue_capacity") == 77
        assert figure(text, "assay_queue_paused") == 0
        QueueSwitch.objects.update_or_create(pk=QueueSwitch.ONLY, defaults={"is_paused": True, "changed_at": now})
        assert figure(scrape(client), "assay_queue_paused") == 1

    def test_every_figure_that_processes_count_is_there(self, client: Client) -> None:
        text = scrape(client)
        for name in (
            "assay_submissions",
            "assay_submission_refusals",
            "assay_verdicts",
            "assay_engine_errors",
            "assay_judging_retries",
            "assay_leases_expired",
            "assay_quarantines",
            "assay_judgement_wait_seconds",
            "assay_judgement_run_seconds",
            "assay_http_requests",
            "process_resident_memory_bytes",
        ):
            assert f"# TYPE {name}" in text, name

    def test_a_queue_that_cannot_be_read_costs_the_other_figures_nothing(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail() -> None:
            raise DatabaseError("the database is away")

        monkeypatch.setattr(queue_metrics, "waiting_by_lane", fail)
        text = scrape(client)
        assert figures(text)["assay_queue_readable", frozenset()] == 0
        assert "assay_http_requests" in text
        assert "assay_queue_judgements" not in text
        monkeypatch.undo()
        assert figure(scrape(client), "assay_queue_readable") == 1


@pytest.mark.django_db
class TestCost:
    def test_a_scrape_costs_four_queries_however_much_waits(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(4):
            scrape(client)
        for lane in ("live", "rejudge", "live"):
            waiting(lane)
            running(lane)
        with django_assert_num_queries(4):
            scrape(client)

    def test_among_many_judgements_that_ended_indexes_find_the_others(self) -> None:
        judgement = SubmissionFactory().current_judgement
        _end_many(judgement)
        assert Judgement.objects.count() > MANY
        assert [row["number"] for row in queue_metrics.waiting_by_lane()] == [1]
        for rows, index in (
            (queue_metrics.waiting_by_lane(), "judgement_pending"),
            (queue_metrics.running_by_lane(), "judgement_leased"),
        ):
            plan = rows.explain()
            assert index in plan or "judgement_pending_" in plan, plan
            assert "Seq Scan on executor_judgement" not in plan
            assert "SCAN executor_judgement\n" not in plan + "\n"

    def test_control_without_the_indexes_all_are_read(self) -> None:
        _end_many(SubmissionFactory().current_judgement)
        with connection.cursor() as cursor:
            for name in ("judgement_pending", "judgement_pending_org", "judgement_pending_student"):
                cursor.execute(f"DROP INDEX {name}")
        plan = queue_metrics.waiting_by_lane().explain()
        assert "Seq Scan on executor_judgement" in plan or "SCAN executor_judgement" in plan


def _end_many(judgement: Judgement) -> None:
    """As many more judgements of the same submission, all ended."""
    copied = [
        field.column
        for field in Judgement._meta.concrete_fields
        if field.name not in ("id", "number", "state", "verdict")
    ]
    columns = ", ".join(f'"{column}"' for column in copied)
    rows = f"INSERT INTO executor_judgement (number, state, verdict, {columns}) "
    picked = f"'done', 'accepted', {columns} FROM executor_judgement WHERE executor_judgement.id = %s"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            made = f"SELECT made.n + 1, {picked}".replace(
                "FROM executor_judgement", f"FROM generate_series(1, {MANY}) AS made (n), executor_judgement"
            )
            cursor.execute(rows + made, [judgement.pk])
        else:
            numbers = f"WITH RECURSIVE made (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM made WHERE n < {MANY}) "
            made = f"SELECT made.n + 1, {picked}".replace("FROM executor_judgement", "FROM made, executor_judgement")
            cursor.execute(rows.replace("INSERT", numbers + "INSERT", 1) + made, [judgement.pk])
        cursor.execute("ANALYZE executor_judgement")


@pytest.mark.django_db
class TestAccess:
    def test_with_a_token_it_is_asked_for(self, client: Client, settings: Settings) -> None:
        settings.METRICS_TOKEN = TOKEN
        for header in ("", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer té"):
            response = client.get("/metrics", headers={"Authorization": header})
            assert response.status_code == 401, header
            assert response["WWW-Authenticate"] == "Bearer"
            assert response.json()["code"] == "not_authenticated"
            assert b"assay_" not in response.content
        for header in (f"Bearer {TOKEN}", f"bearer  {TOKEN}"):
            # From anywhere, in production too.
            settings.ASSAY_PRODUCTION = True
            assert scrape(client, headers={"Authorization": header}, REMOTE_ADDR="192.0.2.7")

    def test_in_production_without_a_token_there_is_none(self, client: Client, settings: Settings) -> None:
        settings.ASSAY_PRODUCTION = True
        response = client.get("/metrics")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert client.post("/metrics").status_code == 404

    @pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
    def test_otherwise_for_callers_on_this_machine(self, client: Client, address: str) -> None:
        assert scrape(client, REMOTE_ADDR=address)

    @pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "::ffff:192.0.2.7", "2001:db8::1", "", "unix:"])
    def test_and_for_nobody_else(self, client: Client, address: str) -> None:
        assert client.get("/metrics", REMOTE_ADDR=address).status_code == 404

    @pytest.mark.parametrize("header", metrics.FORWARDING)
    def test_a_proxy_on_this_machine_is_no_caller_on_this_machine(self, client: Client, header: str) -> None:
        assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 404

    def test_control_without_the_check_anybody_reads(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(metrics, "_is_direct_loopback", lambda request: True)
        assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 200

    def test_only_reading_and_never_cached(self, client: Client) -> None:
        assert client.post("/metrics").status_code == 405
        assert client.head("/metrics").status_code == 200
        response = client.get("/metrics")
        assert "no-store" in response["Cache-Control"]
        assert response["Content-Type"].startswith("text/plain; version=")


@pytest.mark.django_db
class TestLabels:
    def test_nothing_that_callers_choose_becomes_a_label(self, client: Client) -> None:
        before = len(figures(scrape(client)))
        for number in range(20):
            canary = f"canary{number}"
            client.get(f"/api/v1/submissions/9{number}/")
            client.get(f"/{canary}/?{canary}=1", headers={"User-Agent": canary, "X-Request-ID": canary})
            client.generic(canary.upper(), "/healthz")
        text = scrape(client)
        assert "canary" not in text.casefold()
        # A counter and a histogram for each of four routes, at most; for twenty paths it would be many times that.
        assert len(figures(text)) - before < 100

    def test_requests_by_route_and_kind_of_status(self, client: Client) -> None:
        labels = {"method": "GET", "route": "submission-detail", "status": "4xx"}
        before = figure(scrape(client), "assay_http_requests_total", **labels)
        seconds = figure(scrape(client), "assay_http_request_seconds_count", route="submission-detail")
        client.get("/api/v1/submissions/1/")
        client.get("/api/v1/submissions/2/")
        text = scrape(client)
        assert figure(text, "assay_http_requests_total", **labels) == before + 2
        assert figure(text, "assay_http_request_seconds_count", route="submission-detail") == seconds + 2

    def test_no_secret_is_told(self, client: Client) -> None:
        assert django_settings.SECRET_KEY not in scrape(client)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tmp_path / "counted"


class TestSeveralProcesses:
    pytestmark = pytest.mark.django_db(transaction=True)

    def environment(self, directory: Path, shared: Path) -> dict[str, str]:
        directory.mkdir()
        return process_environment(directory, PROMETHEUS_MULTIPROC_DIR=str(shared))

    def test_each_tells_of_all_and_dead_ones_leave_no_false_figures(self, tmp_path: Path, shared: Path) -> None:
        asked = {"method": "GET", "route": "healthz", "status": "2xx"}
        one_env, two_env = (self.environment(tmp_path / name, shared) for name in ("one", "two"))
        with live_server(tmp_path / "one", environment=one_env) as one:
            with live_server(tmp_path / "two", environment=two_env) as two:
                for server, times in ((one, 3), (two, 2)):
                    for _ in range(times):
                        requests.get(f"{server.url}/healthz", timeout=10)
                for server in (one, two):
                    text = requests.get(f"{server.url}/metrics", timeout=10).text
                    assert figure(text, "assay_http_requests_total", **asked) == 5
                    assert figure(text, "assay_http_requests_in_progress") == 1
                two.process.send_signal(signal.SIGKILL)
                two.process.wait(10)
            # What it counted stays while others count on, and what it was at is over.
            assert list(shared.glob(f"gauge_live*_{two.process.pid}.db"))
            text = requests.get(f"{one.url}/metrics", timeout=10).text
            assert figure(text, "assay_http_requests_total", **asked) == 5
            assert not list(shared.glob(f"gauge_live*_{two.process.pid}.db"))
        assert list(shared.glob(f"counter_{one.process.pid}.db"))
        three_env = self.environment(tmp_path / "three", shared)
        with live_server(tmp_path / "three", environment=three_env) as three:
            owners = {int(file.stem.rpartition("_")[2]) for file in shared.glob("*.db")}
            assert owners == {three.process.pid}
            text = requests.get(f"{three.url}/metrics", timeout=10).text
            assert figure(text, "assay_http_requests_total", **asked) == 0

    def test_files_of_a_former_life_stay_while_one_of_it_lives(self, shared: Path, settings: Settings) -> None:
        settings.METRICS_DIR = shared
        shared.mkdir()
        (shared / "counter_1.db").touch()  # the machine's first process lives
        (shared / "counter_99999999.db").touch()
        metrics.metrics_files_tidy()
        assert len(list(shared.iterdir())) == 2
        (shared / "counter_1.db").unlink()
        metrics.metrics_files_tidy()
        assert list(shared.iterdir()) == []


class TestAPortOfItsOwn:
    @pytest.fixture
    def address(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        made: list[Any] = []
        real = metrics.make_server

        def make_server(*args: Any, **kwargs: Any) -> Any:
            made.append(real(*args, **kwargs))
            return made[0]

        monkeypatch.setattr(metrics, "make_server", make_server)
        stop = metrics.metrics_serve(address="127.0.0.1", port=0)
        yield f"http://127.0.0.1:{made[0].server_port}"
        stop()
        assert not any(thread.name == "assay-metrics" for thread in threading.enumerate())

    def test_it_tells_what_this_process_counted(self, address: str) -> None:
        response = requests.get(f"{address}/metrics", timeout=10)
        assert response.status_code == 200
        assert re.search(r"^assay_leases_expired_total \d", response.text, re.MULTILINE)
        assert requests.get(f"{address}/", timeout=10).status_code == 404
        assert requests.post(f"{address}/metrics", timeout=10).status_code == 404

    def test_with_a_token_it_is_asked_for(self, address: str, settings: Settings) -> None:
        settings.METRICS_TOKEN = TOKEN
        assert requests.get(f"{address}/metrics", timeout=10).status_code == 401
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert requests.get(f"{address}/metrics", headers=headers, timeout=10).status_code == 200


class TestTheWorker:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_it_serves_what_it_counted(self, tmp_path: Path) -> None:
        environment = process_environment(tmp_path)
        environment.setdefault("DATABASE_URL", f"sqlite:///{connection.settings_dict['NAME']}")
        submission = SubmissionFactory()
        port = free_port()
        with subprocess.Popen(
            [sys.executable, "manage.py", "judge_worker", "--threads", "1", "--metrics-port", str(port)],
            cwd=django_settings.BASE_DIR,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                finished = Submission.objects.filter(pk=submission.pk).exclude(status__in=Submission.UNFINISHED)
                wait_until(finished.exists, what="it is judged")
                text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0
        verdict = Submission.objects.get().status
        assert figure(text, "assay_verdicts_total", verdict=verdict, lane="live") == 1
        assert figure(text, "assay_judgement_wait_seconds_count", lane="live") == 1
        assert figure(text, "assay_judgement_run_seconds_count", lane="live") == 1

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            pytest.param(("--metrics-port", "70000"), "nothing can be served", id="no port"),
            pytest.param(("--metrics-port", "0", "--metrics-address", "0.0.0.0"), "Set METRICS_TOKEN", id="to all"),
            pytest.param(("--metrics-port", "0", "--metrics-address", "here"), "an address", id="no address"),
        ],
    )
    def test_what_it_refuses(self, arguments: tuple[str, ...], sentence: str) -> None:
        with pytest.raises(CommandError, match=sentence):
            call_command("judge_worker", "--threads", "1", *arguments)

    def test_a_port_that_is_taken(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(CommandError, match="nothing can be served"):
                call_command("judge_worker", "--threads", "1", "--metrics-port", str(taken.getsockname()[1]))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
