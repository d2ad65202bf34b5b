"""Orders to die, and the files that processes share."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.reliability.points import POINTS, KillOrders
from tests.reliability.records import Reader, Records, read_records
from tests.shell import ROOT

PASS_BY = "import sys; from pathlib import Path; from tests.reliability.points import KillOrders as K\n{body}"


def passing(directory: Path, body: str) -> int:
    """The exit status of a process that passes points; minus the signal that ended it."""
    body = body.replace("ORDERS", "K(Path(sys.argv[1]))")
    return subprocess.run([sys.executable, "-c", PASS_BY.format(body=body), str(directory)], cwd=ROOT).returncode


class TestOrders:
    def test_the_first_to_pass_is_killed_and_nobody_else(self, tmp_path: Path) -> None:
        orders = KillOrders(tmp_path)
        orders.arm("ran")
        orders.arm("ran")
        assert orders.armed() == {"ran"}
        assert passing(tmp_path, "ORDERS.pass_by('claimed')") == 0
        assert passing(tmp_path, "ORDERS.pass_by('ran')") == -signal.SIGKILL
        assert passing(tmp_path, "ORDERS.pass_by('ran')") == 0
        assert [fired.point for fired in orders.fired()] == ["ran"]

    def test_a_process_that_is_spared_passes(self, tmp_path: Path) -> None:
        orders = KillOrders(tmp_path)
        orders.arm("ran")
        spared = "ORDERS.spare(True); ORDERS.pass_by('ran'); ORDERS.spare(False)"
        assert passing(tmp_path, spared) == 0
        assert passing(tmp_path, f"{spared}; ORDERS.pass_by('ran')") == -signal.SIGKILL

    def test_orders_can_be_taken_back(self, tmp_path: Path) -> None:
        orders = KillOrders(tmp_path)
        for point in POINTS:
            orders.arm(point)
        orders.disarm()
        assert orders.armed() == set()
        assert not orders.is_spared(os.getpid())
        orders.pass_by("ran")

    def test_there_is_no_point_of_another_name(self, tmp_path: Path) -> None:
        with pytest.raises(AssertionError):
            KillOrders(tmp_path).arm("elsewhere")


class TestRecords:
    def test_many_writers_do_not_mix_their_lines(self, tmp_path: Path) -> None:
        files = [Records(tmp_path / "records") for _ in range(4)]

        def write(number: int) -> None:
            for count in range(50):
                files[number].add("written", number=number, count=count)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for file in files:
            file.close()
        found = read_records(tmp_path / "records")
        assert {(line["number"], line["count"]) for line in found} == {(n, c) for n in range(4) for c in range(50)}

    def test_a_line_that_is_not_whole_yet_is_read_later(self, tmp_path: Path) -> None:
        path = tmp_path / "records"
        assert Reader(path).more() == []
        path.write_text('{"event": "one"}\n{"eve')
        reader = Reader(path)
        assert [record["event"] for record in reader.more()] == ["one"]
        with path.open("a") as file:
            file.write('nt": "two"}\n')
        assert [record["event"] for record in reader.more()] == ["two"]
