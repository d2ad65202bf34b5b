"""Proof that this machine can contain programs: the real box is made and its walls are tried from inside."""

import os
import socket
import tempfile
from collections.abc import Callable

from executor.engines.base import EngineUnavailable
from executor.engines.sandbox import seccomp
from executor.engines.sandbox.box import Box, BoxFile, BoxPlan
from executor.engines.sandbox.host import find_program

_JUDGE0 = "or use EXECUTOR_ENGINE=judge0"
# What bubblewrap and the runner say on machines that do not let them, and what helps. First match wins.
_REMEDIES = (
    (
        "setting up uid map",
        "AppArmor keeps bubblewrap from making user namespaces: an administrator has to add the profile "
        f"'bwrap flags=(unconfined) {{ userns, }}' for /usr/bin/bwrap, {_JUDGE0}",
    ),
    (
        "No permissions to create",
        f"no user namespaces here (a container, or kernel.unprivileged_userns_clone=0): {_JUDGE0}",
    ),
    ("Creating new namespace failed", f"no user namespaces here: {_JUDGE0}"),
    ("Can't find source path", "python3 is missing where an ordinary user can read it: apt-get install python3"),
    ("clone:", f"namespaces inside bubblewrap's are refused (AppArmor's bwrap-userns-restrict profile?): {_JUDGE0}"),
    ("unshare:", f"namespaces inside bubblewrap's are refused (AppArmor's bwrap-userns-restrict profile?): {_JUDGE0}"),
    ("mount", f"a box may not mount its own file systems here: {_JUDGE0}"),
)

# Tries each wall and names those that gave way. `engine` is outside the box, so its number must mean nothing inside.
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
attempt("program", lambda: open(sys.argv[0], "a"))
attempt("proc", lambda: open("/proc/1/status"))
print("open:", *found)
"""


def prove(open_box: Callable[[BoxPlan], Box]) -> None:
    """Return if a box holds a program that tries to get out.

    Raises:
        EngineUnavailable: it cannot be made here, or does not hold; the message names the fix where one is known.
        OSError, subprocess.SubprocessError: its processes could not be started at all.
    """
    try:
        said = _probe(open_box)
    except EngineUnavailable as error:
        for symptom, remedy in _REMEDIES:
            if symptom in str(error):
                raise EngineUnavailable(remedy) from error
        raise
    if said != b"open:\n":
        text = said.decode(errors="replace").strip()[:300]
        raise EngineUnavailable(f"a box on this machine does not hold ({text}): use EXECUTOR_ENGINE=judge0")


def _probe(open_box: Callable[[BoxPlan], Box]) -> bytes:
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
    return done.stdout or done.stderr
