"""The sandbox as an engine: refuses where it cannot contain, compiles once, and runs every input in one box."""

import subprocess
import threading

from executor.engines.base import (
    CompileResult,
    EngineError,
    EngineHealth,
    EngineUnavailable,
    OnResult,
    RunReport,
    RunRequest,
    RunResult,
    Toolchain,
)
from executor.engines.sandbox import doctor, plans
from executor.engines.sandbox.box import Box, BoxFile, BoxPlan
from executor.engines.sandbox.host import Host
from executor.engines.sandbox.measure import run_result

TIER = "A"
# Of its own, where nothing else on a machine runs: the processes of one uid may signal each other outside the boxes.
DEFAULT_UID = 65533


class SandboxEngine:
    """Runs programs on this machine; see `Engine` for what the methods promise. Safe to share between threads."""

    name = "sandbox"

    def __init__(self, *, uid_for_root: int = DEFAULT_UID) -> None:
        """`uid_for_root` is the unprivileged uid and gid that programs get where we ourselves are root."""
        self._uid_for_root = uid_for_root
        self._lock = threading.Lock()
        self._host: Host | None = None

    def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
        """Compile where the language needs it, then run every input in the order given.

        Raises:
            EngineUnavailable: this machine cannot contain programs, lacks the language, or a box failed.
            EngineRejected: the request is not one that can be run.
            EngineProtocolError: a box answered nonsense.
        """
        plans.check_request(request)
        host = self._ready_host()
        try:
            compilation, artefacts = self._compile(host, request)
            if compilation is not None and not compilation.succeeded:
                return RunReport(compilation=compilation, results=(), tier=TIER)
            results = self._run_all(host, request, artefacts, on_result)
        except OSError as error:  # out of descriptors, processes or memory: ours, not the program's
            raise EngineUnavailable(f"the machine refused the sandbox something: {error}") from error
        return RunReport(compilation=compilation, results=tuple(results), tier=TIER)

    def health(self) -> EngineHealth:
        """Say whether programs can be contained here, having tried it; a good answer is kept."""
        try:
            self._ready_host()
        except EngineError as error:
            return EngineHealth(is_ready=False, tier="", detail=str(error))
        return EngineHealth(is_ready=True, tier=TIER, detail="bubblewrap with namespaces and a filter for each run")

    def missing_for(self, toolchain: Toolchain) -> str | None:
        """None where the language's programs are installed, else a sentence that names what is missing."""
        program = plans.missing_program(toolchain)
        return None if program is None else f"{program} is missing: {plans.install_hint(toolchain)}"

    def open_box(self, host: Host, plan: BoxPlan) -> Box:
        """Start a box; the one place where boxes are made."""
        return Box(host, plan)

    def _ready_host(self) -> Host:
        with self._lock:
            if self._host is None:
                host = Host.found(uid_for_root=self._uid_for_root)
                try:
                    doctor.prove(lambda plan: self.open_box(host, plan))
                except (OSError, subprocess.SubprocessError) as error:
                    raise EngineUnavailable(f"a box cannot be started here: {error}") from error
                self._host = host
            return self._host

    def _compile(self, host: Host, request: RunRequest) -> tuple[CompileResult | None, tuple[BoxFile, ...]]:
        if not request.toolchain.compile_argv:
            return None, ()
        with self.open_box(host, plans.compile_plan(request)) as box:
            done = box.run(b"", wall_ms=plans.COMPILE_WALL_MS, output_limit_bytes=plans.COMPILE_OUTPUT_BYTES)
        text = (done.stderr + done.stdout)[: plans.COMPILE_OUTPUT_BYTES].decode(errors="replace")
        succeeded = done.wait_status == 0 and not done.reason and not done.is_output_cut
        if succeeded and not done.artefacts:
            succeeded, text = False, text + "\nThe compiler left no program, or one that is too large."
        elif done.reason in {"cpu", "wall", "memory"}:
            text += f"\nThe compiler was ended: it used too much {_LIMIT_NAMES[done.reason]}."
        elif not succeeded and not text:
            text = "The compiler failed without a message."
        result = CompileResult(succeeded=succeeded, output=text, time_ms=done.cpu_us // 1000)
        return result, done.artefacts

    def _run_all(
        self, host: Host, request: RunRequest, artefacts: tuple[BoxFile, ...], on_result: OnResult | None
    ) -> list[RunResult]:
        results: list[RunResult] = []
        limits = request.limits
        if not request.inputs:
            return results
        with self.open_box(host, plans.run_plan(request, artefacts)) as box:
            for index, stdin in enumerate(request.inputs):
                measured = box.run(
                    stdin, wall_ms=limits.wall_limit_ms, output_limit_bytes=limits.output_limit_kib * 1024
                )
                results.append(run_result(measured, limits, request.toolchain))
                if on_result is not None and not on_result(index, results[-1]):
                    break
        return results


_LIMIT_NAMES = {"cpu": "CPU time", "wall": "time", "memory": "memory"}
