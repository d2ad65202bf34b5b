"""Engines with one protection taken away, so that each containment test can be seen to fail without it."""

import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from executor.engines.base import RunRequest
from executor.engines.sandbox import SandboxEngine, seccomp
from executor.engines.sandbox.box import Box, BoxPlan
from executor.engines.sandbox.engine import DEFAULT_UID
from executor.engines.sandbox.host import Host, bundle, inbox_sources
from executor.engines.sandbox.kit import Kit, build
from executor.engines.sandbox.recipes import RUNNER_SOURCES, runner_recipe

Argv = list[str]
NO_NETWORK_NAMESPACE = ["--unshare-pid", "--unshare-ipc", "--unshare-uts"]


def allow_everything() -> bytes:
    """A filter that filters nothing."""
    lib = seccomp._library()
    return seccomp._compiled(lib, lib.SyscallFilter(lib.ALLOW))


class WeakHost(Host):
    """A host whose boxes are started with a changed command line."""

    change: Callable[[Argv], Argv]

    def box_argv(self) -> Argv:
        return self.change(super().box_argv())


class WeakEngine(SandboxEngine):
    """The real engine, but for what the arguments change; it does not prove its boxes, which would refuse them."""

    def __init__(
        self,
        *,
        argv: Callable[[Argv], Argv] | None = None,
        plan: dict[str, object] | None = None,
        must_drop: bool = True,
        kit_directory: Path | None = None,
    ) -> None:
        super().__init__()
        self._plan_changes = plan or {}
        found = Host.found(uid_for_root=DEFAULT_UID)
        fields = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
        fields["must_drop"] = found.must_drop and must_drop
        if kit_directory is not None:
            kit = Kit.found(kit_directory)
            fields |= {"shown": kit.shown, "native_runner": f"{kit.seen_at}/{kit.entries['runner'].directory}/runner"}
        host = WeakHost(**fields)
        object.__setattr__(host, "change", argv or (lambda words: words))
        self._host = host

    @contextmanager
    def open_box(self, host: Host, plan: BoxPlan, request: RunRequest | None = None) -> Iterator[Box]:
        changed = dataclasses.replace(plan, **self._plan_changes)  # type: ignore[arg-type]
        with super().open_box(host, changed, request) as box:
            yield box


def changed_runner(*changes: tuple[str, str]) -> Callable[[str], bytes]:
    """A replacement for `host.runner_code`: the in-box modules with pieces of their text replaced."""
    sources = inbox_sources()
    for old, new in changes:
        holders = [name for name, text in sources.items() if old in text]
        assert holders, f"the runner no longer says {old!r}"
        for name in holders:
            sources[name] = sources[name].replace(old, new)
    return lambda interpreter: bundle(interpreter, sources)


def changed_native(directory: Path, *changes: tuple[str, str]) -> None:
    """Build into `directory` a kit whose native runner has pieces of its text replaced."""
    sources = directory / "native"
    shutil.copytree(RUNNER_SOURCES, sources)
    for old, new in changes:
        holders = [path for path in sources.iterdir() if old in path.read_text()]
        assert holders, f"the native runner no longer says {old!r}"
        for path in holders:
            path.write_text(path.read_text().replace(old, new))
    (state,) = build(directory / "kit", [runner_recipe(sources)], lambda sentence: None)
    assert state.is_there, state.detail


def without(*words: str) -> Callable[[Argv], Argv]:
    """Take the first occurrence of these neighboring words out of a command line."""

    def change(argv: Argv) -> Argv:
        at = next(at for at in range(len(argv)) if argv[at : at + len(words)] == list(words))
        return argv[:at] + argv[at + len(words) :]

    return change


def with_bind(path: str) -> Callable[[Argv], Argv]:
    """Show a directory of the machine in the box."""

    def change(argv: Argv) -> Argv:
        at = argv.index("--proc")
        return [*argv[:at], "--ro-bind", path, path, *argv[at:]]

    return change


def sharing_the_network(argv: Argv) -> Argv:
    """Leave the machine's network in place."""
    at = argv.index("--unshare-all")
    return [*argv[:at], *NO_NETWORK_NAMESPACE, *argv[at + 1 :]]


IS_ROOT = os.geteuid() == 0
