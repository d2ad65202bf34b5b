"""Proof that this machine can contain programs: the real box is made and its walls are tried from inside."""

import errno
import os
import socket
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager

from executor.engines.base import EngineUnavailable
from executor.engines.sandbox import seccomp
from executor.engines.sandbox.box import Box, BoxFile, BoxHangs, BoxPlan
from executor.engines.sandbox.host import find_program

# What bubblewrap and the runners say on machines that do not let them, and what helps. First match wins.
_NESTING = (
    "namespaces inside bubblewrap's are refused (AppArmor's bwrap-userns-restrict profile?): an administrator may "
    "allow them with the profile that script/setup writes as root"
)
_REMEDIES = (
    (
        "setting up uid map",
        "AppArmor keeps bubblewrap from making user namespaces: an administrator has to add the profile "
        "'bwrap flags=(unconfined) { userns, }' for /usr/bin/bwrap, as script/setup does as root",
    ),
    (
        "No permissions to create",
        "no user namespaces here (a container, or kernel.unprivileged_userns_clone=0): run it outside the container",
    ),
    ("reating new namespace failed", "no user namespaces here: run it outside this container"),
    ("Can't find source path", "python3 is missing where an ordinary user can read it: apt-get install python3"),
    ("Unexpected capabilities but not setuid", _NESTING),
    ("clone:", _NESTING),
    ("unshare:", _NESTING),
    ("mount", "a box may not mount its own file systems here: run it outside this container"),
    (
        "Landlock: the kernel offers",
        "Landlock is switched off or too old here: Linux 6.12 or newer is needed, with landlock among its lsm=",
    ),
)
# Errors of a machine that has no more to give now: they say nothing about what it can contain.
_EXHAUSTED = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC}

# Tries each wall and names those that gave way. `engine` is outside the box: in a box with processes of its own its
# number must mean nothing, unless it is as low as theirs.
_PROBE = """
import os, socket, sys
canary, port, engine = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
found = []
def attempt(name, action):
    try:
        action()
        found.append(name)
    except OSError:
        pass
attempt("file", lambda: open(canary))
attempt("network", lambda: socket.create_connection(("127.0.0.1", port), 1))
if engine > 9:
    attempt("process", lambda: os.kill(engine, 0))
attempt("root", lambda: os.mkdir("/kept"))
attempt("memory", lambda: open("/proc/1/mem"))
attempt("program", lambda: open(sys.argv[0], "a"))
attempt("proc", lambda: open("/proc/1/status"))
attempt("parent", lambda: os.kill(os.getppid(), 0))
attempt("fork", lambda: os.fork() or os._exit(0))
print("open:", *found)
"""
# What may give way: in a box of its own the program's parent is process 1, which heeds nobody inside; where a box
# serves one run, its program's files are nobody else's. Who trusts all programs asks for no wall.
_MAY_GIVE_WAY = {
    "A": {"parent", "fork"},
    "B": {"parent", "fork", "program", "proc"},
    "C": set[str](),
    "D": {"file", "network", "process", "root", "memory", "program", "proc", "parent", "fork"},
}


class NotProven(EngineUnavailable):
    """The machine is too busy to tell whether it can contain programs; ask again later."""


def prove(open_box: Callable[[BoxPlan], AbstractContextManager[Box]], *, tier: str = "A") -> None:
    """Return if a box of the tier holds a program that tries to get out.

    Raises:
        EngineUnavailable: it cannot be made here, or does not hold; the message names the fix where one is known.
        NotProven: it cannot be told now.
    """
    try:
        said = _probe(open_box)
    except BoxHangs as error:
        raise NotProven(str(error)) from error
    except EngineUnavailable as error:
        for symptom, remedy in _REMEDIES:
            if symptom in str(error):
                raise EngineUnavailable(remedy) from error
        raise
    except (OSError, subprocess.SubprocessError) as error:
        kind = NotProven if getattr(error, "errno", 0) in _EXHAUSTED else EngineUnavailable
        raise kind(f"a box cannot be started here: {error}") from error
    word, *found = said.decode(errors="replace").split()[:30] or [""]
    if word != "open:" or set(found) - _MAY_GIVE_WAY[tier]:
        text = said.decode(errors="replace").strip()[:300]
        raise EngineUnavailable(f"a box on this machine does not hold ({text})")


def _probe(open_box: Callable[[BoxPlan], AbstractContextManager[Box]]) -> bytes:
    interpreter = find_program("python3")
    if interpreter is None:
        raise EngineUnavailable("python3 is missing: apt-get install python3")
    with tempfile.NamedTemporaryFile() as canary, socket.create_server(("127.0.0.1", 0)) as listener:
        os.fchmod(canary.fileno(), 0o644)
        port = listener.getsockname()[1]
        plan = BoxPlan(
            argv=[interpreter, "-I", "probe.py", canary.name, str(port), str(os.getpid())],
            files=[BoxFile(name="probe.py", content=_PROBE.encode())],
            environment={},
            seccomp=seccomp.allow_list(),
            cpu_ms=10_000,
            memory_kib=256 * 1024,
            data_kib=256 * 1024,
            address_kib=1024 * 1024,
            stack_kib=8192,
            processes=16,
        )
        with open_box(plan) as box:
            done = box.run(b"", wall_ms=20_000, output_limit_bytes=4096)
    if done.reason in {"cpu", "wall"}:
        raise NotProven("the machine is too busy to tell whether it can contain programs")
    return done.stdout or done.stderr
