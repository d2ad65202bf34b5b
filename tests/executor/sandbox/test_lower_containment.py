"""No way we know leads out of tiers B and C. Proven by canaries, each with the protection once taken away."""

import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.engines.base import EngineUnavailable, Limits, RunStatus
from executor.engines.sandbox import SandboxEngine
from executor.engines.sandbox.engine import DEFAULT_UID
from tests.executor.sandbox.conftest import Run, only
from tests.executor.sandbox.lowered import (
    NO_LANDLOCK,
    NO_SIGNAL_SCOPE,
    LoweredEngine,
    change_runner,
    filter_nothing,
    is_running,
    process_of_the_programs_user,
)
from tests.executor.sandbox.test_containment import READ_ALL, SEND
from tests.executor.sandbox.test_system_calls import CALLS
from tests.executor.sandbox.weakened import IS_ROOT, allow_everything, sharing_the_network, with_bind, without


@pytest.fixture
def canary() -> Iterator[Path]:
    """A file with a secret, under the uid of programs, in a directory of theirs that everybody may enter."""
    directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
    path = directory / "canary"
    path.write_text(f"secret-{uuid.uuid4().hex}")
    for each, mode in ((directory, 0o777), (path, 0o666)):
        if IS_ROOT:
            os.chown(each, DEFAULT_UID, DEFAULT_UID)
        each.chmod(mode)
    yield path
    shutil.rmtree(directory)


def tried(run: Run, engine: SandboxEngine, code: str, *actions: str, **names: object) -> list[str]:
    """For each action, what Python code of a program came to: `done`, or the name of the error."""
    lines = [f"{name} = {value!r}" for name, value in names.items()]
    lines += ["import ctypes, os, signal, socket, sys", code, "def attempt(action):"]
    lines += ["    try: action()", "    except Exception as error: print(type(error).__name__)"]
    lines += ["    else: print('done')"]
    lines += [f"attempt(lambda: {action})" for action in actions]
    return only(run("python", "\n".join(lines), engine=engine)).stdout.decode().split()


class FilesTestCase:
    @pytest.mark.parametrize("tier", "BC")
    def test_files_of_the_machine_are_neither_read_nor_changed(self, run: Run, canary: Path, tier: str) -> None:
        engine = SandboxEngine(tiers=tier)
        paths = [str(canary), "/etc/passwd", "/etc/hostname", "/proc/1/environ", "/proc/1/mem", "/var/tmp", __file__]
        said = only(run("python", READ_ALL, "\n".join(paths).encode(), engine=engine)).stdout.split()
        assert set(said) <= {b"FileNotFoundError", b"PermissionError", b"IsADirectoryError"}
        before = (canary.read_bytes(), canary.stat().st_mode, canary.stat().st_mtime_ns)
        ways = ["open(path, 'a')", "os.truncate(path, 0)", "os.unlink(path)", "os.rename(path, path + 'x')"]
        ways += ["os.chmod(path, 0)", "os.utime(path)", "os.link(path, path + 'x')", "os.symlink('x', path + 'x')"]
        ways += ["os.mkdir(path + 'd')", "os.setxattr(path, 'user.x', b'x')", "os.mkfifo(path + 'f')"]
        assert "done" not in tried(run, engine, "", *ways, path=str(canary))
        assert (canary.read_bytes(), canary.stat().st_mode, canary.stat().st_mtime_ns) == before
        assert list(canary.parent.iterdir()) == [canary]

    def test_control_without_landlock_they_are(self, run: Run, monkeypatch: pytest.MonkeyPatch, canary: Path) -> None:
        change_runner(monkeypatch, NO_LANDLOCK)
        engine = LoweredEngine("C")
        assert canary.read_text().encode() in only(run("python", READ_ALL, bytes(canary), engine=engine)).stdout
        ways = ["os.truncate(path, 0)", "os.mkdir(path + 'd')", "os.rename(path, path + 'x')"]
        assert tried(run, engine, "", *ways, path=str(canary)) == ["done"] * 3
        assert sorted(path.name for path in canary.parent.iterdir()) == ["canaryd", "canaryx"]

    def test_control_without_the_filter_attributes_are_changed(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, canary: Path
    ) -> None:
        filter_nothing(monkeypatch, "lone_process")
        ways = ["os.chmod(path, 0o600)", "os.utime(path, (1, 1))"]
        assert tried(run, LoweredEngine("C"), "", *ways, path=str(canary)) == ["done"] * 2
        assert (canary.stat().st_mode & 0o777, canary.stat().st_mtime) == (0o600, 1)

    def test_control_a_directory_shown_in_a_box_is_read(self, run: Run, canary: Path) -> None:
        engine = LoweredEngine("B", argv=with_bind(str(canary.parent)))
        assert canary.read_text().encode() in only(run("python", READ_ALL, bytes(canary), engine=engine)).stdout

    def test_a_program_of_tier_c_writes_nowhere_but_to_null(self, run: Run) -> None:
        ways = ["open('main.py', 'a')", "open('own', 'w')", "open('/tmp/own', 'w')", "os.unlink('main.py')"]
        ways += ["os.chmod('main.py', 0o666)", "open('/dev/zero', 'w')"]
        said = tried(run, SandboxEngine(tiers="C"), "", *ways, "open('/dev/null', 'w').write('x')", "open('main.py')")
        assert said == ["PermissionError"] * 6 + ["done", "done"]

    def test_packages_installed_on_the_machine_are_hidden(self, run: Run) -> None:
        code = "import glob, os\nprint([path for path in glob.glob('/usr/lib/python3*/dist-packages/*')])"
        for tier in "BC":
            assert only(run("python", code, engine=SandboxEngine(tiers=tier))).stdout == b"[]\n"

    if IS_ROOT:

        @pytest.mark.parametrize("must_drop", [True, False])
        def test_files_of_root_stay_closed_because_root_is_given_up(
            self, run: Run, monkeypatch: pytest.MonkeyPatch, canary: Path, must_drop: bool
        ) -> None:
            os.chown(canary, 0, 0)
            canary.chmod(0o600)
            change_runner(monkeypatch, NO_LANDLOCK)
            said = only(run("python", READ_ALL, bytes(canary), engine=LoweredEngine("C", must_drop=must_drop))).stdout
            assert (canary.read_text().encode() in said) is not must_drop


class NetworkTestCase:
    @pytest.mark.parametrize("has_landlock", [True, False])
    @pytest.mark.parametrize("has_filters", [True, False])
    def test_nothing_arrives_from_tier_c(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, has_landlock: bool, has_filters: bool
    ) -> None:
        if not has_landlock:
            change_runner(monkeypatch, NO_LANDLOCK)
        if not has_filters:
            filter_nothing(monkeypatch, "lone_process")
        engine = LoweredEngine("C", plan={} if has_filters else {"seccomp": allow_everything()})
        # Landlock knows TCP only: that is why no program gets a socket.
        expected = {(True, True): "", (False, True): "", (True, False): "udp", (False, False): "tcp udp"}
        assert _arrived(run, engine) == expected[has_landlock, has_filters].split()

    @pytest.mark.parametrize("is_weak", [False, True])
    def test_nothing_arrives_from_tier_b(self, run: Run, is_weak: bool) -> None:
        engine = LoweredEngine("B", argv=sharing_the_network, plan={"seccomp": allow_everything()})
        assert _arrived(run, engine if is_weak else SandboxEngine(tiers="B")) == (["tcp", "udp"] if is_weak else [])

    @pytest.mark.parametrize("is_filtered", [True, False])
    def test_a_pair_of_sockets_sends_to_nobody_else(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, canary: Path, is_filtered: bool
    ) -> None:
        """The system log is such a socket with a name, which no version of Landlock that we ask for protects."""
        if not is_filtered:
            filter_nothing(monkeypatch, "lone_process")
        name = str(canary.parent / "log")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.bind(name)
            os.chmod(name, 0o777)
            log.settimeout(0.2)
            way = "socket.socketpair(type=kind)[0].sendto(b'escaped', name)"
            tried(run, LoweredEngine("C"), "kind = socket.SOCK_DGRAM", way, name=name)
            tried(run, LoweredEngine("C"), "kind = socket.SOCK_RAW", way, name=name)
            try:
                said = log.recv(99)
            except TimeoutError:
                said = b""
        assert said == (b"" if is_filtered else b"escaped")

    @pytest.mark.parametrize("is_filtered", [True, False])
    def test_no_bit_crosses_by_a_lock(self, run: Run, monkeypatch: pytest.MonkeyPatch, is_filtered: bool) -> None:
        if not is_filtered:
            filter_nothing(monkeypatch, "lone_process")
        lock = "fcntl.lockf(open('/usr/bin/env', 'rb'), fcntl.LOCK_SH | fcntl.LOCK_NB)"
        watch = "fcntl.fcntl(os.open('/usr/bin', os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS)"
        said = tried(run, LoweredEngine("C", plan={"seccomp": allow_everything()}), "import fcntl", lock, watch)
        assert said == ["PermissionError" if is_filtered else "done"] * 2

    @pytest.mark.parametrize("has_scope", [True, False])
    def test_abstract_sockets_are_out_of_reach_even_without_filters(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, has_scope: bool
    ) -> None:
        filter_nothing(monkeypatch, "lone_process")
        if not has_scope:
            change_runner(monkeypatch, NO_LANDLOCK)
        engine = LoweredEngine("C", plan={"seccomp": allow_everything()})
        name = f"\0canary-{uuid.uuid4().hex}"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(name)
            listener.listen()
            said = tried(run, engine, "", "socket.socket(socket.AF_UNIX).connect(name)", name=name)
        assert said == (["PermissionError"] if has_scope else ["done"])


def _arrived(run: Run, engine: SandboxEngine) -> list[str]:
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        port = tcp.getsockname()[1]
        udp.bind(("127.0.0.1", port))
        only(run("python", SEND, b"%d" % port, engine=engine))
        arrived = []
        for name, server, take in (("tcp", tcp, lambda: tcp.accept()[0].close()), ("udp", udp, lambda: udp.recv(99))):
            server.settimeout(0.2)
            try:
                take()
                arrived.append(name)
            except TimeoutError:
                continue
    return arrived


KILL = "for number in (signal.SIGTERM, signal.SIGKILL):\n    try: os.kill({target}, number)\n    except OSError: pass"


class ProcessesTestCase:
    @pytest.mark.parametrize("tier", "BC")
    def test_processes_of_the_same_user_get_no_signal(self, run: Run, tier: str) -> None:
        with process_of_the_programs_user("/bin/sleep", "60") as pid:
            only(run("python", f"import os, signal\n{KILL.format(target=pid)}", engine=SandboxEngine(tiers=tier)))
            assert is_running(pid)

    @pytest.mark.parametrize("change", [NO_LANDLOCK, NO_SIGNAL_SCOPE])
    def test_control_without_the_scope_they_get_it(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str]
    ) -> None:
        change_runner(monkeypatch, change)
        with process_of_the_programs_user("/bin/sleep", "60") as pid:
            only(run("python", f"import os, signal\n{KILL.format(target=pid)}", engine=LoweredEngine("C")))
            assert not is_running(pid)

    def test_secrets_of_processes_of_the_same_user_stay_theirs(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        ways = (
            "open(f'/proc/{pid}/environ').read()[0]",
            "open(f'/proc/{pid}/mem', 'rb')",
            "os.listdir(f'/proc/{pid}/fd')",
        )
        with process_of_the_programs_user("/bin/sleep", "60", environment={"SECRET": "x"}) as pid:
            for tier in "BC":
                assert "done" not in tried(run, SandboxEngine(tiers=tier), "", *ways, pid=pid)
            change_runner(monkeypatch, NO_LANDLOCK)
            assert tried(run, LoweredEngine("C"), "", *ways, pid=pid) == ["done"] * 3

    @pytest.mark.parametrize("tier", "BC")
    def test_the_runner_heeds_no_signal_and_shows_nothing(self, run: Run, tier: str) -> None:
        code = "for number in range(1, 65):\n    if number != signal.SIGCHLD:\n"
        code += "        try: os.kill(os.getppid(), number)\n        except OSError: pass"
        ways = [f"open(f'/proc/{{os.getppid()}}/{name}', 'rb')" for name in ("mem", "environ", "maps")]
        ways += ["os.listdir(f'/proc/{os.getppid()}/fd')", "__import__('resource').prlimit(os.getppid(), 0, (0, 0))"]
        assert tried(run, SandboxEngine(tiers=tier), code, *ways) == ["PermissionError"] * 5

    def test_control_a_runner_that_can_be_interrupted_or_looked_into(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        change_runner(monkeypatch, ("_signal.signal(_signal.SIGINT, _signal.SIG_IGN)", "pass"))
        with pytest.raises(EngineUnavailable):
            only(run("python", "import os\nos.kill(1, 2)\nimport time\ntime.sleep(2)", engine=LoweredEngine("B")))
        change_runner(monkeypatch, ("self._kernel.set_dumpable(False)", "pass"))
        assert tried(run, LoweredEngine("B"), "", "open('/proc/1/mem', 'rb')") == ["done"]

    @pytest.mark.parametrize("is_filtered", [True, False])
    def test_a_program_of_tier_c_stays_one_process(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, is_filtered: bool
    ) -> None:
        if not is_filtered:
            filter_nothing(monkeypatch, "lone_process")
        code = "import subprocess\nfork = ctypes.CDLL(None).vfork"
        ways = ["os.fork() or os._exit(0)", "subprocess.run(['/bin/true'])", "os.posix_spawn('/bin/true', ['x'], {})"]
        expected = ["PermissionError"] * 3 if is_filtered else ["done"] * 3
        assert tried(run, LoweredEngine("C"), code, *ways) == expected

    @pytest.mark.parametrize(("allowed", "most"), [(32, 800), (5000, 1000)])
    def test_threads_are_limited_in_tier_c(self, run: Run, allowed: int, most: int) -> None:
        code = (
            "import threading, time\nthreading.stack_size(65536)\ncount = 0\n"
            "try:\n    while count < 1000:\n"
            "        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n        count += 1\n"
            "except RuntimeError: pass\nprint(count, flush=True)\nimport os\nos._exit(0)"
        )
        engine = LoweredEngine("C", plan={"processes": allowed})
        # The limit is on all that the user runs, and other tests' programs may be among that for a moment.
        count = max(int(only(run("python", code, engine=engine)).stdout or 0) for _ in range(3))
        assert 20 < count <= most
        assert (count == 1000) is (allowed == 5000)

    def test_forks_are_counted_in_tier_b(self, run: Run) -> None:
        code = (
            "import os, time\ncount = 0\ntry:\n    while count < 200:\n        if os.fork() == 0: time.sleep(60)\n"
            "        count += 1\nexcept OSError: pass\nprint(count)"
        )
        limits = Limits(time_limit_ms=5000, wall_limit_ms=10_000, memory_limit_mb=512)
        assert int(only(run("python", code, engine=SandboxEngine(tiers="B"), limits=limits)).stdout) < 40
        weak = LoweredEngine("B", plan={"processes": 500})
        assert only(run("python", code, engine=weak, limits=limits)).stdout == b"200\n"


class SystemCallsTestCase:
    @pytest.mark.parametrize("tier", "BC")
    def test_dangerous_calls_are_refused(self, run: Run, monkeypatch: pytest.MonkeyPatch, tier: str) -> None:
        said = dict(
            line.split() for line in only(run("python", CALLS, engine=LoweredEngine(tier))).stdout.decode().splitlines()
        )
        assert len(said) > 15
        assert set(said.values()) <= {"EPERM", "ENOSYS"}
        filter_nothing(monkeypatch, "lone_process")
        weak = LoweredEngine(tier, plan={"seccomp": allow_everything()})
        assert b"done" in only(run("python", CALLS, engine=weak)).stdout

    @pytest.mark.parametrize("tier", "BC")
    def test_a_program_holds_no_rights(self, run: Run, tier: str) -> None:
        code = (
            "import ctypes\nlibc = ctypes.CDLL(None)\nfor n in range(41):\n    assert libc.prctl(23, n, 0, 0, 0) >= 0\n"
        )
        code += "header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()\n"
        code += "assert libc.capget(header, data) == 0\nprint(list(data), libc.prctl(39, 0, 0, 0, 0))"
        assert only(run("python", code, engine=SandboxEngine(tiers=tier))).stdout == b"[0, 0, 0, 0, 0, 0] 1\n"


class BoxOfOneRunTestCase:
    @pytest.mark.parametrize("is_protected", [True, False])
    def test_times_of_devices_cannot_be_set(self, run: Run, is_protected: bool) -> None:
        engine = LoweredEngine("B", argv=None if is_protected else without("--remount-ro", "/dev/null"))
        assert tried(run, engine, "", "os.utime('/dev/null')") == ["OSError" if is_protected else "done"]

    @pytest.mark.parametrize("is_counted", [True, False])
    def test_files_without_end_are_the_memory_limit(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, is_counted: bool
    ) -> None:
        if not is_counted:
            change_runner(monkeypatch, ("if files > _FILES", "if False"))
        code = "for n in range(40_000): open(f'{n}', 'w').close()\nprint('done')"
        limits = Limits(time_limit_ms=20_000, wall_limit_ms=20_000, memory_limit_mb=64)
        result = only(run("python", code, engine=LoweredEngine("B"), limits=limits))
        expected = (RunStatus.MEMORY_LIMIT, b"") if is_counted else (RunStatus.EXITED, b"done\n")
        assert (result.status, result.stdout) == expected

    def test_disk_is_limited(self, run: Run) -> None:
        code = "open('large', 'wb').write(bytes(64 << 20))"
        for path in ("large", "/tmp/large"):
            result = only(run("python", code.replace("large", path), engine=SandboxEngine(tiers="B")))
            assert (result.exit_code, result.signal) != (0, None)
        many = "for n in range(9): open(f'large{n}', 'wb').write(bytes(8 << 20))"
        said = only(run("python", many, engine=SandboxEngine(tiers="B")))
        assert b"No space left" in said.stderr
        assert only(run("python", many, engine=LoweredEngine("B", plan={"disk_kib": 200 * 1024}))).exit_code == 0
