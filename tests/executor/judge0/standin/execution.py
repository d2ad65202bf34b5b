"""The judge that runs what it is sent, in boxes of the sandbox, and says what became of it as Judge0 would.

As there, a submission becomes a directory with a script `run`, and for compiled languages `compile`, which bash carries
out; what the archive of a multi-file program holds is executed as it is, whatever Assay has put into it.
"""

import base64
import io
import os
import posixpath
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from types import FunctionType

from executor.engines.base import EngineError
from executor.engines.sandbox import seccomp
from executor.engines.sandbox.box import Box, BoxFile, BoxPlan, Measured
from executor.engines.sandbox.engine import DEFAULT_UID
from executor.engines.sandbox.host import Host
from tests.executor.judge0.standin.api import MULTI_FILE_ID, Item, state
from tests.executor.judge0.support import COMMANDS, SERVER, b64
from tests.executor.sandbox.weakened import changed_runner

# The files that Judge0's own commands compile and run.
SOURCES = {46: "script.sh", 50: "main.c", 54: "main.cpp", 62: "Main.java", 63: "script.js", 71: "script.py"}
COMPILE_WALL_MS, COMPILE_MEMORY_KIB = 60_000, 2 * 1024 * 1024
SIGKILL, SIGXFSZ = 9, 25
STATUS_OF_SIGNAL = {11: 7, 25: 8, 8: 9, 6: 10}
UNPACK = "tar -xmf /program/tree.tar || exit 125\n"
COMPILE = UNPACK + "bash compile 2>&1 || exit 1\ntar -cf /tmp/made.tar . && cat /tmp/made.tar > made.tar || exit 125\n"
RUN = UNPACK + "ulimit -S -f {file_size_kib}\nulimit -H -f {file_size_kib}\nexec bash run\n"
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
# Two things that Judge0's box is and the sandbox's is not: what lies in its directory may be executed, and nothing lies
# there that the submission did not bring.
BOX_CHANGES = (
    ("flags = MS_NOSUID | MS_NODEV | MS_NOEXEC\n    options", "flags = MS_NOSUID | MS_NODEV\n    options"),
    ("for name in names:\n        os.close(", "for name in ():\n        os.close("),
)


@cache
def _runner_code(interpreter: str) -> bytes:
    return changed_runner(*BOX_CHANGES)(interpreter)


class Judge0Host(Host):
    """A host whose boxes are furnished like Judge0's."""

    # The same function, but for the runner it starts.
    spawn = FunctionType(Host.spawn.__code__, {**Host.spawn.__globals__, "runner_code": _runner_code})


@dataclass(frozen=True, slots=True)
class _Tree:
    """Files by path, with mode bits."""

    files: Mapping[str, tuple[bytes, int]]

    def packed(self) -> BoxFile:
        """As one file for a box."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path, (content, mode) in self.files.items():
                entry = tarfile.TarInfo(path)
                entry.mode, entry.size = mode | 0o600, len(content)
                archive.addfile(entry, io.BytesIO(content))
        return BoxFile(name="tree.tar", content=packed.getvalue())


class Executor:
    """A judge for the stand-in, with so many workers. `runs` counts the boxes in which programs ran."""

    def __init__(self, *, workers: int = 2) -> None:
        self._host = Judge0Host.found(uid_for_root=DEFAULT_UID)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="judge0")
        self._lock = threading.Lock()
        self.runs = 0

    def __call__(self, submission: Item) -> Callable[[], Item]:
        future = self._pool.submit(self._finished, submission)
        return lambda: _state_of(future)

    def close(self) -> None:
        """Finish what has begun, and no more."""
        self._pool.shutdown(cancel_futures=True)

    def _finished(self, submission: Item) -> Item:
        started = time.monotonic()
        try:
            fields = self._run(submission)
        except (EngineError, OSError) as error:
            return {**_ended(13), "message": b64(str(error).encode())}
        fields["wall_time"] = fields["wall_time"] or f"{time.monotonic() - started:.3f}"
        return fields

    def _run(self, submission: Item) -> Item:
        tree, compiles = _tree_of(submission)
        compile_output = None
        if compiles:
            compiled, measured = self._compile(tree)
            text = measured.stdout + measured.stderr
            compile_output = b64(text) + "\n" if text else None
            if compiled is None:
                return {**_ended(6), "compile_output": compile_output}
            tree = compiled
        with self._lock:
            self.runs += 1
        return {**_told(self._execute(tree, submission), submission), "compile_output": compile_output}

    def _compile(self, tree: _Tree) -> tuple[_Tree | None, Measured]:
        plan = self._plan(tree, COMPILE, cpu_ms=30_000, memory_kib=COMPILE_MEMORY_KIB, processes=120, artefacts=1000)
        with Box(self._host) as box:
            box.load(plan)
            measured = box.run(b"", wall_ms=COMPILE_WALL_MS, output_limit_bytes=1024 * 1024)
        made = next((file.content for file in measured.artefacts if file.name == "made.tar"), None)
        if measured.wait_status != 0 or made is None:
            return None, measured
        with tarfile.open(fileobj=io.BytesIO(made)) as archive:
            files = {
                posixpath.normpath(entry.name): (content.read(), entry.mode)
                for entry in archive.getmembers()
                if entry.isreg() and (content := archive.extractfile(entry)) is not None
            }
        return _Tree(files), measured

    def _execute(self, tree: _Tree, submission: Item) -> Measured:
        config = SERVER["config_info"]

        def limit(field: str) -> float:
            value = submission.get(field)
            return float(config[field] if value is None else value)

        file_size_kib = int(limit("max_file_size"))
        plan = self._plan(
            tree,
            RUN.format(file_size_kib=file_size_kib),
            cpu_ms=round(limit("cpu_time_limit") * 1000),
            memory_kib=int(limit("memory_limit")),
            stack_kib=int(limit("stack_limit")),
            processes=int(limit("max_processes_and_or_threads")),
        )
        stdin = base64.b64decode(submission.get("stdin") or "")
        with Box(self._host) as box:
            box.load(plan)
            return box.run(
                stdin, wall_ms=round(limit("wall_time_limit") * 1000), output_limit_bytes=file_size_kib * 1024
            )

    def _plan(
        self,
        tree: _Tree,
        script: str,
        *,
        cpu_ms: int,
        memory_kib: int,
        processes: int,
        stack_kib: int = 64_000,
        artefacts: int = 0,
    ) -> BoxPlan:
        return BoxPlan(
            argv=["/bin/bash", "/program/start"],
            files=[BoxFile(name="start", content=script.encode()), tree.packed()],
            environment=ENVIRONMENT,
            seccomp=seccomp.deny_list(),
            cpu_ms=cpu_ms,
            memory_kib=memory_kib,
            # Judge0 limits what is used, not what is mapped; this keeps a program from outrunning the watch.
            data_kib=memory_kib + 1024 * 1024,
            address_kib=0,
            stack_kib=stack_kib,
            processes=processes,
            has_proc=True,
            disk_kib=256 * 1024,
            artefacts_bytes=128 * 1024 * 1024 if artefacts else 0,
            artefacts_count=artefacts,
        )


def _tree_of(submission: Item) -> tuple[_Tree, bool]:
    """The directory that Judge0 would make, and whether there is something to compile."""
    files: dict[str, tuple[bytes, int]] = {}
    number = submission["language_id"]
    if number != MULTI_FILE_ID:
        compile_cmd, run_cmd = COMMANDS.get(number) or (None, SERVER["language_71"]["run_cmd"])
        files[SOURCES[number]] = (base64.b64decode(submission["source_code"]), 0o644)
        files["run"] = (run_cmd.encode(), 0o644)
        if compile_cmd:
            files["compile"] = (compile_cmd.replace("%s", "").encode(), 0o644)
    if submission.get("additional_files"):
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(submission["additional_files"]))) as archive:
            for entry in archive.infolist():
                # As with `unzip -n`: what is there stays.
                if not entry.is_dir():
                    files.setdefault(entry.filename, (archive.read(entry), entry.external_attr >> 16 & 0o777 or 0o644))
    return _Tree(files), "compile" in files


def _told(measured: Measured, submission: Item) -> Item:
    """What Judge0 would say of these figures."""
    is_multi_file = submission["language_id"] == MULTI_FILE_ID
    limit_kib = submission.get("memory_limit") or SERVER["config_info"]["memory_limit"]
    signal = os.WTERMSIG(measured.wait_status) if os.WIFSIGNALED(measured.wait_status) else None
    exit_code = os.WEXITSTATUS(measured.wait_status) if os.WIFEXITED(measured.wait_status) else 0
    is_out_of_memory = measured.reason == "memory" or measured.peak_kib > limit_kib
    stderr = measured.stderr
    if is_out_of_memory:
        signal = SIGKILL
    elif measured.is_output_cut:
        signal = SIGXFSZ
    if signal and not is_multi_file and not measured.reason.startswith(("cpu", "wall")):
        # The shell above a plain program turns its signal into an exit code, and says so.
        stderr += b"run: line 1:     3 %s  ./run\n" % {SIGKILL: b"Killed", SIGXFSZ: b"File size limit exceeded"}.get(
            signal, b"Terminated"
        )
        exit_code, signal = 128 + signal, None
    if measured.reason in ("cpu", "wall"):
        status, exit_code, signal = 5, 0, None
        message = b"Time limit exceeded" + (b" (wall clock)" if measured.reason == "wall" else b"")
    elif signal is not None:
        status, exit_code = STATUS_OF_SIGNAL.get(signal, 12), 0
        message = b"Caught fatal signal %d" % signal
    elif exit_code:
        status, message = 11, b"Exited with error status %d" % exit_code
    else:
        status, message = 3, b""
    return {
        **_ended(status),
        "stdout": b64(measured.stdout) + "\n" if measured.stdout else None,
        "stderr": b64(stderr) + "\n" if stderr else None,
        "message": b64(message) + "\n" if message else None,
        "time": f"{measured.cpu_us / 1e6:.3f}",
        "wall_time": f"{measured.wall_us / 1e6:.3f}",
        "memory": min(measured.peak_kib, limit_kib),
        "exit_code": exit_code,
        "exit_signal": signal,
    }


def _ended(status: int) -> Item:
    """All fields of a finished job, null."""
    return {**state(1), "status_id": status}


def _state_of(future: "Future[Item]") -> Item:
    if future.done():
        return future.result()
    return state(2 if future.running() else 1)
