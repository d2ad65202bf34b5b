"""Runs attacks on an engine and tells, canary by canary, what they achieved. Needs neither a database nor pytest."""

import os
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from executor.engines.base import Engine, EngineError, Limits, RunReport, RunRequest, RunResult, SourceFile
from executor.engines.sandbox import SandboxEngine
from executor.judging.languages import LANGUAGES
from executor.judging.verdicts import Verdict, failure_of
from tests.executor.hostile.canaries import Canaries, ProcessState, processes_naming
from tests.executor.hostile.findings import (
    RIGHT_ANSWER,
    Finding,
    grown,
    held_more,
    last_words,
    said_or_shown,
    too_long,
    verdict_of,
)
from tests.executor.hostile.header import Attack, Canary

ATTACKS = Path(__file__).parent / "attacks"
VERDICT_MARGIN_S = 2.0
# A compile step has limits of its own, the same for every program.
COMPILE_S = 60.0
_SETTLE_S = 1.0
_NEIGHBOR_S = 0.5
_KNOWN_GOOD_LIMITS = Limits(time_limit_ms=10_000, wall_limit_ms=20_000, memory_limit_mb=256)
_KNOWN_GOOD = {
    "python": "print(int(input()) * 2)",
    "c": '#include <stdio.h>\nint main(void){int n;if(scanf("%d",&n)==1)printf("%d\\n",n*2);}',
    "cpp": "#include <iostream>\nint main(){int n;std::cin>>n;std::cout<<n*2<<std::endl;}",
    "java": "public class Main{public static void main(String[] a){"
    "System.out.println(new java.util.Scanner(System.in).nextInt()*2);}}",
    "javascript": "console.log(parseInt(require('fs').readFileSync(0, 'utf8')) * 2)",
}
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of one attack: the verdict of each copy, and the findings, of which there must be none."""

    attack: Attack
    verdicts: tuple[Verdict, ...]
    tier: str
    elapsed_s: float
    findings: tuple[Finding, ...]


class Harness:
    """Tries attacks on one engine. A context manager, since it plants a secret in this process's environment."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._variable, self._secret = "ASSAY_HOSTILE_SECRET", f"secret-{uuid.uuid4().hex}"
        self._temporary = tempfile.TemporaryDirectory(prefix="hostile-", dir="/var/tmp")
        self._usual_temporary = tempfile.tempdir
        self._idle: list[ProcessState] = []

    def __enter__(self) -> "Harness":
        os.environ[self._variable] = self._secret
        # A directory of our own, where a file more is ours; entered by every uid, as the usual one.
        os.chmod(self._temporary.name, 0o755)
        tempfile.tempdir = self._temporary.name
        return self

    def __exit__(self, *_: object) -> None:
        tempfile.tempdir = self._usual_temporary
        os.environ.pop(self._variable, None)
        self._temporary.cleanup()

    def offers(self, attack: Attack) -> bool:
        """Whether the engine runs the attack's language on this machine."""
        return self._engine.missing_for(LANGUAGES[attack.language].toolchain) is None

    def warm_up(self, concurrency: int = 1) -> list[Finding]:
        """Run right programs in all languages, so that what an engine makes once is made; remember what is then held.

        Raises:
            EngineError: the engine cannot run a right program.
        """
        offered = [key for key in _KNOWN_GOOD if self._engine.missing_for(LANGUAGES[key].toolchain) is None]
        with ThreadPoolExecutor(concurrency) as pool:
            for future in [pool.submit(self._run, key, _KNOWN_GOOD[key]) for key in offered * concurrency]:
                future.result()
        findings = [finding for key in offered for finding in self.check_neighbor(key)]
        self._idle = [self._state()]
        return findings

    def try_attack(self, attack: Attack, *, is_alone: bool) -> Trial:
        """Run one attack and look at every canary; alone, with right programs beside it and a look at this process."""
        before = self._state() if is_alone else None
        with Canaries() as canaries:
            request = _request(attack, canaries)
            findings: list[Finding] = []
            started = time.monotonic()
            with ThreadPoolExecutor(attack.copies) as pool:
                running = [pool.submit(self._judge, attack, request, copy) for copy in range(attack.copies)]
                if is_alone:
                    findings += self._check_neighbors(running)
                judged = [future.result() for future in running]
            elapsed_s = time.monotonic() - started
            secrets = {"the environment": self._secret}
            secrets |= {path.name: secret for path, secret in canaries.files.secrets.items()}
            for verdict, report, late in judged:
                findings += late
                findings += said_or_shown(report, secrets)
                findings += too_long(report, attack.limits)
                allowed_verdicts = attack.verdicts | _also_allowed(report)
                if verdict not in allowed_verdicts:
                    allowed = " or ".join(sorted(allowed_verdicts))
                    findings.append(
                        Finding(canary=Canary.VERDICT, detail=f"{verdict}, not {allowed}: {last_words(report)}")
                    )
            findings += [Finding(canary=Canary.SECRETS, detail=text) for text in canaries.files.touched()]
            findings += _leftovers(canaries)
            findings += self._find(canaries)
            findings += [Finding(canary=Canary.NETWORK, detail=text) for text in canaries.listeners.arrived()]
            findings += [Finding(canary=Canary.RESIDUE, detail=text) for text in canaries.residue()]
        if before is not None:
            findings += self._settled(lambda now: held_more(now, [*self._idle, before]))
        return Trial(
            attack=attack,
            verdicts=tuple(verdict for verdict, _, _ in judged),
            tier=next((report.tier for _, report, _ in judged if report is not None), ""),
            elapsed_s=elapsed_s,
            findings=tuple(findings),
        )

    def try_all(self, attacks: Sequence[Attack], concurrency: int, done: Callable[[Trial], None]) -> list[Finding]:
        """Try attacks, so many at a time, beside right programs all the while; the findings are those of no attack."""
        if concurrency == 1:
            for attack in attacks:
                done(self.try_attack(attack, is_alone=True))
            return self.check_process()
        findings: list[Finding] = []
        is_over = threading.Event()

        def go_on() -> None:
            languages = [key for key in ("python", "c") if self._engine.missing_for(LANGUAGES[key].toolchain) is None]
            while not is_over.wait(_NEIGHBOR_S):
                for key in languages:
                    findings.extend(self.check_neighbor(key))

        neighbor = threading.Thread(target=go_on)
        neighbor.start()
        try:
            with ThreadPoolExecutor(concurrency) as pool:
                for trial in pool.map(lambda attack: self.try_attack(attack, is_alone=False), attacks):
                    done(trial)
        finally:
            is_over.set()
            neighbor.join()
        return [*findings, *self.check_process()]

    def check_neighbor(self, language: str = "python") -> list[Finding]:
        """Run a right program; a finding unless it is accepted."""
        try:
            report = self._run(language, _KNOWN_GOOD[language])
        except EngineError as error:
            return [Finding(canary=Canary.NEIGHBORS, detail=f"a right {language} program got no result: {error}")]
        if verdict_of(report, [RIGHT_ANSWER]) is Verdict.ACCEPTED:
            return []
        return [Finding(canary=Canary.NEIGHBORS, detail=f"a right {language} program: {last_words(report)}")]

    def check_process(self) -> list[Finding]:
        """What this process holds beyond what it held when it was warm, its memory included."""
        return self._settled(lambda now: [*held_more(now, self._idle), *grown(now, self._idle)])

    def _check_neighbors(self, running: list["Future[_Judged]"]) -> list[Finding]:
        findings = self.check_neighbor()
        while wait(running, timeout=_NEIGHBOR_S).not_done:
            findings += self.check_neighbor()
        return findings

    def _judge(self, attack: Attack, request: RunRequest, copy: int) -> "_Judged":
        if attack.copies > 1:
            numbered = tuple(stdin + b"%d\n" % copy for stdin in request.inputs)
            request = replace(request, inputs=numbered)
        marks = [time.monotonic()]

        def note(index: int, result: RunResult) -> bool:
            marks.append(time.monotonic())
            return True

        try:
            report = self._engine.run(request, note)
        except EngineError as error:
            return Verdict.INTERNAL_ERROR, None, [Finding(canary=Canary.VERDICT, detail=f"no result: {error}")]
        marks.append(time.monotonic())
        limit_s = attack.limits.wall_limit_ms / 1000 + VERDICT_MARGIN_S
        # What is compiled first has the compile step's own limit before its first result.
        first_s = limit_s + (COMPILE_S if request.toolchain.compile_argv else 0)
        late = [
            Finding(
                canary=Canary.LATE, detail=f"{end - start:.1f} s for a wall limit of {attack.limits.wall_limit_ms} ms"
            )
            for at, (start, end) in enumerate(pairwise(marks))
            if end - start > (first_s if at == 0 else limit_s)
        ]
        late += [
            Finding(canary=Canary.LATE, detail=f"a wall time of {result.wall_ms} ms")
            for result in report.results
            if result.wall_ms / 1000 > limit_s
        ]
        return verdict_of(report, [RIGHT_ANSWER] * len(request.inputs)), report, late

    def _find(self, canaries: Canaries) -> list[Finding]:
        """A later submission looks for what is left; it is a right program as well."""
        finder = (Path(__file__).parent / "finder.py").read_text()
        try:
            report = self._run("python", finder, f"21 {canaries.mark} {canaries.key}")
        except EngineError as error:
            return [Finding(canary=Canary.NEIGHBORS, detail=f"the submission after it got no result: {error}")]
        printed = b"".join(result.stdout for result in report.results).decode(errors="replace")
        answer, *found = printed.splitlines() or [""]
        if answer != RIGHT_ANSWER or any(failure_of(result) for result in report.results):
            return [Finding(canary=Canary.NEIGHBORS, detail=f"the submission after it: {last_words(report)}")]
        return [Finding(canary=Canary.RESIDUE, detail=what) for what in found]

    def _run(self, language: str, source: str, stdin: str = "21") -> RunReport:
        spoken = LANGUAGES[language]
        return self._engine.run(
            RunRequest(
                toolchain=spoken.toolchain,
                files=(SourceFile(name=spoken.main_name, content=source),),
                inputs=(stdin.encode(),),
                limits=_KNOWN_GOOD_LIMITS,
            )
        )

    def _state(self) -> ProcessState:
        """What this process holds without the boxes that the engine keeps for later: those are to be there."""
        if isinstance(self._engine, SandboxEngine):
            self._engine.close()
        return ProcessState.now()

    def _settled(self, look: Callable[[ProcessState], list[Finding]]) -> list[Finding]:
        """The findings that are still there after the time in which everything has to be gone."""
        return _what_stays(lambda: look(self._state()))


_Judged = tuple[Verdict, RunReport | None, list[Finding]]


@contextmanager
def harness_on(engine: Engine, concurrency: int = 1) -> Iterator[Harness]:
    """A harness that is ready to try attacks.

    Raises:
        EngineError: the engine cannot run a right program, or does not answer it right.
    """
    with Harness(engine) as harness:
        if findings := harness.warm_up(concurrency):
            raise EngineError(findings[0].detail)
        yield harness


def _request(attack: Attack, canaries: Canaries) -> RunRequest:
    spoken = LANGUAGES[attack.language]
    files = [(spoken.main_name, attack.source), *attack.files]
    return RunRequest(
        toolchain=spoken.toolchain,
        files=tuple(SourceFile(name=name, content=canaries.fill(content)) for name, content in files),
        inputs=(canaries.fill(attack.stdin).encode(),) * attack.runs,
        limits=attack.limits,
    )


def _also_allowed(report: RunReport | None) -> frozenset[Verdict]:
    """Where a program may start no process and write no file, an attack that wants to may die of it."""
    return frozenset({Verdict.RUNTIME_ERROR} if report is not None and report.tier == "C" else ())


def _leftovers(canaries: Canaries) -> list[Finding]:
    left = _what_stays(lambda: processes_naming(canaries.mark))
    return [Finding(canary=Canary.LEFTOVERS, detail=f"process {pid} still runs") for pid in left]


def _what_stays(look: Callable[[], list[T]]) -> list[T]:
    """What is still seen when everything had its time to go."""
    end = time.monotonic() + _SETTLE_S
    while (found := look()) and time.monotonic() < end:
        time.sleep(0.05)
    return found
