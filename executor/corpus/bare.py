"""The baseline of a judged corpus: the same programs on the same tests, run the plain way.

One box holds the whole baseline, since a corpus may hold hostile programs; inside it each test is one plain process,
without a namespace, limit or measurement of its own.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executor.corpus.judging import CaseResult
from executor.engines.argv import expand_argv
from executor.engines.base import EngineUnavailable, RunRequest
from executor.engines.sandbox.engine import DEFAULT_UID
from executor.engines.sandbox.host import Host, find_program
from executor.judging.plan import JudgingPlan, prepare
from executor.judging.verdicts import Verdict

BARE_LOOP = Path(__file__).parent / "bare_loop.py"


class BareUnavailable(Exception):
    """There is no baseline; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """How long the bare runs took: all together on the wall clock, and the seconds of each case added up.

    `quick_s` leaves out cases that ran into a time limit, which last as long bare as judged and hide the rest.
    """

    wall_s: float
    quick_s: float


def run_bare(results: Sequence[CaseResult], *, workers: int) -> Baseline:
    """Run bare what judging these cases ran, as many cases at a time.

    Raises:
        BareUnavailable: no box can be made, nothing was run, or a program is malicious.
    """
    if any(result.case.is_malicious for result in results):
        # The box hides the machine from them, but leaves them all its memory and processes.
        raise BareUnavailable("There is no baseline, since malicious programs are never run without limits.")
    programs = [
        (is_quick(result), _program(plan, runs))
        for result in results
        for plan, runs in zip(result.case.plans, result.run_counts, strict=False)
        if runs
    ]
    if not programs:
        raise BareUnavailable("Nothing was run, so there is no baseline.")
    answer = _run_in_box({"workers": workers, "programs": [program for _, program in programs]})
    quick_s = sum(seconds for (quick, _), seconds in zip(programs, answer["programs_s"], strict=True) if quick)
    return Baseline(wall_s=answer["wall_s"], quick_s=quick_s)


def is_quick(result: CaseResult) -> bool:
    """Whether a case ended without running into a time limit."""
    return result.given is not Verdict.TIME_LIMIT_EXCEEDED


def _run_in_box(request: dict[str, Any]) -> dict[str, Any]:
    try:
        host = Host.found(uid_for_root=DEFAULT_UID)
    except EngineUnavailable as error:
        raise BareUnavailable(f"No baseline: {error}") from error
    done = subprocess.run(
        [*host.box_argv(), "--tmpfs", "/tmp", host.interpreter, "-I", "-c", BARE_LOOP.read_text()],  # noqa: S108
        input=json.dumps(request).encode(),
        capture_output=True,
        check=False,
        env={"PATH": os.defpath},  # where a compiler looks for its linker
        cwd="/",
        user=host.uid if host.must_drop else None,
        group=host.gid if host.must_drop else None,
        extra_groups=[] if host.must_drop else None,
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise BareUnavailable(f"The baseline failed: {done.stderr.decode(errors='replace')[-300:]}") from error
    return answer


def _program(plan: JudgingPlan, runs: int) -> dict[str, Any]:
    prepared = prepare(plan)
    return {
        "files": {file.name: file.content for file in prepared.program.files},
        "compile": _argv(plan.language.toolchain.compile_argv, prepared.request),
        "run": _argv(plan.language.toolchain.run_argv, prepared.request),
        "inputs": [text.decode("utf-8", "surrogatepass") for text in prepared.request.inputs[:runs]],
        "timeout_s": plan.time_limit_ms / 1000,
    }


def _argv(words: Sequence[str], request: RunRequest) -> list[str]:
    """The command line with its program by absolute path: a version manager's shim would flatter the ratio."""
    argv = expand_argv(words, request)
    if argv and "/" not in argv[0]:
        argv[0] = find_program(argv[0]) or argv[0]
    return argv
