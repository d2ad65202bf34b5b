"""Engines with one protection taken away, so that each containment test can be seen to fail without it."""

import dataclasses
import os
from collections.abc import Callable

from executor.engines.sandbox import SandboxEngine, seccomp
from executor.engines.sandbox.box import Box, BoxPlan
from executor.engines.sandbox.engine import DEFAULT_UID
from executor.engines.sandbox.host import Host, bundle, inbox_sources

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
    ) -> None:
        super().__init__()
        self._plan_changes = plan or {}
        found = Host.found(uid_for_root=DEFAULT_UID)
        fields = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
        fields["must_drop"] = found.must_drop and must_drop
        host = WeakHost(**fields)
        object.__setattr__(host, "change", argv or (lambda words: words))
        self._host = host

    def open_box(self, host: Host, plan: BoxPlan) -> Box:
        return super().open_box(host, dataclasses.replace(plan, **self._plan_changes))  # type: ignore[arg-type]


def changed_runner(*changes: tuple[str, str]) -> Callable[[str], bytes]:
    """A replacement for `host.runner_code`: the in-box modules with pieces of their text replaced."""
    sources = inbox_sources()
    for old, new in changes:
        holders = [name for name, text in sources.items() if old in text]
        assert holders, f"the runner no longer says {old!r}"
        for name in holders:
            sources[name] = sources[name].replace(old, new)
    return lambda interpreter: bundle(interpreter, sources)


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
