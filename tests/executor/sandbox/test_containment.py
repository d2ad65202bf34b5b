"""A program gets out of its box by no way we know. Proven by canaries, each with the protection once taken away."""

import os
import shutil
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.engines.base import EngineUnavailable, Limits, RunStatus
from executor.engines.sandbox import host
from tests.executor.sandbox.conftest import Run, only, processes_naming
from tests.executor.sandbox.weakened import (
    IS_ROOT,
    WeakEngine,
    allow_everything,
    changed_runner,
    sharing_the_network,
    with_bind,
    without,
)

READ_ALL = """
import sys
for path in sys.stdin.read().split():
    try:
        print(open(path).read())
    except OSError as error:
        print(type(error).__name__)
"""


@pytest.fixture
def canary() -> Iterator[Path]:
    """A file with a secret, in a directory of the machine that everybody may enter."""
    directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
    directory.chmod(0o755)
    path = directory / "canary"
    path.write_text(f"secret-{uuid.uuid4().hex}")
    yield path
    shutil.rmtree(directory)


class FilesTestCase:
    def test_files_of_the_machine_are_not_there(self, run: Run, canary: Path) -> None:
        with tempfile.NamedTemporaryFile("w") as in_tmp:
            os.chmod(in_tmp.name, 0o644)
            in_tmp.write(canary.read_text())
            in_tmp.flush()
            paths = [str(canary), in_tmp.name, "/etc/shadow", "/etc/passwd", "/proc/1/environ", __file__]
            result = only(run("python", READ_ALL, "\n".join(paths).encode()))
        assert result.stdout.split() == [b"FileNotFoundError"] * len(paths)

    def test_control_a_directory_shown_in_the_box_is_read(self, run: Run, canary: Path) -> None:
        weak = WeakEngine(argv=with_bind(str(canary.parent)))
        assert canary.read_text().encode() in only(run("python", READ_ALL, bytes(canary), engine=weak)).stdout

    if IS_ROOT:

        @pytest.mark.parametrize("must_drop", [True, False])
        def test_files_of_root_stay_closed_because_root_is_given_up(
            self, run: Run, canary: Path, must_drop: bool
        ) -> None:
            canary.chmod(0o600)
            weak = WeakEngine(argv=with_bind(str(canary.parent)), must_drop=must_drop)
            said = only(run("python", READ_ALL, bytes(canary), engine=weak)).stdout
            assert (canary.read_text().encode() in said) is not must_drop


SEND = """
import socket, sys
port = int(input())
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    try:
        with socket.socket(socket.AF_INET, kind) as s:
            s.settimeout(2)
            s.connect(("127.0.0.1", port))
            s.send(b"escaped")
    except OSError as error:
        print(error.strerror)
"""


class NetworkTestCase:
    @pytest.mark.parametrize(
        ("has_namespace", "has_filter"), [(True, True), (True, False), (False, True), (False, False)]
    )
    def test_nothing_arrives_while_one_of_the_two_walls_stands(
        self, run: Run, has_namespace: bool, has_filter: bool
    ) -> None:
        engine = WeakEngine(
            argv=None if has_namespace else sharing_the_network,
            plan={} if has_filter else {"seccomp": allow_everything()},
        )
        with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            port = tcp.getsockname()[1]
            udp.bind(("127.0.0.1", port))
            only(run("python", SEND, b"%d" % port, engine=engine))
            arrived = []
            for server, take in ((tcp, lambda: tcp.accept()[0].close()), (udp, lambda: udp.recv(99))):
                server.settimeout(0.2)
                try:
                    take()
                    arrived.append(server)
                except TimeoutError:
                    continue
        assert arrived == ([] if has_namespace or has_filter else [tcp, udp])


FORK = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
count = 0
try:
    while count < 300:
        if os.fork() == 0:
            os.setsid()
            os.execv("/bin/sleep", [input_marker, "60"])
        count += 1
except OSError as error:
    print(type(error).__name__, flush=True)
print(count)
"""


class ProcessesTestCase:
    def test_forks_are_counted_and_all_end_with_the_run(self, run: Run) -> None:
        marker = f"marker-{uuid.uuid4().hex}"
        result = only(run("python", f"input_marker = {marker!r}\n{FORK}"))
        word, count = result.stdout.split()
        assert word == b"BlockingIOError"
        assert int(count) < 40
        assert processes_naming(marker) == []

    def test_a_signal_to_what_stands_above_it_is_the_programs_own_matter(self, run: Run) -> None:
        """Where it has no parent that it can name, its own group is meant, which is itself."""
        code = "import os, signal\nsignal.signal(2, lambda *_: print('mine'))\nos.kill(os.getppid(), 2)\nprint('on')"
        assert only(run("python", code)).stdout in {b"on\n", b"mine\non\n"}

    def test_a_program_is_given_the_signals_as_they_are(self, run: Run) -> None:
        """An interpreter ignores some, and what is ignored stays so in the program that it turns into."""
        code = (
            "#include <signal.h>\n#include <stdio.h>\nint main(void) {\n"
            "  for (int number = 1; number < 32; number++) {\n    struct sigaction now;\n"
            '    if (sigaction(number, 0, &now) == 0 && now.sa_handler != SIG_DFL) printf("%d ", number);\n  }\n'
            '  puts(".");\n}\n'
        )
        assert only(run("c", code)).stdout == b".\n"

    def test_control_a_larger_allowance_forks_more(self, run: Run) -> None:
        weak = WeakEngine(plan={"processes": 500})
        assert only(run("python", f"input_marker = 'x'\n{FORK}", engine=weak)).stdout == b"300\n"

    def test_a_fork_bomb_ends_and_its_neighbor_is_right(self, run: Run) -> None:
        limits = Limits(time_limit_ms=1000, wall_limit_ms=2000, memory_limit_mb=64)
        bomb = "#include <unistd.h>\nint main(){for(;;)fork();}"
        results = []
        thread = threading.Thread(target=lambda: results.append(only(run("c", bomb, limits=limits))))
        thread.start()
        neighbors = [only(run("python", "print(6 * 7)")) for _ in range(5)]
        thread.join()
        assert [n.stdout for n in neighbors] == [b"42\n"] * 5
        assert results[0].status in {RunStatus.TIME_LIMIT, RunStatus.WALL_LIMIT}
        assert results[0].wall_ms < 4000

    def test_orphans_are_gone_before_the_next_input(self, run: Run) -> None:
        marker = f"marker-{uuid.uuid4().hex}"
        code = (
            "import os, time\n"
            "if os.fork() == 0:\n"
            "    os.setsid()\n"
            "    if os.fork() == 0:\n"
            f"        os.execv('/bin/sleep', [{marker!r}, '60'])\n"
            "    os._exit(0)\n"
            "time.sleep(0.5)\n"
        )
        seen_during: list[int] = []
        seen_after: list[list[int]] = []
        is_over = threading.Event()

        def watch() -> None:
            while not is_over.is_set():
                seen_during.extend(processes_naming(marker))
                time.sleep(0.02)

        watcher = threading.Thread(target=watch)
        watcher.start()

        def between(index: int, result: object) -> bool:
            seen_after.append(processes_naming(marker))
            return True

        started = time.monotonic()
        report = run("python", code, b"", b"", on_result=between)
        is_over.set()
        watcher.join()
        assert [r.exit_code for r in report.results] == [0, 0]
        assert time.monotonic() - started < 20  # the sleepers hold stdout open: their end is not waited for
        assert seen_during, "the control: the sleepers were there"
        assert seen_after == [[], []]
        assert processes_naming(marker) == []

    @pytest.mark.parametrize("target", [-1, 1, 0])
    def test_signals_reach_nobody_else(self, run: Run, target: int) -> None:
        code = (
            "import os, signal\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            f"for number in (signal.SIGTERM, {'' if target == 0 else 'signal.SIGSTOP, signal.SIGKILL'}):\n"
            f"    try: os.kill({target}, number)\n"
            "    except OSError: pass\n"
            "print('still here')\n"
        )
        first, second = run("python", code, b"", b"").results
        assert (first.stdout, second.stdout) == (b"still here\n", b"still here\n")

    def test_limits_of_the_keeper_cannot_be_touched(self, run: Run) -> None:
        code = (
            "import resource\n"
            "for pid in (1,):\n"
            "    try: print(resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0)))\n"
            "    except OSError as error: print(type(error).__name__)\n"
        )
        assert only(run("python", code)).stdout == b"PermissionError\n"
        weak = WeakEngine(plan={"seccomp": allow_everything()})
        try:
            is_touched = only(run("python", code, engine=weak)).stdout != b"PermissionError\n"
        except EngineUnavailable:  # the keeper fell to its new limit before it could report
            is_touched = True
        assert is_touched


LEAVE = """
import os
found, left = [], 0
for directory, _, files in os.walk("/"):
    if directory.startswith(("/usr", "/lib", "/proc/")):
        continue
    found += [name for name in files if name == "left-behind"]
    try:
        open(directory + "/left-behind", "w").close()
        left += 1
    except OSError:
        pass
    try:
        os.mkdir(directory + "/dir-left")
    except OSError:
        pass
print(len(found), left)
"""


class ResidueTestCase:
    def test_what_a_run_leaves_is_not_there_for_the_next(self, run: Run) -> None:
        for _ in range(2):
            assert [r.stdout for r in run("python", LEAVE, b"", b"", b"").results] == [b"0 2\n"] * 3

    def test_control_a_writable_root_keeps_it(self, run: Run) -> None:
        weak = WeakEngine(argv=without("--remount-ro", "/"))
        found = [int(r.stdout.split()[0]) for r in run("python", LEAVE, b"", b"", engine=weak).results]
        assert found[0] == 0
        assert found[1] > 0

    def test_control_a_shared_tmp_keeps_it(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(host, "runner_code", changed_runner(('(WORK, "/tmp")', "(WORK,)")))

        def one_tmp(argv: list[str]) -> list[str]:
            return without("--dir", "/tmp")([*argv[:-4], "--tmpfs", "/tmp", *argv[-4:]])

        first, second = run("python", LEAVE, b"", b"", engine=WeakEngine(argv=one_tmp)).results
        assert (first.stdout.split()[0], second.stdout.split()[0]) == (b"0", b"1")

    @pytest.mark.parametrize("is_protected", [True, False])
    def test_times_of_devices_cannot_be_set(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, is_protected: bool
    ) -> None:
        if not is_protected:
            monkeypatch.setattr(host, "runner_code", changed_runner(('os.listdir("/dev")', "[]")))
        code = (
            "import os\n"
            "try:\n    os.utime('/dev/null')\n    print('set')\n"
            "except OSError as error:\n    print(type(error).__name__)\n"
        )
        expected = b"OSError\n" if is_protected else b"set\n"
        assert only(run("python", code, engine=WeakEngine())).stdout == expected


SHOW_ALL = """
const fs = require('fs'), out = [JSON.stringify(process.env)]
for (const pid of fs.readdirSync('/proc')) for (const name of ['environ', 'cmdline'])
  try { out.push(fs.readFileSync(`/proc/${pid}/${name}`, 'latin1')) } catch (error) { out.push(error.code) }
console.log(out.join(' '))
"""


class SecretsTestCase:
    @pytest.mark.parametrize(
        ("language", "code"), [("python", "import os; print(os.environ)"), ("javascript", SHOW_ALL)]
    )
    def test_our_environment_is_not_visible(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, language: str, code: str
    ) -> None:
        monkeypatch.setenv("ASSAY_TEST_SECRET", "secret-in-the-environment")
        said = only(run(language, code)).stdout
        assert b"PATH" in said
        assert b"secret" not in said

    def test_control_an_environment_passed_on_is_visible(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        environment = {"ASSAY_TEST_SECRET": "secret-in-the-environment"}
        said = only(run("javascript", SHOW_ALL, engine=WeakEngine(plan={"environment": environment}))).stdout
        assert b"secret" in said

    def test_no_descriptor_is_inherited(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        code = (
            "import os\nfound = []\nfor number in range(1024):\n"
            "    try: os.fstat(number); found.append(number)\n    except OSError: pass\nprint(found)"
        )
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.set_inheritable(True)
            assert only(run("python", code)).stdout == b"[0, 1, 2]\n"
        monkeypatch.setattr(
            host,
            "runner_code",
            changed_runner(("os.closerange(4, 1024)\n        for", "os.set_inheritable(3, True)\n        for")),
        )
        assert only(run("python", code, engine=WeakEngine())).stdout == b"[0, 1, 2, 3]\n"

    def test_the_input_cannot_be_rewritten(self, run: Run) -> None:
        code = (
            "import os\nfor action in (lambda: os.write(0, b'x'), lambda: os.ftruncate(0, 0)):\n"
            "    try: action(); print('changed')\n    except OSError as error: print(type(error).__name__)\n"
            "os.lseek(0, 0, 0)\nprint(os.read(0, 99))"
        )
        said = only(run("python", code, b"the input")).stdout.split(b"\n")
        assert said[:3] == [b"PermissionError", b"PermissionError", b"b'the input'"]
