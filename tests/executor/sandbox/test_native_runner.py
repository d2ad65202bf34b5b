"""The walls that the native runner builds, and what gets through where one of them is missing."""

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from executor.engines.base import RunResult
from tests.executor.sandbox.conftest import only, processes_naming, python_request
from tests.executor.sandbox.weakened import WeakEngine, allow_everything, changed_native, without

Weaken = Callable[..., Path]

RIGHTS = """
import ctypes
header, held = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
ctypes.CDLL(None).capget(header, held)
print(any(held))
"""
SOCKET = """
import socket
try:
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    print("made")
except OSError as error:
    print(error.errno)
"""
LIMITS = """
import resource
kinds = resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE, resource.RLIMIT_MEMLOCK
print([resource.getrlimit(kind)[1] for kind in kinds])
"""
DESCRIPTORS = """
import os
def is_open(number):
    try:
        os.fstat(number)
        return True
    except OSError:
        return False
print([number for number in range(1024) if is_open(number)])
"""
SHARED_MEMORY = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print("found" if libc.shmget(77, 4096, 0o600) >= 0 else "made" if libc.shmget(77, 4096, 0o1600) >= 0 else "neither")
"""
LEAVE = """
import os
print(os.path.exists("/tmp/left"))
try:
    open("/tmp/left", "w")
except OSError as error:
    print(error.errno)
"""
DEVICE_TIMES = """
import os
try:
    os.utime("/dev/null", (1, 1))
    print("set")
except OSError as error:
    print(error.errno)
"""


@pytest.fixture
def weaken() -> Iterator[Weaken]:
    directories: list[Path] = []

    def build(*changes: tuple[str, str]) -> Path:
        # Where the user of the boxes can reach it.
        directories.append(Path(tempfile.mkdtemp(dir="/var/tmp")))
        directories[-1].chmod(0o755)
        changed_native(directories[-1], *changes)
        return directories[-1] / "kit"

    yield build
    for directory in directories:
        shutil.rmtree(directory)


def said(kit: Path, code: str, *inputs: bytes, **changes: object) -> RunResult:
    engine = WeakEngine(kit_directory=kit, **changes)  # type: ignore[arg-type]
    return engine.run(python_request(code, *inputs)).results[-1]


class WallsTestCase:
    def test_a_program_holds_no_rights(self, kit_directory: Path, weaken: Weaken) -> None:
        assert said(kit_directory, RIGHTS).stdout == b"False\n"
        assert (
            said(
                weaken(("syscall(SYS_capset, &header, none) < 0", "!header.version || none[0].effective")), RIGHTS
            ).stdout
            == b"True\n"
        )

    def test_the_filter_is_on(self, kit_directory: Path, weaken: Weaken) -> None:
        assert said(kit_directory, SOCKET).stdout == b"1\n"
        open_filter = weaken(("prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0", "!filter.len"))
        assert said(open_filter, SOCKET).stdout == b"made\n"

    def test_limits_hold(self, kit_directory: Path, weaken: Weaken) -> None:
        assert said(kit_directory, LIMITS).stdout == b"[38, 256, 65536]\n"
        assert (
            said(
                weaken(
                    (
                        "setrlimit((__rlimit_resource_t)confinement.rlimit_kinds[at], &limit) < 0",
                        "!limit.rlim_max && at < 0",
                    )
                ),
                LIMITS,
            ).stdout
            != b"[38, 256, 65536]\n"
        )

    def test_no_descriptor_is_inherited(self, kit_directory: Path, weaken: Weaken) -> None:
        assert said(kit_directory, DESCRIPTORS).stdout == b"[0, 1, 2]\n"
        leaking = weaken(
            (
                "syscall(SYS_close_range, 3, ~0U, is_executed ? 4 /* CLOSE_RANGE_CLOEXEC */ : 0) < 0",
                "is_executed && channel < 0",
            )
        )
        assert said(leaking, DESCRIPTORS).stdout != b"[0, 1, 2]\n"

    def test_shared_memory_ends_with_its_run(self, kit_directory: Path, weaken: Weaken) -> None:
        open_filter = {"seccomp": allow_everything()}
        assert said(kit_directory, SHARED_MEMORY, b"", b"", plan=open_filter).stdout == b"made\n"
        shared = weaken(
            ("CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNS", "CLONE_NEWPID | CLONE_NEWNS"),
            ("setns(init_descriptor, CLONE_NEWNS | CLONE_NEWIPC)", "setns(init_descriptor, CLONE_NEWNS)"),
        )
        assert said(shared, SHARED_MEMORY, b"", b"", plan=open_filter).stdout == b"found\n"

    def test_files_end_with_their_run(self, kit_directory: Path, weaken: Weaken) -> None:
        assert said(kit_directory, LEAVE, b"", b"").stdout == b"False\n"
        shared = weaken(('    mount_or_fail("tmpfs", "/tmp", "tmpfs", flags, options);\n', ""))

        def one_tmp(argv: list[str]) -> list[str]:
            return without("--dir", "/tmp")([*argv[:-4], "--tmpfs", "/tmp", *argv[-4:]])

        assert said(shared, LEAVE, b"", b"", argv=one_tmp).stdout == b"True\n"

    def test_times_of_devices_cannot_be_set(self, kit_directory: Path, weaken: Weaken) -> None:
        assert said(kit_directory, DEVICE_TIMES).stdout in {b"1\n", b"30\n"}
        assert said(kit_directory, DEVICE_TIMES, plan={"seccomp": allow_everything()}).stdout == b"30\n"

    def test_processes_end_with_their_run(self, kit_directory: Path, weaken: Weaken) -> None:
        assert self._is_left_after_its_run(kit_directory) is False
        without_kill = weaken(
            ("kill(run->init, SIGKILL);\n    run_reap_last();", "run_reap_last();"),
            ("reap(run->init)", "(struct end){0, 0, 0}"),
            ("last_init = run->init;", ""),
        )
        assert self._is_left_after_its_run(without_kill) is True

    def _is_left_after_its_run(self, kit: Path) -> bool:
        marker = f"marker-{uuid.uuid4().hex}"
        code = (
            "import os, time\nif os.fork() == 0:\n    os.setsid()\n"
            f"    os.execv('/bin/sleep', ['{marker}', '60'])\ntime.sleep(0.3)"
        )
        seen: list[bool] = []
        engine = WeakEngine(kit_directory=kit)

        def look(index: int, _: RunResult) -> bool:
            seen.append(bool(processes_naming(marker)))
            return True

        engine.run(python_request(code), look)
        return seen[0]


class LeanRunnerTestCase:
    def test_a_small_program_is_reported_small(self, kit_directory: Path) -> None:
        """The pages of the process that becomes the program are few, so that its own are what is reported."""
        from executor.engines.base import Limits, RunRequest, SourceFile
        from executor.engines.sandbox import SandboxEngine
        from executor.judging.languages import LANGUAGES

        request = RunRequest(
            toolchain=LANGUAGES["c"].toolchain,
            files=(SourceFile(name="main.c", content="int main(void) { return 0; }"),),
            inputs=(b"",),
            limits=Limits(time_limit_ms=1000, wall_limit_ms=3000, memory_limit_mb=64),
        )
        assert only(SandboxEngine(kit_directory=kit_directory).run(request)).memory_kib < 4096
