"""What a program may ask of the kernel: nothing that reaches beyond its run. Each refusal has its control."""

import pytest

from executor.engines.sandbox import SandboxEngine, host, seccomp
from tests.executor.sandbox.conftest import Run, only
from tests.executor.sandbox.weakened import (
    WeakEngine,
    allow_everything,
    changed_runner,
    without,
)

CALLS = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
x86 = os.uname().machine == "x86_64"
calls = {
    "shared": lambda: -1 if libc.mmap(None, 4096, 3, 0x21, -1, 0) in (None, 2**64 - 1) else 0,
    "memfd": lambda: libc.memfd_create(b"x", 0),
    "ptrace": lambda: libc.ptrace(0, 0, 0, 0),
    "socket": lambda: libc.socket(1, 1, 0),
    "shmget": lambda: libc.shmget(0, 4096, 0o1600),
    "flock": lambda: libc.flock(0, 1),
    "inotify": lambda: libc.inotify_init1(0),
    "userfaultfd": lambda: libc.syscall(323 if x86 else 282, 1),
    "io_uring": lambda: libc.syscall(425, 1, (ctypes.c_char * 120)()),
    "pidfd": lambda: libc.syscall(434, os.getpid(), 0),
    "unshare": lambda: libc.unshare(0x10000000),
    "clone": lambda: libc.syscall(56 if x86 else 220, 0x10000011, 0, 0, 0, 0),
    "mount": lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
    "keyctl": lambda: libc.syscall(250 if x86 else 219, 1, None),
    "bpf": lambda: libc.syscall(321 if x86 else 280, 5, (ctypes.c_char * 120)(), 120),
    "perf": lambda: libc.syscall(298 if x86 else 241, (ctypes.c_char * 120)(), 0, -1, -1, 0),
    "setns": lambda: libc.setns(0, 0),
    "process_vm": lambda: libc.process_vm_readv(os.getpid(), None, 0, None, 0, 0),
    "priority": lambda: libc.setpriority(0, 1, 19),
}
for name, call in calls.items():
    ctypes.set_errno(0)
    print(name, "done" if call() >= 0 else errno.errorcode[ctypes.get_errno()])
"""
# What an ordinary process may do where no filter forbids it: the controls.
POSSIBLE = {"shared", "memfd", "ptrace", "socket", "shmget", "flock", "inotify", "pidfd", "keyctl", "process_vm"}


class SystemCallsTestCase:
    @pytest.mark.parametrize("filter_name", ["allow_list", "deny_list"])
    def test_dangerous_calls_are_refused(self, run: Run, filter_name: str) -> None:
        engine = WeakEngine(plan={"seccomp": getattr(seccomp, filter_name)()})
        said = dict(line.split() for line in only(run("python", CALLS, engine=engine)).stdout.decode().splitlines())
        assert len(said) == 19
        assert {name: word for name, word in said.items() if word not in {"EPERM", "ENOSYS"}} == {}

    def test_control_without_a_filter_they_are_done(self, run: Run) -> None:
        engine = WeakEngine(plan={"seccomp": allow_everything()})
        said = dict(line.split() for line in only(run("python", CALLS, engine=engine)).stdout.decode().splitlines())
        assert {name for name, word in said.items() if word == "done"} >= POSSIBLE

    def test_they_are_refused_also_by_a_bubblewrap_that_cannot_forbid_user_namespaces(self, run: Run) -> None:
        engine = WeakEngine(argv=without("--disable-userns"))
        said = dict(line.split() for line in only(run("python", CALLS, engine=engine)).stdout.decode().splitlines())
        assert set(said.values()) <= {"EPERM", "ENOSYS"}

    def test_a_program_holds_no_rights(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        code = "console.log(require('fs').readFileSync('/proc/self/status', 'utf8'))"

        def status(engine: SandboxEngine | None = None) -> dict[str, str]:
            lines = only(run("javascript", code, engine=engine)).stdout.decode().splitlines()
            return {key: value.strip() for key, _, value in (line.partition(":") for line in lines if line)}

        held = status()
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(held[name], 16) == 0
        assert (held["NoNewPrivs"], held["Seccomp"], held["Uid"].split()[0]) == ("1", "2", "1000")
        monkeypatch.setattr(host, "runner_code", changed_runner(("kernel.drop_capabilities()", "pass")))
        assert int(status(WeakEngine())["CapEff"], 16) != 0

    def test_what_a_program_writes_cannot_be_executed(self, run: Run) -> None:
        code = (
            "import os, shutil, subprocess\nshutil.copy('/bin/true', 'own')\nos.chmod('own', 0o755)\n"
            "try: subprocess.run(['./own'])\nexcept OSError as error: print(type(error).__name__)"
        )
        assert only(run("python", code)).stdout == b"PermissionError\n"


class LockTestCase:
    def test_a_database_in_a_file_works_though_locks_do_nothing(self, run: Run) -> None:
        code = (
            "import sqlite3\nfor _ in range(2):\n    with sqlite3.connect('mine.db') as base:\n"
            "        base.execute('create table if not exists t (x)')\n"
            "        base.execute('insert into t values (4)')\n"
            "    base.close()\nprint(sqlite3.connect('mine.db').execute('select sum(x) from t').fetchall())"
        )
        result = only(run("python", code))
        assert result.stdout == b"[(8,)]\n", result.stderr
