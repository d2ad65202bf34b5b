"""Running the project's scripts as a person would, apart from the settings of the test run itself."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PYTHON = ROOT / ".venv" / "bin" / "python"
# Whatever these hold belongs to the test run: its database, its options, its virtual environment.
NOT_INHERITED = (
    *("ASSAY_", "CELERY_", "DATABASE_", "REDIS_", "EXECUTOR_", "JUDGE0_", "METRICS_", "PROMETHEUS_", "REQUESTS_"),
    *("DJANGO_", "PYTEST_", "COV_", "VIRTUAL_ENV"),
)


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment without Assay's and pytest's variables, and with `extra`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    return {**inherited, **extra}


def run(
    *command: str | Path, cwd: Path = ROOT, environment: Mapping[str, str] | None = None, timeout_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; stdout and stderr come as one text, in `stdout`."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=dict(environment) if environment is not None else clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def wait_until(condition: Callable[[], bool], *, timeout_s: float = 60, what: str = "it happens") -> None:
    """Look again and again until the condition holds; fail where it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain until {what}"
        time.sleep(0.05)
