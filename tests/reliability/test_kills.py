"""Small runs of `script/soak kills`, and controls: what each protection is for shows where it is taken out."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.reliability.points import POINTS
from tests.reliability.setups import SETUPS
from tests.reliability.weakened import PROTECTIONS
from tests.shell import clean_environment, run

# The servers are the run's own on either pass; each set-up has its turn on the pass that is about its database.
ON_POSTGRES = connection.vendor == "postgresql"
SETUPS_HERE = [setup for setup in SETUPS if (setup != "sqlite") is ON_POSTGRES]
# What each control has to be found for, and the options that bring it out.
CONTROLS = {
    "claims": ("applied_twice", ("--kills", "1", "--settle", "30")),
    "sweeper": ("stuck", ("--kills", "3", "--point", "claimed", "--settle", "5")),
    "acknowledgement": ("lost", ("--kills", "3", "--settle", "30")),
    "idempotency": ("doubled", ("--kills", "3", "--point", "submit_committed", "--settle", "30")),
}
# Quiet machines are done in a fraction of it.
TIMEOUT_S = 300


def kills(kit_directory: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, figures, and all that was printed, of a run with short leases."""
    done = run(
        *(sys.executable, "-m", "tests.reliability", "kills", "--pace", "0.25", *options),
        environment=clean_environment(EXECUTOR_KIT_DIRECTORY=str(kit_directory)),
        timeout_s=TIMEOUT_S,
    )
    lines = done.stdout.splitlines()
    assert lines, done
    assert lines[-1].startswith("{"), done.stdout
    return done.returncode, json.loads(lines[-1])["runs"][0], done.stdout


class TestKills:
    @pytest.mark.parametrize("setup", SETUPS_HERE)
    def test_nothing_is_lost_doubled_or_left_lying(self, setup: str, kit_directory: Path) -> None:
        options = ("--setup", setup, "--submissions", "40", "--kills", "8", "--seconds", "10", "--settle", "40")
        code, figures, printed = kills(kit_directory, *options)
        assert (code, figures["violations"], figures["left_behind"]) == (0, {}, 0), printed
        assert figures["acknowledged"] >= 40
        assert figures["killed"] >= 8
        assert sum(figures["kills_by_point"][point] > 0 for point in POINTS) >= 3
        if setup != "sqlite":
            assert set(figures["restarts"]) == {"postgres", "redis"}


class TestControls:
    @pytest.mark.parametrize("protection", CONTROLS)
    def test_what_a_protection_is_for_is_found_without_it(self, protection: str, kit_directory: Path) -> None:
        kind, chosen = CONTROLS[protection]
        setup = SETUPS_HERE[0]
        options = ("--setup", setup, "--without", protection, "--submissions", "30", "--seconds", "8", *chosen)
        code, figures, printed = kills(kit_directory, *options)
        assert code == 1, printed
        assert figures["violations"][kind] > 0, printed

    def test_every_protection_that_can_be_taken_out_has_its_control(self) -> None:
        assert set(CONTROLS) == set(PROTECTIONS)
