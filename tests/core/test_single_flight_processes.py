"""Several processes on one Redis compute a value once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.redis_servers import Server

PROCESSES = 3


def ask_in_processes(server: Server, trace: Path, *, locks: str) -> list[str]:
    """What each process got; they ask when all are ready, and whoever computes waits until all of them have missed."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "FLYING_REDIS_PORT": str(server.port)}
    command = [sys.executable, "-m", "tests.core.flying", "key", str(trace), locks, str(PROCESSES)]
    processes = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [process.communicate(timeout=60)[0].strip() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def computations(trace: Path) -> int:
    return sum(line.startswith("computed") for line in trace.read_text().splitlines())


class TestProcesses:
    @pytest.mark.parametrize(
        ("locks", "times"), [pytest.param("on", 1, id="one for all"), pytest.param("off", PROCESSES, id="the control")]
    )
    def test_a_value_all_miss_at_once(self, redis_server: Server, tmp_path: Path, locks: str, times: int) -> None:
        trace = tmp_path / "trace"
        assert ask_in_processes(redis_server, trace, locks=locks) == ["computed"] * PROCESSES
        assert computations(trace) == times
