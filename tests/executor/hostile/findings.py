"""From what an engine reported, and from what this process holds, to findings. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from executor.engines.base import Limits, RunReport, RunResult
from executor.judging.checkers import CheckerSpec, CheckResult, check
from executor.judging.verdicts import Verdict, failure_of, overall_verdict
from tests.executor.hostile.canaries import ProcessState
from tests.executor.hostile.header import Canary

# What every attack would have to print, and nothing else, to be accepted.
RIGHT_ANSWER = "42"
_MEMORY_SHARE = 0.05
_MEMORY_FLOOR_KIB = 8 * 1024
_SAYS = {b"ESCAPED": Canary.ESCAPED, b"RESIDUE": Canary.RESIDUE}
_SAID = re.compile(rb"^(ESCAPED|RESIDUE) ([^\r\n]{0,200})", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that must not be, seen by one canary."""

    canary: Canary
    detail: str


def verdict_of(report: RunReport, expected: Sequence[str]) -> Verdict:
    """The verdict of a submission whose tests have these expected outputs."""
    if report.compilation is not None and not report.compilation.succeeded:
        return Verdict.COMPILATION_ERROR
    if len(report.results) != len(expected):
        return Verdict.INTERNAL_ERROR
    return overall_verdict(_decide(*pair) for pair in zip(report.results, expected, strict=True))


def _decide(result: RunResult, expected: str) -> Verdict:
    checked = check(CheckerSpec(name="tokens"), output=result.stdout, expected=expected)
    is_right = isinstance(checked, CheckResult) and checked.is_right
    return failure_of(result) or (Verdict.ACCEPTED if is_right else Verdict.WRONG_ANSWER)


def too_long(report: RunReport | None, limits: Limits) -> list[Finding]:
    """Output that was kept beyond the limit."""
    most = limits.output_limit_kib * 1024
    kept = [len(text) for result in (report.results if report else ()) for text in (result.stdout, result.stderr)]
    return [Finding(canary=Canary.ENGINE, detail=f"{size} bytes of output kept") for size in kept if size > most]


def _texts(report: RunReport | None) -> list[bytes]:
    if report is None:
        return []
    compiler = [report.compilation.output.encode()] if report.compilation is not None else []
    return compiler + [text for result in report.results for text in (result.stdout, result.stderr)]


def last_words(report: RunReport | None) -> str:
    """How the runs ended and what they said last, for a person to read."""
    ended = [f"{result.status}" for result in report.results] if report is not None else []
    return " ".join([*ended, *(repr(text[-200:]) for text in _texts(report) if text)])


def said_or_shown(report: RunReport | None, secrets: Mapping[str, str]) -> list[Finding]:
    """What an attack says of itself, and the secrets, by name, that it shows; compilers' messages count like output."""
    findings = []
    for text in _texts(report):
        for name, secret in secrets.items():
            if secret.encode() in text:
                findings.append(Finding(canary=Canary.SECRETS, detail=f"the secret of {name} came out"))
        for kind, what in _SAID.findall(text):
            findings.append(Finding(canary=_SAYS[kind], detail=what.decode(errors="replace")))
    return findings


def held_more(now: ProcessState, before: list[ProcessState]) -> list[Finding]:
    """What this process holds that it never held before; its memory apart, which no single run tells."""
    said = []
    if now.processes > max(state.processes for state in before):
        said.append(Finding(canary=Canary.LEFTOVERS, detail=f"{now.processes} processes below ours"))
    for name in ("descriptors", "threads"):
        most = max(getattr(state, name) for state in before)
        if getattr(now, name) > most:
            said.append(Finding(canary=Canary.ENGINE, detail=f"{getattr(now, name)} {name}, {most} before"))
    if more := now.temporary - frozenset[str]().union(*(state.temporary for state in before)):
        said.append(Finding(canary=Canary.ENGINE, detail=f"temporary files: {', '.join(sorted(more))}"))
    return said


def grown(now: ProcessState, before: list[ProcessState]) -> list[Finding]:
    """Memory beyond what it was, and five percent."""
    most = max(state.memory_kib for state in before)
    if now.memory_kib <= most * (1 + _MEMORY_SHARE) + _MEMORY_FLOOR_KIB:
        return []
    return [Finding(canary=Canary.ENGINE, detail=f"{now.memory_kib} KiB of memory, {most} before")]
