"""The loop in the box: tests kept from each other, and a hostile one from the loop."""

from dataclasses import replace

import pytest

from executor.engines.base import RunStatus
from tests.executor.judge0.loops import (
    QUICK,
    looped,
    stdout_of,
    weaken,
)

READ_THE_LOOP = """
import os
words = []
for path in ("mem", "environ", "fd/0", "fd/1", "fd/3", "fd/4", "fd/5"):
    try:
        with open(f"/proc/{os.getppid()}/{path}", "rb") as file:
            words.append(path)
    except OSError:
        pass
print(input()[:4], *words)
"""
FIND_INPUTS = """
import os, re
own = input()
found = set()
try:
    with open(f"/proc/{os.getppid()}/maps") as maps, open(f"/proc/{os.getppid()}/mem", "rb", 0) as memory:
        for line in maps:
            low, high = (int(end, 16) for end in line.split()[0].split("-"))
            if line.split()[1].startswith("rw"):
                memory.seek(low)
                found |= set(re.findall(rb"hidden-[0-9]+", memory.read(high - low)))
except OSError as error:
    print(type(error).__name__)
print(own, sorted(found - {own.encode()}))
"""
# Writes what would be a frame to everything that can be written to, on every number and by every path.
FORGE = """
import os
text = b"\\n0123456789abcdef 0 5 AAAA\\n" * 3
print(input(), flush=True)
for number in range(1, 1024):
    for target in (number, 1000):
        try:
            os.dup2(number, target)
            os.write(target, text)
        except OSError:
            pass
for pid in filter(str.isdigit, os.listdir("/proc")):
    for number in range(64):
        try:
            os.write(os.open(f"/proc/{pid}/fd/{number}", os.O_WRONLY | os.O_APPEND), text)
        except OSError:
            pass
"""
COUNT_OTHERS = """
import os
def others():
    found = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found += b"main.py" in file.read()
        except OSError:
            pass
    return found - 1
print(input(), others(), flush=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time
        time.sleep(30)
    os._exit(0)
os.wait()
"""
LEAVE_FILES = """
import os
places = [".", "..", "/tmp", "/dev/shm"]
print(input(), sorted(name for place in places for name in os.listdir(place)), open("main.py").read(7) == "\\nimport")
for place in places:
    os.makedirs(f"{place}/deep/er")
    os.symlink("/usr", f"{place}/deep/link")
    open(f"{place}/deep/er/file", "w").close()
    os.chmod(f"{place}/deep", 0)
    open(f"{place}/left", "w").close()
with open("main.py", "w") as file:
    file.write("print('changed')")
"""
LEAVE_IPC = """
import ctypes
print(input())
ctypes.CDLL(None).shmget(0x1234, 4096, 0o1600)
"""
FORK_BOMB = """
import os
if input() == "x":
    while True:
        try:
            os.fork()
        except OSError:
            pass
print(1)
"""
DEEP = """
import os
print(input())
for _ in range(3000):
    os.mkdir("d")
    os.chdir("d")
"""


class KeptApartTestCase:
    def test_files_left_anywhere_are_gone_and_the_program_is_as_it_was(self) -> None:
        assert stdout_of(LEAVE_FILES, b"1", b"2", b"3") == [
            b"%d ['main.py', 'program'] True\n" % number for number in (1, 2, 3)
        ]

    @pytest.mark.parametrize(
        ("line", "seen"),
        [("clear(directory, of_uid=os.getuid())", b"left"), ("    clear(home)\n", b"")],
        ids=["scratch", "home"],
    )
    def test_without_clearing_they_are_there(self, monkeypatch: pytest.MonkeyPatch, line: str, seen: bytes) -> None:
        weaken(monkeypatch, "files", line, "    pass\n" if line.endswith("\n") else "pass")
        outcome = looped(LEAVE_FILES, b"1", b"2")
        if seen:
            assert seen in outcome.results[1].stdout
        else:
            assert 1 not in outcome.results  # the program's own directory is in the way

    def test_a_process_left_behind_is_gone_before_the_next_test(self) -> None:
        assert stdout_of(COUNT_OTHERS, b"1", b"2", b"3") == [b"1 0\n", b"2 0\n", b"3 0\n"]

    def test_without_ending_them_it_is_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        weaken(monkeypatch, "runner", "test.end()")
        assert looped(COUNT_OTHERS, b"1", b"2").results[1].stdout == b"2 1\n"

    def test_without_inheriting_orphans_they_would_not_even_be_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        weaken(monkeypatch, "tree", " or libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0", "")
        assert looped(COUNT_OTHERS, b"1", b"2").results[1].stdout == b"2 1\n"

    def test_a_fork_bomb_hits_its_limits_and_leaves_nothing(self) -> None:
        outcome = looped(FORK_BOMB, b"a", b"x", b"b")
        assert outcome.results[1].status in (RunStatus.TIME_LIMIT, RunStatus.WALL_LIMIT)
        assert outcome.results[2].stdout == b"1\n"

    def test_what_cannot_be_removed_ends_the_loop(self) -> None:
        outcome = looped(DEEP, b"1", b"2")
        assert [result.stdout for result in outcome.results.values()] == [b"1\n"]
        assert outcome.unbegun == ()
        # It depends on Python's depth which comes first.
        assert "RecursionError" in outcome.why_ended or "File name too long" in outcome.why_ended

    def test_a_system_v_object_ends_the_loop(self) -> None:
        outcome = looped(LEAVE_IPC, b"1", b"2")
        assert [result.stdout for result in outcome.results.values()] == [b"1\n"]
        assert outcome.why_ended == "System V objects that a test left"

    def test_without_looking_for_them_it_goes_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        weaken(monkeypatch, "runner", "if files.ipc_objects() != self._ipc:", "if False:")
        assert len(looped(LEAVE_IPC, b"1", b"2").results) == 2


class KeptFromTheLoopTestCase:
    def test_a_test_can_neither_read_the_loops_memory_nor_open_its_descriptors(self) -> None:
        assert stdout_of(READ_THE_LOOP, b"one", b"two") == [b"one\n", b"two\n"]

    def test_a_dumpable_loop_would_give_all_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        weaken(
            monkeypatch,
            "tree",
            "libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)\n    if libc.prctl(PR_GET",
            "if 0 * libc.prctl(PR_GET",
        )
        words = looped(READ_THE_LOOP, b"one", b"two").results[0].stdout.split()
        assert {b"mem", b"environ", b"fd/0"} < set(words)

    def test_the_inputs_of_other_tests_cannot_be_found(self) -> None:
        inputs = [b"hidden-%d" % number for number in (100, 200, 300)]
        assert stdout_of(FIND_INPUTS, *inputs) == [b"PermissionError\n%s []\n" % text for text in inputs]

    def test_in_a_dumpable_loop_they_are_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        weaken(
            monkeypatch,
            "tree",
            "libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)\n    if libc.prctl(PR_GET",
            "if 0 * libc.prctl(PR_GET",
        )
        outcome = looped(FIND_INPUTS, b"hidden-100", b"hidden-200")
        assert b"hidden-200" in outcome.results[0].stdout

    def test_a_kernel_that_does_not_keep_them_apart_runs_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        weaken(monkeypatch, "tree", "libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)")
        outcome = looped("print(input())", b"1", b"2")
        assert (outcome.results, outcome.unbegun, outcome.is_unfit) == ({}, (), True)

    def test_no_descriptor_leads_to_the_jobs_output(self) -> None:
        outcome = looped(FORGE, b"1", b"2")
        assert [result.stdout[:2] for result in outcome.results.values()] == [b"1\n", b"2\n"]
        assert (outcome.why_ended, len(outcome.results)) == ("done", 2)

    def test_with_the_loops_own_output_inherited_forgery_reaches_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        weaken(monkeypatch, "runner", "os.dup2(source, target)", "target != 1 and os.dup2(source, target)")
        weaken_more = "os.dup2(nothing, 1)"
        weaken(monkeypatch, "runner", weaken_more)
        assert looped(FORGE, b"1", b"2").results[0].stdout == b""

    def test_only_the_three_standard_descriptors_are_inherited(self) -> None:
        code = "import os\nprint(input(), sorted(map(int, os.listdir('/proc/self/fd'))))"
        # 3 is that of listing them.
        assert stdout_of(code, b"1", b"2") == [b"1 [0, 1, 2, 3]\n", b"2 [0, 1, 2, 3]\n"]

    @pytest.mark.parametrize("signal", ["SIGKILL", "SIGTERM", "SIGINT", "SIGUSR1", "SIGALRM"])
    def test_a_test_that_kills_the_loop_loses_only_the_frames_to_come(self, signal: str) -> None:
        kill = f"os.kill(os.getppid(), signal.{signal})\n    time.sleep(2)"
        code = f"import os, signal, time\nif input() == 'x':\n    {kill}"
        outcome = looped(code, b"a", b"x", b"b")
        assert (list(outcome.results), outcome.unbegun, outcome.is_unfit) == ([0], (), False)

    def test_a_test_that_halts_the_loop_ends_with_the_job(self) -> None:
        limits = replace(QUICK, time_limit_ms=300, wall_limit_ms=1000)
        code = (
            "import os, signal, time\nif input() == 'x':\n    os.kill(os.getppid(), signal.SIGSTOP)\n    time.sleep(60)"
        )
        outcome = looped(code, b"a", b"x", b"b", limits=limits)
        assert (list(outcome.results), outcome.unbegun, outcome.is_unfit) == ([0], (), False)

    def test_killing_everything_within_reach_loses_only_the_frames_to_come(self) -> None:
        outcome = looped("import os\nif input() == 'x':\n    os.kill(-1, 9)", b"a", b"x", b"b")
        assert (list(outcome.results), outcome.is_unfit) == ([0], False)
