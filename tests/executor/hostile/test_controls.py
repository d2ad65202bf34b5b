"""Each protection is needed: without it an attack of the corpus gets something, and the canary turns red."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from executor.engines.base import OnResult, RunReport, RunRequest
from executor.engines.sandbox import SandboxEngine, box, host
from tests.executor.hostile.harness import ATTACKS, Harness
from tests.executor.hostile.header import Canary, parse
from tests.executor.sandbox.weakened import (
    IS_ROOT,
    Argv,
    WeakEngine,
    allow_everything,
    changed_runner,
    sharing_the_network,
    with_bind,
    without,
)

NO_FILTER: dict[str, object] = {"seccomp": allow_everything()}

NO_END = (("CLONE_NEWPID | CLONE_NEWIPC", "CLONE_NEWIPC"), ("_end_all()\n        if", "if"))


def showing_the_canaries(argv: Argv) -> Argv:
    """Show the directory with the canary files in the box."""
    return with_bind(tempfile.gettempdir())(argv)


@dataclass(frozen=True, kw_only=True)
class Control:
    """A protection taken away by a changed command line, plan or runner, and the attack that then gets something."""

    attack: str
    canary: Canary = Canary.ESCAPED
    argv: Callable[[Argv], Argv] | None = None
    plan: dict[str, object] = field(default_factory=dict)
    runner: tuple[tuple[str, str], ...] = ()


CONTROLS = {
    "network namespace and filter": Control(
        attack="s19_listeners.c", canary=Canary.NETWORK, argv=sharing_the_network, plan=NO_FILTER
    ),
    "filter: namespaces and other processes": Control(attack="s08_calls.c", plan=NO_FILTER),
    "filter: sockets": Control(attack="s19_kinds.c", plan=NO_FILTER),
    "filter: locks of shared files": Control(attack="s32_locks.c", plan=NO_FILTER),
    "filter: counters of the machine": Control(attack="s33_counters.c", plan=NO_FILTER),
    "filter: memory of no process": Control(attack="s13_memfd.c", plan=NO_FILTER),
    "dropped capabilities": Control(
        attack="s08_calls.c", plan=NO_FILTER, runner=(("kernel.drop_capabilities()", "pass"),)
    ),
    "IPC namespace": Control(
        attack="s31_objects.c", canary=Canary.RESIDUE, plan=NO_FILTER, runner=((" | CLONE_NEWIPC", ""),)
    ),
    # Each of the two ends what a run leaves behind, so both go.
    "PID namespace and kill of the tree": Control(attack="s12_next.py", canary=Canary.RESIDUE, runner=NO_END),
    "PID namespace": Control(attack="s07_proc.py", runner=NO_END),
    "read-only root": Control(attack="s30_marks.c", canary=Canary.RESIDUE, argv=without("--remount-ro", "/")),
    "read-only devices": Control(attack="s02_modes.py", runner=(('os.listdir("/dev")', "[]"),)),
    "files that cannot be executed": Control(attack="s20_exec.py", runner=(("MS_NODEV | MS_NOEXEC", "MS_NODEV"),)),
    "view of the file system": Control(attack="s07_read.py", canary=Canary.SECRETS, argv=showing_the_canaries),
    "view of the file system, compiling": Control(
        attack="s18_incbin.c", canary=Canary.SECRETS, argv=showing_the_canaries
    ),
    "size of the file systems": Control(attack="s15_fill.c", plan={"disk_kib": 160 * 1024}),
    "number of files": Control(attack="s15_inodes.py", runner=(("nr_inodes=4k", "nr_inodes=400k"),)),
    "number of processes": Control(attack="s11_daemons.py", plan={"processes": 1000}),
    "address space": Control(attack="s13_page_tables.c", plan={"data_kib": 0, "address_kib": 0}),
    "meter of memory": Control(attack="s13_children.c", plan={"memory_kib": 4 << 20}),
    "meter of CPU time": Control(attack="s14_threads.c", plan={"cpu_ms": 60_000}),
    "hidden processes": Control(attack="s07_proc.py", plan={"has_proc": True}),
    "closed descriptors": Control(
        attack="s23_descriptors.c",
        canary=Canary.VERDICT,  # what it writes there is what the keeper would have reported
        runner=(("os.closerange(4, 1024)\n        for", "os.set_inheritable(3, True)\n        for"),),
    ),
}


def canaries_that_turned_red(name: str, engine: SandboxEngine) -> set[Canary]:
    attack = parse(name, (ATTACKS / name).read_text())
    with Harness(engine) as harness:
        return {finding.canary for finding in harness.try_attack(attack, is_alone=False).findings}


class ControlTestCase:
    @pytest.mark.parametrize("protection", CONTROLS)
    def test_without_it_a_canary_turns_red(self, monkeypatch: pytest.MonkeyPatch, protection: str) -> None:
        control = CONTROLS[protection]
        if control.runner:
            monkeypatch.setattr(host, "runner_code", changed_runner(*control.runner))
        engine = WeakEngine(argv=control.argv, plan=control.plan)
        assert control.canary in canaries_that_turned_red(control.attack, engine)

    def test_an_environment_of_our_own(self) -> None:
        shown: dict[str, object] = {"environment": {}}
        engine = WeakEngine(plan=shown)
        with Harness(engine) as harness:
            shown["environment"] = {key: value for key, value in os.environ.items() if key.startswith("ASSAY_")}
            attack = parse("s07_read.py", (ATTACKS / "s07_read.py").read_text())
            findings = harness.try_attack(attack, is_alone=False).findings
        assert Canary.SECRETS in {finding.canary for finding in findings}

    def test_a_sealed_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = box._memfd
        monkeypatch.setattr(box, "_memfd", lambda content, is_sealed=False: real(content))
        assert Canary.ESCAPED in canaries_that_turned_red("s21_input.py", SandboxEngine())

    @pytest.mark.parametrize(
        ("attack", "limit", "value", "canary"),
        [
            ("s14_sleep.py", "wall_limit_ms", 3500, Canary.LATE),
            ("s16_flood.c", "output_limit_kib", 4096, Canary.ENGINE),
        ],
    )
    def test_the_limits_asked_for(self, attack: str, limit: str, value: int, canary: Canary) -> None:
        class Generous(SandboxEngine):
            def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
                changed = replace(request.limits, **{limit: value})
                return super().run(replace(request, limits=changed), on_result)

        assert canary in canaries_that_turned_red(attack, Generous())

    if IS_ROOT:

        @pytest.mark.parametrize("must_drop", [True, False])
        def test_a_uid_without_rights(self, must_drop: bool) -> None:
            attack = parse("s07_read.py", (ATTACKS / "s07_read.py").read_text())
            with Harness(WeakEngine(argv=showing_the_canaries, must_drop=must_drop)) as harness:
                findings = harness.try_attack(attack, is_alone=False).findings
            came_out = {finding.detail for finding in findings if finding.canary is Canary.SECRETS}
            assert ("the secret of closed came out" in came_out) is not must_drop
