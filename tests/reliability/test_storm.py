"""Small storms: `script/soak storm` with an engine that is there, and with one that comes afterwards."""

import json
import sys
from pathlib import Path

import pytest
from django.db import connection

from tests.shell import clean_environment, run

SETUP = "postgres" if connection.vendor == "postgresql" else "sqlite"
# How fast is for the whole storm to say, on a machine that does nothing else.
ANY_TIME_S = "200"


class TestStorm:
    @pytest.mark.parametrize("down", [(), ("--judge0-down",)], ids=["sandbox", "judge0 down"])
    def test_all_are_accepted_and_judged(self, down: tuple[str, ...], kit_directory: Path) -> None:
        options = ("--setup", SETUP, "--submissions", "40", "--students", "10", "--seconds", "4", *down)
        done = run(
            *(sys.executable, "-m", "tests.reliability", "storm", "--goal", ANY_TIME_S, "--patience", "200", *options),
            environment=clean_environment(EXECUTOR_KIT_DIRECTORY=str(kit_directory)),
            timeout_s=400,
        )
        assert done.returncode == 0, done.stdout
        figures = json.loads(done.stdout.splitlines()[-1])
        assert (figures["acknowledged"], figures["other_answers"], figures["violations"]) == (40, {}, {})
        assert sum(figures["statuses"].values()) == 40
        if down:
            assert figures["unfinished_at_the_end"] == 40
