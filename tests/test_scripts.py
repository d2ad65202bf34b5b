"""The scripts people type, run for real: what they say, how they end, what they leave behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests

from tests.shell import PYTHON, ROOT, clean_environment, run, wait_until

SCRIPTS = ("script/setup", "script/server", "script/demo", "script/test", "script/soak", ".ci/run")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


class TestEveryScript:
    @pytest.mark.parametrize("script", SCRIPTS)
    def test_it_can_be_run_and_parses(self, script: str) -> None:
        assert os.access(ROOT / script, os.X_OK)
        assert run("bash", "-n", ROOT / script).returncode == 0

    @pytest.mark.parametrize("script", SCRIPTS)
    def test_help_is_its_head_from_wherever_it_is_asked(self, script: str, tmp_path: Path) -> None:
        done = run(os.path.relpath(ROOT / script, tmp_path), "--help", cwd=tmp_path)
        assert done.returncode == 0
        assert done.stdout.startswith(f"Usage: {script}")
        assert "set -euo" not in done.stdout

    @pytest.mark.parametrize("script", [script for script in SCRIPTS if script != "script/test"])
    def test_what_it_does_not_know_is_refused_before_anything_happens(self, script: str) -> None:
        done = run(ROOT / script, "--no-such-option")
        assert done.returncode == 2
        assert "I do not know '--no-such-option'. Try --help." in done.stdout


class TestServer:
    @pytest.mark.parametrize("arguments", [("--port", "http"), ("--port",), ("--host", "")])
    def test_a_wrong_address_is_refused(self, arguments: tuple[str, ...]) -> None:
        assert run(ROOT / "script/server", *arguments).returncode == 2

    def test_it_serves_until_it_is_told_to_stop(self, tmp_path: Path) -> None:
        port, log = free_port(), tmp_path / "log"
        with log.open("w") as output:
            server = subprocess.Popen(
                [ROOT / "script/server", "--port", str(port)],
                cwd=tmp_path,
                env=clean_environment(ASSAY_DATA_DIR=str(tmp_path / "var")),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), what="the server answers")
            assert answers(f"http://127.0.0.1:{port}/api/docs/")
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
        assert not answers(f"http://127.0.0.1:{port}/healthz")
        assert f"http://127.0.0.1:{port}/api/docs/" in log.read_text()
        assert (tmp_path / "var" / "assay.sqlite3").exists()
        assert not (tmp_path / "staticfiles").exists()


class TestTest:
    @pytest.mark.parametrize(("body", "code", "closing"), [("pass", 0, "1 passed"), ("assert False", 1, "1 failed")])
    def test_paths_run_alone_and_their_result_is_its_own(
        self, tmp_path: Path, body: str, code: int, closing: str
    ) -> None:
        test = tmp_path / "test_one.py"
        test.write_text(f"def test_one():\n    {body}\n")
        done = run(ROOT / "script/test", "-p", "no:cacheprovider", test)
        assert done.returncode == code, done.stdout
        assert closing in done.stdout.splitlines()[-1]
        assert "mypy" not in done.stdout


class TestNoSkips:
    """`.ci/no_skips.py`, on files that pytest itself wrote."""

    def judged(self, tmp_path: Path, **modules: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        for name, source in modules.items():
            (tmp_path / f"test_{name}.py").write_text(f"import pytest\n\n{source}\n")
        run(
            *(sys.executable, "-m", "pytest", "-c", tmp_path / "pytest.ini", "--junitxml", "junit.xml", tmp_path),
            cwd=tmp_path,
            environment=clean_environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
        )
        return run(PYTHON, ROOT / ".ci" / "no_skips.py", tmp_path / "junit.xml")

    def test_tests_that_ran_are_well(self, tmp_path: Path) -> None:
        done = self.judged(tmp_path, some="def test_a(): pass\ndef test_b(): pass")
        assert (done.returncode, done.stdout) == (0, "2 tests, none skipped.\n")

    def test_any_kind_of_skip_is_named(self, tmp_path: Path) -> None:
        done = self.judged(
            tmp_path,
            within="def test_well(): pass\ndef test_skipped(): pytest.skip('why')",
            mark="@pytest.mark.skipif(True, reason='why')\ndef test_marked(): pass",
            module="pytest.skip('why', allow_module_level=True)",
            missing="pytest.importorskip('no_such_module', reason='why')",
            foreseen="@pytest.mark.xfail(reason='why')\ndef test_foreseen(): assert False",
        )
        assert done.returncode == 1
        head, *named = done.stdout.splitlines()
        assert head == "5 of 6 tests were skipped where none may be:"
        for name in ("test_skipped", "test_marked", "test_module", "test_missing", "test_foreseen"):
            assert any(name in line for line in named), name

    def test_no_tests_at_all_are_no_success(self, tmp_path: Path) -> None:
        done = self.judged(tmp_path, empty="")
        assert done.returncode == 1
        assert "No test ran" in done.stdout


class TestServices:
    """`.ci/services.py`: a sentence where PostgreSQL, Redis or RabbitMQ is away."""

    def test_a_database_that_is_away_is_named(self) -> None:
        environment = clean_environment(
            DATABASE_URL=f"postgres://nobody@127.0.0.1:{free_port()}/assay_ci", REDIS_URL="redis://127.0.0.1:1/0"
        )
        done = run(PYTHON, ROOT / ".ci" / "services.py", environment=environment)
        assert done.returncode == 1
        assert "PostgreSQL at 127.0.0.1 does not answer; start it or set ASSAY_CI_DATABASE_URL." in done.stdout

    def test_ci_ends_there_too(self) -> None:
        environment = clean_environment(ASSAY_CI_DATABASE_URL=f"postgres://nobody@127.0.0.1:{free_port()}/assay_ci")
        done = run(ROOT / ".ci" / "run", environment=environment)
        assert done.returncode == 1
        assert "CI FAILED in: PostgreSQL, Redis and RabbitMQ answer" in done.stdout
        assert "=== Checks" not in done.stdout


class TestHealthcheck:
    """`script/healthcheck.py`, which containers run."""

    @contextmanager
    def serving(self, status: int) -> Iterator[str]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_address[1]}/healthz"
            server.shutdown()

    def check(self, target: str) -> subprocess.CompletedProcess[str]:
        return run(sys.executable, ROOT / "script" / "healthcheck.py", target)

    @pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (500, 1), (404, 1)])
    def test_only_200_is_well(self, status: int, code: int) -> None:
        with self.serving(status) as url:
            assert self.check(url).returncode == code

    def test_nobody_there_is_not_well(self) -> None:
        assert self.check(f"http://127.0.0.1:{free_port()}/healthz").returncode == 1

    @pytest.mark.parametrize(("age_s", "code"), [(0, 0), (20, 0), (60, 1)])
    def test_a_heartbeat_has_to_be_fresh(self, tmp_path: Path, age_s: int, code: int) -> None:
        heartbeat = tmp_path / "heartbeat"
        heartbeat.touch()
        touched_at = heartbeat.stat().st_mtime - age_s
        os.utime(heartbeat, (touched_at, touched_at))
        assert self.check(str(heartbeat)).returncode == code

    def test_a_heartbeat_that_never_came_is_not_well(self, tmp_path: Path) -> None:
        done = self.check(str(tmp_path / "heartbeat"))
        assert done.returncode == 1
        assert "no sign of life" in done.stdout
