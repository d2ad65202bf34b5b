"""Engines of the tiers below A on a machine that could do better, with one protection taken away where asked for."""

import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from executor.engines.base import RunRequest
from executor.engines.sandbox import SandboxEngine, flat, seccomp
from executor.engines.sandbox.box import Box, BoxPlan
from executor.engines.sandbox.engine import DEFAULT_UID
from executor.engines.sandbox.flat import FlatHost
from executor.engines.sandbox.host import Host, bundle, inbox_sources
from tests.executor.sandbox.weakened import allow_everything

Change = tuple[str, str]

# What a program of tier C is held by; each stands for the change of the runner that takes it away.
NO_LANDLOCK: Change = ('if self._tier == "C":', "if False:")
NO_SIGNAL_SCOPE: Change = ("_ABSTRACT_SOCKETS_AND_SIGNALS = 3", "_ABSTRACT_SOCKETS_AND_SIGNALS = 1")


class LoweredEngine(SandboxEngine):
    """The real engine in a lower tier, but for what the arguments change; it does not prove its boxes."""

    def __init__(
        self,
        tier: str,
        *,
        argv: Callable[[list[str]], list[str]] | None = None,
        plan: dict[str, object] | None = None,
        must_drop: bool = True,
    ) -> None:
        super().__init__()
        self.boxes: list[Box] = []
        self._plan_changes = plan or {}
        found = FlatHost.found(uid_for_root=DEFAULT_UID, needs_bubblewrap=tier == "B")
        fields = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
        fields |= {"tier": tier, "must_drop": found.must_drop and must_drop}
        if not fields["must_drop"]:
            fields |= {"uid": os.geteuid(), "gid": os.getegid()}
        kind = FlatHost if argv is None else _changed_host(argv)
        self._host = kind(**fields)

    @contextmanager
    def open_box(self, host: Host, plan: BoxPlan, request: RunRequest | None = None) -> Iterator[Box]:
        changed = dataclasses.replace(plan, **self._plan_changes)  # type: ignore[arg-type]
        with super().open_box(host, changed, request) as box:
            self.boxes.append(box)
            yield box


def _changed_host(change: Callable[[list[str]], list[str]]) -> type[FlatHost]:
    class ChangedHost(FlatHost):
        def box_argv(self) -> list[str]:
            return change(FlatHost.box_argv(self))

    return ChangedHost


def change_runner(monkeypatch: pytest.MonkeyPatch, *changes: Change) -> None:
    """Start boxes with a flat runner that has pieces of its text replaced."""
    sources = inbox_sources(flat.MODULES)
    for old, new in changes:
        holders = [name for name, text in sources.items() if old in text]
        assert holders, f"the runner no longer says {old!r}"
        for name in holders:
            sources[name] = sources[name].replace(old, new)
    monkeypatch.setattr(flat, "flat_code", lambda interpreter: bundle(interpreter, sources))


def filter_nothing(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Put a filter that filters nothing in the place of those of `seccomp` with these names."""
    nothing = allow_everything()
    for name in names:
        monkeypatch.setattr(seccomp, name, lambda: nothing)


@contextmanager
def process_of_the_programs_user(*argv: str, environment: dict[str, str] | None = None) -> Iterator[int]:
    """A process outside all boxes, under the uid that programs of tier C have too."""
    pid = os.fork()
    if pid == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(DEFAULT_UID)
                os.setuid(DEFAULT_UID)
            os.execve(argv[0], argv, environment or {})
        finally:
            os._exit(127)
    try:
        # Until then its memory and environment are those of the test process.
        wait_until(lambda: Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0] == os.fsencode(argv[0]))
        yield pid
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def is_running(pid: int) -> bool:
    """Whether a child of ours has not ended."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
