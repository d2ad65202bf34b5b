"""Boxes of the tiers below A, as the engine holds them: without namespaces for each run, or without any."""

import dataclasses
import glob
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import cache

from executor.engines.base import EngineUnavailable
from executor.engines.sandbox import seccomp
from executor.engines.sandbox.box import Box, BoxPlan, Measured
from executor.engines.sandbox.host import (
    DEVICES,
    INBOX_MODULES,
    LINKED_DIRECTORIES,
    PROGRAM_DIRECTORIES,
    READ_ONLY,
    Host,
    bundle,
    hidden_directories,
    inbox_sources,
)
from executor.engines.sandbox.inbox.framing import pack
from executor.engines.sandbox.inbox.keeper import WORK

MODULES = (*INBOX_MODULES[: INBOX_MODULES.index("runner")], "landlock", "flat")
# What runtimes open when they start. Where it is missing they do without; where it is there and closed, they fail.
_READ_AT_START = (*sorted(glob.glob("/etc/python3*")), "/etc/ssl/openssl.cnf")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatHost(Host):
    """A host whose boxes hold a flat runner, in the way of the tier B, C or D."""

    directory: str = WORK  # where the program's files lie
    disk_kib: int = 0

    def spawn(self, control: int, log: int) -> "subprocess.Popen[bytes]":
        """Start a box whose runner is served on the socket `control`; what goes wrong in it is written to `log`.

        Raises:
            OSError: it cannot be started.
        """
        prefix = self.box_argv() if self.tier == "B" else []
        readable = self.readable_paths() if self.tier == "C" else ()
        return self.start(prefix, flat_code(self.interpreter), control, log, self.tier, self.directory, *readable)

    def box_argv(self) -> list[str]:
        """The command line of a tier B box, up to the runner. Nothing in it may need a further namespace."""
        argv = [self.bubblewrap, "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--as-pid-1"]
        argv += ["--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--hostname", "box", *self.view_argv()]
        for name in DEVICES:
            # Devices are the machine's own: on a writable mount their times could be set, and read by the next run.
            argv += ["--remount-ro", f"/dev/{name}"]
        for path in (WORK, "/tmp"):  # noqa: S108  a file system of the run's own
            argv += ["--perms", "0700", "--size", str(self.disk_kib * 1024), "--tmpfs", path]
        return [*argv, "--remount-ro", "/", "--chdir", "/"]

    def readable_paths(self) -> tuple[str, ...]:
        """What a program of tier C may read and execute: what a box would show, and a little more."""
        paths = [*READ_ONLY, *LINKED_DIRECTORIES, *_READ_AT_START]
        if not self.interpreter.startswith(PROGRAM_DIRECTORIES):
            paths.append(sys.base_prefix)
        return tuple(part for path in paths for part in _around(path, hidden_directories()))


class FlatBox(Box):
    """A box of a tier below A. Where a program can change what its box holds, each further run gets a new one."""

    def __init__(self, host: FlatHost) -> None:
        """Nothing is started before there is a program."""
        self._flat_host = host
        self._flat_plan: BoxPlan | None = None
        self._is_used = self._is_open = False
        self._directory: str | None = None

    def load(self, plan: BoxPlan) -> None:
        """Start the box and hand it the program.

        Raises:
            OSError, EngineUnavailable: it cannot be started, or the tier cannot hold what the plan needs.
        """
        if self._flat_host.tier == "C" and plan.artefacts_bytes:
            raise EngineUnavailable("compilers need processes and files of their own, which tier C has not")
        filters = [seccomp.lone_process(), plan.seccomp] if self._flat_host.tier == "C" else [plan.seccomp]
        self._flat_plan = dataclasses.replace(plan, seccomp=pack(*filters))
        self._open(self._flat_plan)

    def run(self, stdin: bytes, *, wall_ms: int, output_limit_bytes: int) -> Measured:
        """Run the program once on `stdin`.

        Raises:
            EngineUnavailable: the box cannot be started, ended, or hangs.
            EngineProtocolError: its answer makes no sense.
        """
        if self._is_used and self._flat_host.tier != "C" and self._flat_plan is not None:
            self.close()
            self._open(self._flat_plan)
        self._is_used = True
        return super().run(stdin, wall_ms=wall_ms, output_limit_bytes=output_limit_bytes)

    def runs(
        self, inputs: Iterable[bytes], *, wall_ms: int, output_limit_bytes: int
    ) -> Generator[Measured, None, None]:
        """Run the program on one input after another."""
        for stdin in inputs:
            yield self.run(stdin, wall_ms=wall_ms, output_limit_bytes=output_limit_bytes)

    def close(self) -> None:
        """End the box, and remove the program's directory."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            super().close()
        finally:
            self._remove_directory()

    def _open(self, plan: BoxPlan) -> None:
        host = self._flat_host
        self._is_open = True
        try:
            if host.tier == "B":
                host = dataclasses.replace(host, disk_kib=plan.disk_kib)
            else:
                self._directory = tempfile.mkdtemp(prefix="assay-run-")
                if host.must_drop:
                    os.chown(self._directory, host.uid, host.gid)
                host = dataclasses.replace(host, directory=self._directory)
            super().__init__(host)
            super().load(plan)
        except BaseException:
            self._is_open = False
            self._remove_directory()
            raise

    def _remove_directory(self) -> None:
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)


@cache
def flat_code(interpreter: str) -> bytes:
    """The flat runner compiled by and for the interpreter that starts it, as one .pyc; see `bundle`."""
    return bundle(interpreter, inbox_sources(MODULES))


@cache
def _around(path: str, hidden: tuple[str, ...]) -> tuple[str, ...]:
    """Paths that together hold everything beneath a path but for the hidden directories."""
    if path in hidden or os.path.islink(path):  # what a link leads to is readable where it lies itself
        return ()
    if not any(directory.startswith(f"{path}/") for directory in hidden):
        return (path,)
    return tuple(part for name in sorted(os.listdir(path)) for part in _around(f"{path}/{name}", hidden))
