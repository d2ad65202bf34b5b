"""What lives beside the requests is started once, stopped once, and a server without it does not start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from django.conf import settings

from tests.core.live import live_server

APPLICATION = "tests.config.lifespan_app:application"


def environment(steps: Path, **extra: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "STEPS": str(steps), **extra}


class TestLifespan:
    def test_it_starts_and_stops_once(self, tmp_path: Path) -> None:
        steps = tmp_path / "steps"
        with live_server(tmp_path, environment=environment(steps), application=APPLICATION) as server:
            assert steps.read_text() == "start\n"
            for _ in range(3):
                assert requests.get(server.url, timeout=10).text == "hello"
            assert server.stop() < 5
        assert steps.read_text() == "start\nstop\n"

    @pytest.mark.parametrize("lifespan", ["auto", "on"])
    def test_a_start_that_fails_ends_the_server(self, tmp_path: Path, lifespan: str) -> None:
        """Left to itself, uvicorn would take the failure for an application without a lifespan, and serve."""
        ended = subprocess.run(
            [sys.executable, "-m", "uvicorn", APPLICATION, "--port", "0", "--lifespan", lifespan],
            cwd=settings.BASE_DIR,
            env=environment(tmp_path / "steps", FAILS="start"),
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert ended.returncode != 0
        assert "start failed" in ended.stderr + ended.stdout
        assert (tmp_path / "steps").read_text() == "start\n"

    def test_a_stop_that_fails_still_ends_it(self, tmp_path: Path) -> None:
        variables = environment(tmp_path / "steps", FAILS="stop")
        with live_server(tmp_path, environment=variables, application=APPLICATION) as server:
            assert server.stop() < 5
        assert "stop failed" in (tmp_path / "server.log").read_text()
