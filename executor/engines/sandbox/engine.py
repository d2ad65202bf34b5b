"""The sandbox as an engine: refuses where it cannot contain, compiles once, and runs every input in one box."""

import logging
import threading
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

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
from executor.engines.sandbox.compiled import CompiledProgram, CompiledPrograms, compilation_key
from executor.engines.sandbox.flat import FlatBox, FlatHost
from executor.engines.sandbox.host import Host
from executor.engines.sandbox.kit import NO_KIT, Kit
from executor.engines.sandbox.measure import run_result
from executor.engines.sandbox.pool import BoxPool, start_box
from executor.engines.sandbox.recipes import runner_recipe
from executor.engines.sandbox.tiers import CONTAINING_TIERS, find, not_offered

logger = logging.getLogger("assay.sandbox")

# Of its own, where nothing else on a machine runs: the processes of one uid may signal each other outside the boxes.
DEFAULT_UID = 65533


class SandboxEngine:
    """Runs programs on this machine; see `Engine` for what the methods promise. Safe to share between threads."""

    name = "sandbox"

    def __init__(
        self, *, uid_for_root: int = DEFAULT_UID, tiers: str = CONTAINING_TIERS, kit_directory: Path | None = None
    ) -> None:
        """`uid_for_root` is the unprivileged uid and gid that programs get where we ourselves are root.

        `tiers` are those that may be used, such as "AB"; "D" contains nothing and is never among them by default.
        `kit_directory` is where `manage.py sandbox_setup` has put what makes judging faster.
        """
        self._uid_for_root = uid_for_root
        self._tiers = tiers
        self._detail = ""
        self._lock = threading.Lock()
        self._host: Host | None = None
        self._kit_directory = kit_directory
        self._kit = NO_KIT
        self._compiled = CompiledPrograms()
        self._pool = BoxPool()
        weakref.finalize(self, self._pool.close)

    def run(self, request: RunRequest, on_result: OnResult | None = None) -> RunReport:
        """Compile where the language needs it, then run every input in the order given.

        Raises:
            EngineUnavailable: this machine cannot contain programs, lacks the language, or a box failed.
            EngineRejected: the request is not one that can be run.
            EngineProtocolError: a box answered nonsense.
        """
        plans.check_request(request)
        host = self._ready_host()
        if reason := not_offered(host.tier, request.toolchain):
            raise EngineUnavailable(reason)
        try:
            compilation, artefacts = self._compile(host, request)
            if compilation is not None and not compilation.succeeded:
                return RunReport(compilation=compilation, results=(), tier=host.tier)
            results = self._run_all(host, request, artefacts, on_result)
        except OSError as error:  # out of descriptors, processes or memory: ours, not the program's
            raise EngineUnavailable(f"the machine refused the sandbox something: {error}") from error
        return RunReport(compilation=compilation, results=tuple(results), tier=host.tier)

    def close(self) -> None:
        """End the boxes that wait for another submission. Those at work go on, and later submissions get new ones."""
        self._pool.close()

    def health(self) -> EngineHealth:
        """Say whether programs can be contained here, having tried it; a good answer is kept."""
        try:
            host = self._ready_host()
        except EngineError as error:
            return EngineHealth(is_ready=False, tier="", detail=str(error))
        return EngineHealth(is_ready=True, tier=host.tier, detail=self._detail)

    def missing_for(self, toolchain: Toolchain) -> str | None:
        """None where the language can run here, else a sentence that names what is missing, or why the tier forbids it.

        Raises:
            EngineUnavailable: this machine cannot contain programs, so no language is better than another.
        """
        program = plans.missing_program(toolchain)
        if program is not None:
            return f"{program} is missing: {plans.install_hint(toolchain)}"
        return not_offered(self._ready_host().tier, toolchain)

    @contextmanager
    def open_box(self, host: Host, plan: BoxPlan, request: RunRequest | None = None) -> Iterator[Box]:
        """A box with the plan's program in it, for as long as the block lasts; the one place where boxes are come by.

        It may have served other submissions, unless the request is exclusive. After a fault of any kind it is never
        used again.

        Raises:
            EngineUnavailable, OSError: it cannot be started.
        """
        if isinstance(host, FlatHost):
            with FlatBox(host) as flat_box:
                flat_box.load(plan)
                yield flat_box
            return
        warm_for = request.toolchain if request is not None and plan.is_forked else None
        is_shared = host.native_runner is not None and request is not None and not request.is_exclusive
        box = self._pool.take(host, warm_for) if is_shared else start_box(host, warm_for)
        try:
            box.load(plan)
            yield box
        except BaseException:
            box.close()
            raise
        if is_shared:
            self._pool.give_back(box, warm_for)
        else:
            box.close()

    def _ready_host(self) -> Host:
        with self._lock:
            if self._host is None:
                finding = find(self._tiers, uid_for_root=self._uid_for_root, open_box=self.open_box)
                self._host, self._detail = self._with_kit(finding.host), finding.detail
            return self._host

    def _with_kit(self, host: Host) -> Host:
        """The host, its boxes showing the kit where there is one; outside boxes nothing else can be shown."""
        if host.tier in "AB":
            self._kit = Kit.found(self._kit_directory, reader_uid=host.uid if host.must_drop else None)
        host = replace(host, shown=self._kit.shown)
        runner = self._kit.path_of(runner_recipe()) if host.tier == "A" else None
        if runner is None:
            return host
        with_runner = replace(host, native_runner=f"{runner}/runner")
        try:
            doctor.prove(lambda plan: self.open_box(with_runner, plan))
        except EngineUnavailable as error:
            logger.warning("The native runner is not used, and judging is slower for it: %s", error)
            return host
        return with_runner

    def _compile(self, host: Host, request: RunRequest) -> tuple[CompileResult | None, tuple[BoxFile, ...]]:
        if not request.toolchain.compile_argv:
            return None, ()
        plan = plans.compile_plan(request, self._kit)
        key = compilation_key(plan)
        if kept := self._compiled.get(key):
            return kept.compilation, kept.files
        with self.open_box(host, plan, request) as box:
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
        if succeeded:  # a failure may have been a busy machine's, and is not kept
            self._compiled.put(key, CompiledProgram(compilation=result, files=done.artefacts))
        return result, done.artefacts

    def _run_all(
        self, host: Host, request: RunRequest, artefacts: tuple[BoxFile, ...], on_result: OnResult | None
    ) -> list[RunResult]:
        results: list[RunResult] = []
        limits = request.limits
        if not request.inputs:
            return results
        is_forked = host.native_runner is not None and plans.can_be_forked(request)
        plan = plans.run_plan(request, artefacts, self._kit, is_forked=is_forked)
        with self.open_box(host, plan, request) as box:
            limits_of_run = {"wall_ms": limits.wall_limit_ms, "output_limit_bytes": limits.output_limit_kib * 1024}
            with closing(box.runs(request.inputs, **limits_of_run)) as runs:
                for index, measured in enumerate(runs):
                    results.append(run_result(measured, limits, request.toolchain))
                    if on_result is not None and not on_result(index, results[-1]):
                        break
        return results


_LIMIT_NAMES = {"cpu": "CPU time", "wall": "time", "memory": "memory"}
