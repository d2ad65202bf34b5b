"""Each canary can be seen to turn red: the same harness on an engine that contains nothing, or that is at fault."""

import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from executor.engines.base import EngineUnavailable, OnResult, RunReport, RunRequest
from tests.executor.hostile.bare import BareEngine
from tests.executor.hostile.findings import Finding
from tests.executor.hostile.harness import ATTACKS, Harness, harness_on
from tests.executor.hostile.header import Attack, Canary, parse

HEADER = """# id: S-00
# title: a control
# stage: run
# verdicts: accepted
# canaries: C1
# wall_limit_ms: 200
"""


def attack(code: str) -> Attack:
    return parse("control.py", HEADER + code)


def found(findings: tuple[Finding, ...] | list[Finding]) -> dict[Canary, str]:
    return {finding.canary: finding.detail for finding in findings}


@pytest.fixture(scope="module")
def bare() -> Iterator[Harness]:
    with harness_on(BareEngine()) as ready:
        yield ready


class BareTestCase:
    def test_a_program_that_does_nothing_finds_nothing(self, bare: Harness) -> None:
        assert bare.try_attack(attack("print(42)"), is_alone=True).findings == ()

    def test_c1_hears_every_kind_of_message(self, bare: Harness) -> None:
        listeners = parse("s19_listeners.py", (ATTACKS / "s19_listeners.py").read_text())
        findings = bare.try_attack(listeners, is_alone=False).findings
        heard = {finding.detail.split()[0] for finding in findings if finding.canary is Canary.NETWORK}
        assert heard >= {"TCP", "UDP", "ABSTRACT", "DATAGRAM", "UNIX"}
        assert all("hx" in finding.detail for finding in findings), findings

    @pytest.mark.parametrize(
        ("code", "detail"),
        [
            ("print(open('@OPEN_FILE@').read())", "the secret of open came out"),
            ("open('@CLOSED_FILE@').read()", "the closed file was read"),
            ("print(__import__('os').environ)", "the secret of the environment came out"),
            ("open('@OPEN_FILE@', 'a').write('x')", "the open file was changed"),
            ("__import__('os').chmod('@CLOSED_FILE@', 0o666)", "the closed file was changed"),
            ("__import__('os').unlink('@OPEN_FILE@')", "the open file cannot be looked at any more"),
        ],
    )
    def test_c2_tells_what_was_read_or_changed(self, bare: Harness, code: str, detail: str) -> None:
        findings = bare.try_attack(attack(code), is_alone=False).findings
        told = [finding.detail for finding in findings if finding.canary is Canary.SECRETS]
        assert any(one.startswith(detail) for one in told), told

    def test_c3_finds_what_goes_on(self, bare: Harness) -> None:
        sleeps = "import os\nif os.fork() == 0:\n    os.setsid()\n    os.closerange(0, 3)\n"
        sleeps += "    os.execv('/bin/sleep', ['@MARK@', '30'])\nprint(42)"
        said = bare.try_attack(attack(sleeps), is_alone=False).findings
        sleepers = [int(finding.detail.split()[1]) for finding in said if finding.canary is Canary.LEFTOVERS]
        for pid in sleepers:
            os.kill(pid, signal.SIGKILL)
        assert (len(sleepers), len(said)) == (1, 1), said

    def test_c4_finds_what_remains(self, bare: Harness) -> None:
        leaves = f"open('{tempfile.gettempdir()}/left-@MARK@', 'w')\nprint(42)"
        said = bare.try_attack(attack(leaves), is_alone=False)
        for path in Path(tempfile.gettempdir()).glob("left-hx*"):
            path.unlink()
        assert set(found(said.findings)) == {Canary.RESIDUE}
        assert len({finding.detail for finding in said.findings}) == 2, "by the finder, and from outside"

    def test_c7_tells_a_late_verdict(self, bare: Harness) -> None:
        late = attack("import time\ntime.sleep(2.5)\nprint(42)")
        assert set(found(bare.try_attack(late, is_alone=False).findings)) == {Canary.LATE}

    def test_c8_tells_a_verdict_that_is_not_allowed(self, bare: Harness) -> None:
        assert set(found(bare.try_attack(attack("print(43)"), is_alone=False).findings)) == {Canary.VERDICT}

    def test_what_the_attack_says_is_heard(self, bare: Harness) -> None:
        said = found(bare.try_attack(attack("print(42)\nprint('ESCAPED far')"), is_alone=False).findings)
        assert said[Canary.ESCAPED] == "far"


class FaultyEngine(BareEngine):
    """Does something of its own after each run, once it is told what."""

    act: Callable[[RunReport], RunReport] = staticmethod(lambda report: report)

    def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
        return self.act(super().run(request, on_result))


KEPT: list[object] = []


def leak_a_descriptor(report: RunReport) -> RunReport:
    KEPT.append(socket.socket())
    return report


def leak_a_file(report: RunReport) -> RunReport:
    tempfile.mkdtemp()
    return report


def leak_a_thread(report: RunReport) -> RunReport:
    is_over = threading.Event()
    KEPT.append(is_over)
    threading.Thread(target=is_over.wait, args=(10,)).start()
    return report


def leak_memory(report: RunReport) -> RunReport:
    KEPT.append(b"x" * (64 << 20))
    return report


def fail(report: RunReport) -> RunReport:
    raise EngineUnavailable("not now")


def mix_up(report: RunReport) -> RunReport:
    return replace(report, results=tuple(replace(result, stdout=b"43\n") for result in report.results))


def keep_too_much(report: RunReport) -> RunReport:
    return replace(report, results=tuple(replace(result, stderr=b"x" * (2 << 20)) for result in report.results))


class FaultyEngineTestCase:
    @pytest.mark.parametrize(
        ("act", "canary"),
        [
            (fail, Canary.NEIGHBORS),
            (mix_up, Canary.NEIGHBORS),
            (leak_a_descriptor, Canary.ENGINE),
            (leak_a_file, Canary.ENGINE),
            (leak_a_thread, Canary.ENGINE),
            (keep_too_much, Canary.ENGINE),
        ],
    )
    def test_c5_and_c6_tell_a_fault_of_the_engine(self, act: Callable[[RunReport], RunReport], canary: Canary) -> None:
        engine = FaultyEngine()
        with harness_on(engine) as harness:
            engine.act = act
            findings = harness.try_attack(attack("print(42)"), is_alone=True).findings
        forget()
        assert canary in found(findings)

    def test_c6_tells_grown_memory(self) -> None:
        with harness_on(BareEngine()) as harness:
            assert harness.check_process() == []
            leak_memory(RunReport(compilation=None, results=(), tier=""))
            findings = harness.check_process()
        forget()
        assert set(found(findings)) == {Canary.ENGINE}


def forget() -> None:
    """Let go of what was leaked."""
    for kept in KEPT:
        if isinstance(kept, threading.Event):
            kept.set()
        elif isinstance(kept, socket.socket):
            kept.close()
    KEPT.clear()
