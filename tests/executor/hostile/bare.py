"""An engine that contains nothing: the control of the canaries. Runs Python programs of these tests, nothing else.

Processes, network, environment, uid and the directory for temporary files are our own. The rest of the machine's files
is left out, only so that the finder does not walk through all of them.
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from executor.engines.base import (
    EngineHealth,
    OnResult,
    RunReport,
    RunRequest,
    RunResult,
    RunStatus,
    Toolchain,
)
from executor.engines.sandbox.host import find_program

_SYSTEM = ("/usr", "/bin", "/lib", "/lib64")


class BareEngine:
    """Starts the interpreter on the program, with all that this process has."""

    name = "bare"

    def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
        results = []
        with tempfile.TemporaryDirectory() as directory:
            program = Path(directory, request.files[0].name)
            program.write_text(request.files[0].content)
            for index, stdin in enumerate(request.inputs):
                started = time.monotonic()
                done = subprocess.run(
                    [*_argv(), "-S", program], input=stdin, capture_output=True, cwd=directory, check=False
                )
                result = RunResult(
                    status=RunStatus.EXITED if done.returncode >= 0 else RunStatus.SIGNALED,
                    exit_code=done.returncode if done.returncode >= 0 else None,
                    signal=-done.returncode if done.returncode < 0 else None,
                    time_ms=0,
                    wall_ms=int((time.monotonic() - started) * 1000),
                    memory_kib=0,
                    stdout=done.stdout,
                    stderr=done.stderr,
                )
                results.append(result)
                if on_result is not None and not on_result(index, result):
                    break
        return RunReport(compilation=None, results=tuple(results), tier="none")

    def health(self) -> EngineHealth:
        return EngineHealth(is_ready=True, tier="none", detail="contains nothing")

    def missing_for(self, toolchain: Toolchain) -> str | None:
        return None if toolchain.language == "python" else "only Python here"


def _argv() -> list[str]:
    bubblewrap, interpreter = find_program("bwrap"), find_program("python3")
    assert bubblewrap
    assert interpreter
    shown = [word for path in _SYSTEM if os.path.exists(path) for word in ("--ro-bind", path, path)]
    writable = tempfile.gettempdir()
    return [bubblewrap, *shown, "--bind", writable, writable, "--dev-bind", "/dev/null", "/dev/null", "--", interpreter]
