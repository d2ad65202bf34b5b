"""A Judge0 job executed for real: its archive unpacked, compiled and run by bash in a bubblewrap box like Judge0's own.

As there: /box is the job's, its processes have a PID namespace of their own and one uid without rights, and something
that is not theirs is process 1. There is no memory limit, since that takes a cgroup.
"""

import base64
import io
import json
import os
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from executor.engines.sandbox.host import Host
from tests.executor.judge0.support import Item, b64

UID = 65521
SIGNAL_STATUSES = {11: 7, 25: 8, 8: 9, 6: 10}
Prepare = Callable[[Path], None]
# Runs a command and writes its wait status, CPU seconds and peak memory to a descriptor that the command does not get.
METER = """
import json, os, resource, signal, sys
figures = int(sys.argv[1])
os.set_inheritable(figures, False)
pid = os.fork()
if pid == 0:
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
        signal.signal(number, signal.SIG_DFL)
    os.execvp(sys.argv[2], sys.argv[2:])
status = os.waitpid(pid, 0)[1]
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
os.write(figures, json.dumps([status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]).encode())
"""


def execute(submission: Item, prepare: Prepare = lambda box: None) -> Item:
    """What Judge0 would answer of a multi-file job; `prepare` may change the box after it was unpacked and compiled."""
    host = Host.found(uid_for_root=UID)
    outside = Path(tempfile.mkdtemp(prefix="judge0-box-"))
    box = outside / "box"
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(submission["additional_files"]))) as archive:
            archive.extractall(box)
        (outside / "stdin").write_bytes(base64.b64decode(submission["stdin"]))
        _hand_over(outside, host)
        compiled = _run(host, outside, "compile", submission) if (box / "compile").exists() else None
        if compiled is not None and compiled["exit_code"] != 0:
            output = compiled["stdout"]
            return {**compiled, "status_id": 6, "stdout": None, "stderr": None, "compile_output": output}
        prepare(box)
        _hand_over(outside, host)
        return {**_run(host, outside, "run", submission), "compile_output": compiled and compiled["stdout"]}
    finally:
        # Programs take rights from their directories, and nest them deeper than Python can follow.
        subprocess.run(["chmod", "-R", "u+rwX", outside], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["rm", "-rf", outside], check=True)


def executed(_number: int, submission: Item) -> Sequence[Item | None]:
    """A script for the fake Judge0: every job runs for real."""
    return [execute(submission)]


def _hand_over(directory: Path, host: Host) -> None:
    if host.must_drop:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, host.uid, host.gid)


def _run(host: Host, outside: Path, script: str, submission: Item) -> Item:
    limits = [
        "prlimit",
        f"--fsize={submission['max_file_size'] * 1024}",
        f"--stack={submission['stack_limit'] * 1024}",
        f"--cpu={int(submission['cpu_time_limit']) + 1}",
        "--nproc=60" if script == "run" else "--nproc=120",
    ]
    argv = [word for word in host.box_argv() if word != "--as-pid-1"]
    # Up to where it makes the root read-only and changes to it.
    argv = argv[: argv.index("--remount-ro", len(argv) - 4)]
    argv += ["--cap-drop", "ALL", "--tmpfs", "/tmp", "--tmpfs", "/dev/shm", "--bind", str(outside / "box"), "/box"]
    argv += ["--remount-ro", "/"]
    argv += ["--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/tmp", "--chdir", "/box"]
    wall_limit_s = submission["wall_time_limit"] if script == "run" else 20
    is_wall = False
    with (
        open(os.devnull if script == "compile" else outside / "stdin", "rb") as stdin,
        open(outside / "stdout", "wb") as stdout,
        open(outside / "stderr", "wb") as stderr,
        open(outside / "figures", "w+b") as figures,
    ):
        started = time.monotonic()
        try:
            subprocess.run(
                [*argv, host.interpreter, "-I", "-S", "-c", METER, str(figures.fileno()), *limits, "/bin/bash", script],
                stdin=stdin,
                stdout=stdout,
                stderr=stdout if script == "compile" else stderr,
                pass_fds=[figures.fileno()],
                env={},
                cwd="/",
                user=host.uid if host.must_drop else None,
                group=host.gid if host.must_drop else None,
                extra_groups=[] if host.must_drop else None,
                timeout=wall_limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            is_wall = True
        wall_s = time.monotonic() - started
        figures.seek(0)
        # Without any, the program has killed everything within its reach.
        status, cpu_s, memory_kib = json.loads(figures.read() or b"[9, 0, 0]")
    is_cpu = not is_wall and cpu_s > submission["cpu_time_limit"]
    signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    exit_code = 0 if signal else os.WEXITSTATUS(status)
    if is_wall or is_cpu:
        status_id, message, signal, exit_code = 5, "Time limit exceeded" + " (wall clock)" * is_wall, None, 0
    elif signal:
        status_id, message = SIGNAL_STATUSES.get(signal, 12), f"Caught fatal signal {signal}"
    else:
        status_id, message = (3, "") if exit_code == 0 else (11, f"Exited with error status {exit_code}")
    return {
        "status_id": status_id,
        "stdout": b64((outside / "stdout").read_bytes()),
        "stderr": b64((outside / "stderr").read_bytes()),
        "compile_output": None,
        "message": b64(message.encode()),
        "time": f"{cpu_s:.3f}",
        "wall_time": f"{wall_s:.3f}",
        "memory": memory_kib,
        "exit_code": exit_code,
        "exit_signal": signal,
    }
