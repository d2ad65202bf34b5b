"""What the sandbox needs from the machine: programs by absolute path, bubblewrap, and a uid without rights."""

import glob
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from executor.engines.base import EngineUnavailable
from executor.engines.sandbox import inbox
from executor.engines.sandbox.inbox.kernel import CLONE_NUMBERS

PROGRAM_DIRECTORIES = ("/usr/local/bin", "/usr/bin", "/bin")
# What a program sees of the machine, read-only and where present; no home, no project, no users of the host.
_SETTINGS = ("/etc/java-*", "/etc/php/*/cli/conf.d", "/etc/php/*/mods-available")  # which extensions PHP has
READ_ONLY = (
    *("/usr", "/etc/ld.so.cache", "/etc/alternatives"),
    *sorted(path for pattern in _SETTINGS for path in glob.glob(pattern)),
)
LINKED_DIRECTORIES = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# A program gets its language's standard library: what an administrator installed for Python (and the start-up hooks
# that come with it) would make results differ from machine to machine, and each start a third slower.
_HIDDEN = ("/usr/lib/python3*/dist-packages", "/usr/local/lib/python3*/*-packages")
DEVICES = ("null", "zero", "full", "random", "urandom")


def find_program(name: str) -> str | None:
    """The absolute path of a program by its bare name, or None. A version manager's shims are never looked at."""
    for directory in PROGRAM_DIRECTORIES:
        path = f"{directory}/{name}"
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    if name == "python3":
        return os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    return None


# The in-box modules in the order of their imports; a submission's start should not wait for a search or a compilation.
INBOX_MODULES = ("framing", "kernel", "keeper", "meter", "runner")
_ZYGOTE_MODULES = ("framing", "zygote")
# What the runner needs to make the namespaces of a run and to let a process join them; programs have none of it.
_RUNNER_CAPABILITIES = ("CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE")
_BUNDLE = """
import ast, importlib.util, marshal, sys
sources = ast.literal_eval(sys.stdin.buffer.read().decode())
codes = marshal.dumps([(name, compile(text, name, "exec", dont_inherit=True, optimize=2)) for name, text in sources])
start = f'''
import marshal, sys
for name, code in marshal.loads({codes!r}):
    module = sys.modules[name] = type(sys)(name)
    exec(code, module.__dict__)
module.main()
'''
program = marshal.dumps(compile(start, "start", "exec", dont_inherit=True))
sys.stdout.buffer.write(importlib.util.MAGIC_NUMBER + bytes(12) + program)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The programs and the identity that boxes on this machine are made with."""

    bubblewrap: str
    interpreter: str
    uid: int
    gid: int
    must_drop: bool  # we are root and have to become `uid` first
    tier: str = "A"  # how its boxes hold programs
    # Directories of ours that boxes show read-only: where they are here, and where they are seen.
    shown: tuple[tuple[str, str], ...] = ()
    native_runner: str | None = None  # where boxes see it; without it a slower one in Python serves

    @classmethod
    def found(cls, *, uid_for_root: int, needs_bubblewrap: bool = True) -> Self:
        """Look at this machine.

        Raises:
            EngineUnavailable: something is missing; the message names what would fix it.
        """
        if sys.platform != "linux" or os.uname().machine not in CLONE_NUMBERS:
            raise EngineUnavailable("the sandbox needs Linux on x86-64 or ARM64: use EXECUTOR_ENGINE=judge0")
        bubblewrap, interpreter = find_program("bwrap"), find_program("python3")
        if bubblewrap is None and needs_bubblewrap:
            raise EngineUnavailable("bubblewrap is missing: apt-get install bubblewrap")
        if interpreter is None:
            raise EngineUnavailable("python3 is missing: apt-get install python3")
        is_root = os.geteuid() == 0
        uid, gid = (uid_for_root, uid_for_root) if is_root else (os.geteuid(), os.getegid())
        if uid <= 0:
            raise EngineUnavailable("the sandbox was told to run programs as root, which no box can hold")
        return cls(bubblewrap=bubblewrap or "", interpreter=interpreter, uid=uid, gid=gid, must_drop=is_root)

    def spawn(self, control: int, log: int) -> "subprocess.Popen[bytes]":
        """Start a box whose runner is served on the socket `control`; what goes wrong in it is written to `log`.

        Raises:
            OSError: it cannot be started.
        """
        if self.native_runner is None:
            return self.start(self.box_argv(), runner_code(self.interpreter), control, log)
        return self._popen([*self.box_argv(), self.native_runner, str(control)], log, control)

    def start(
        self, prefix: Sequence[str], program: bytes, control: int, log: int, *arguments: str
    ) -> "subprocess.Popen[bytes]":
        """Start a bundled program by the interpreter, as the programs' user, with `control` as its first argument.

        Raises:
            OSError: it cannot be started.
        """
        code = os.memfd_create("runner", os.MFD_CLOEXEC)
        try:
            os.write(code, program)
            argv = [*prefix, self.interpreter, "-I", "-S", "-E", f"/proc/self/fd/{code}", str(control), *arguments]
            return self._popen(argv, log, control, code)
        finally:
            os.close(code)

    def _popen(self, argv: Sequence[str], log: int, *descriptors: int) -> "subprocess.Popen[bytes]":
        # As root, the real uid goes before bubblewrap starts: its --uid alone still reads root's files.
        return subprocess.Popen(
            argv,
            env={},  # bubblewrap's own environment would be readable from inside
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=descriptors,
            cwd="/",
            user=self.uid if self.must_drop else None,
            group=self.gid if self.must_drop else None,
            extra_groups=[] if self.must_drop else None,
        )

    def box_argv(self) -> list[str]:
        """The command line of the outer box, up to the program to start in it."""
        argv = [self.bubblewrap, "--unshare-all", "--unshare-user"]
        if supports_disable_userns(self.bubblewrap):
            argv.append("--disable-userns")
        argv += ["--die-with-parent", "--new-session", "--as-pid-1", "--uid", "1000", "--gid", "1000"]
        argv += ["--cap-drop", "ALL", "--hostname", "box"]
        for capability in _RUNNER_CAPABILITIES:
            argv += ["--cap-add", capability]
        argv += [*self.view_argv(), "--dir", "/box", "--dir", "/program", "--dir", "/tmp"]  # noqa: S108
        return [*argv, "--remount-ro", "/", "--chdir", "/"]

    def view_argv(self) -> list[str]:
        """The part of a box's command line that says what it shows of this machine."""
        argv: list[str] = []
        for path in READ_ONLY:
            if os.path.exists(path):
                argv += ["--ro-bind", path, path]
        for path in LINKED_DIRECTORIES:
            if os.path.islink(path):
                argv += ["--symlink", os.readlink(path), path]
            elif os.path.isdir(path):
                argv += ["--ro-bind", path, path]
        prefix = sys.base_prefix
        if not self.interpreter.startswith(PROGRAM_DIRECTORIES):
            argv += ["--ro-bind", prefix, prefix]
        for path in hidden_directories():
            argv += ["--tmpfs", path, "--remount-ro", path]
        for source, target in self.shown:
            argv += ["--ro-bind-try", source, target]  # the kit may be taken away while we serve
        for name in DEVICES:
            argv += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
        for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
            argv += ["--symlink", f"/proc/self/{target}", f"/dev/{name}"]
        return [*argv, "--proc", "/proc"]


@cache
def hidden_directories() -> tuple[str, ...]:
    """The directories of installed Python packages, which boxes show empty."""
    found = {os.path.realpath(path) for pattern in _HIDDEN for path in glob.glob(pattern)}
    return tuple(sorted(path for path in found if os.path.isdir(path)))


@cache
def supports_disable_userns(bubblewrap: str) -> bool:
    """Whether this bubblewrap (0.8 or later) can forbid further user namespaces."""
    options = subprocess.run([bubblewrap, "--help"], env={}, capture_output=True, timeout=30, check=False)
    return b"--disable-userns" in options.stdout + options.stderr


@cache
def runner_code(interpreter: str) -> bytes:
    """The Python runner compiled by and for the box's interpreter, as one .pyc; see `bundle`."""
    return bundle(interpreter, inbox_sources())


@cache
def zygote_code(interpreter: str) -> bytes:
    """The zygote compiled by and for the box's interpreter, as one .pyc; see `bundle`."""
    return bundle(interpreter, inbox_sources(_ZYGOTE_MODULES))


def inbox_sources(modules: Sequence[str] = INBOX_MODULES) -> dict[str, str]:
    """The source of each in-box module by its full name, in the order of their imports; the last one is started."""
    directory = Path(inbox.__file__).parent
    return {f"{inbox.__name__}.{name}": (directory / f"{name}.py").read_text() for name in modules}


def bundle(interpreter: str, sources: dict[str, str]) -> bytes:
    """Compile modules by the interpreter that will execute them, which need not be the one we run on.

    Raises:
        EngineUnavailable: the interpreter does not work.
    """
    done = subprocess.run(
        [interpreter, "-I", "-S", "-E", "-c", _BUNDLE],
        env={"PYTHONUTF8": "1"},
        input=repr(list(sources.items())).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise EngineUnavailable(f"{interpreter} does not work: {done.stderr.decode(errors='replace')[-300:]}")
    return done.stdout
