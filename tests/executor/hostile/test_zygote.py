"""Attacks on a warm interpreter (Z): nothing of a run carries over to a later test or to another student's submission.

The engine may keep an interpreter warm and fork each run from it. Every attack runs on several tests of one submission,
between two runs of a witness that belongs to another student and tells the state of its interpreter and process. The
control is a warm interpreter without care (warm.py): there each attack is seen to work.
"""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from executor.engines.base import SourceFile
from executor.engines.sandbox import SandboxEngine
from executor.judging.languages import LANGUAGES
from executor.judging.outcome import JudgingOutcome
from executor.judging.plan import limits_for
from executor.judging.verdicts import Verdict
from executor.services.code_executor import CodeExecutorService
from tests.executor.hostile.graded import ATTACKS, attack_named, escapes_of, plan_for_attack
from tests.executor.hostile.header import Attack, load
from tests.executor.hostile.planted import ESCAPED, plant
from tests.executor.tricks.problems import TrickProblem, plan_of

HERE = Path(__file__).parent
WARM = load(ATTACKS, letter="Z")
RUNS = 3
# In one interpreter a stop of the parent means nothing; there the control forks, as a careless server would.
NEEDS_FORK = {"z13_parents.py"}
# What these leave behind is a server that answers no more, or twice.
ENDS_THE_SERVER = {"z05_modules.py", "z09_streams.py", "z10_forks.py", "z13_parents.py"}
DOUBLE = "import sys\nprint(int(sys.stdin.read().split()[1]) * 2)"


def doubled() -> TrickProblem:
    """A number to double, beside a planted word that no other run may find."""
    return TrickProblem(
        name="a number to double",
        tests=[(f"{plant('input')} 21", "42") for _ in range(RUNS)],
        honest={},
        honest_score=Decimal(100),
    )


@pytest.fixture(scope="module")
def service() -> CodeExecutorService:
    return CodeExecutorService(SandboxEngine())


def states(service: CodeExecutorService) -> list[dict[str, object]]:
    """What a witness says in each of its runs, which are all right."""
    outcome = service.run_all_test_cases(plan_of(doubled(), "python", (HERE / "witness.py").read_text()))
    assert outcome.verdict is Verdict.ACCEPTED, outcome
    return [json.loads(test.result.stderr) for test in outcome.tests if test.result]


@pytest.fixture(scope="module")
def untouched() -> dict[str, object]:
    """What a witness says on an engine that has run nothing else."""
    return states(CodeExecutorService(SandboxEngine()))[0]


def marked(source: str) -> str:
    """A program with a word of its student's own in it, which no other student's program may find."""
    return f"{source}\n# {plant('source')}\nOWN_SECRET = ''.join(reversed({plant('secret')[::-1]!r}))\n"


class CarryOverTestCase:
    @pytest.mark.parametrize("attack", [pytest.param(attack, id=attack.name) for attack in WARM])
    def test_each_run_is_the_first(
        self, service: CodeExecutorService, untouched: dict[str, object], attack: Attack
    ) -> None:
        neighbor = marked(DOUBLE)
        assert service.run_all_test_cases(plan_of(doubled(), "python", neighbor)).score == 100
        outcomes = [service.run_all_test_cases(plan_for_attack(attack, doubled())) for _ in range(2)]
        for outcome in outcomes:
            assert escapes_of(outcome) == []
            assert {test.verdict for test in outcome.tests} <= attack.verdicts
            assert [test.printed for test in outcome.tests] == [b"42\n"] * RUNS
        # Which of its verdicts it gets is no matter of what went before.
        assert len({test.verdict for outcome in outcomes for test in outcome.tests}) == 1
        assert states(service) == [untouched] * RUNS


class ChanceTestCase:
    """What is drawn by chance is drawn anew in each run; the order of sets is the same in all (G-16)."""

    @staticmethod
    def drawn(outcome: JudgingOutcome) -> tuple[list[str], list[str]]:
        """All that was drawn, and what each run said of its hashes."""
        said = [test.result.stderr.decode().splitlines() for test in outcome.tests if test.result]
        return [word for lines in said for word in lines[0].split()], [lines[1] for lines in said]

    def test_nothing_is_drawn_twice(self, service: CodeExecutorService) -> None:
        plan = plan_for_attack(attack_named("z06_random.py"), doubled())
        words, hashes = zip(*(self.drawn(service.run_all_test_cases(plan)) for _ in range(2)), strict=True)
        everything = [*words[0], *words[1]]
        assert len(everything) == 2 * RUNS * 6
        assert len(set(everything)) == len(everything)
        assert len({*hashes[0], *hashes[1]}) == 1

    def test_control_forks_that_are_not_seeded_anew_draw_the_same(self, service: CodeExecutorService) -> None:
        said = warm_run(service, [attack_named("z06_random.py").source] * RUNS, forks=True)[1].splitlines()
        drawn = [line.split()[0] for line in said if not line.startswith("hashes")]
        assert (len(drawn), len(set(drawn))) == (RUNS, 1)


class WarmControlTestCase:
    """An interpreter kept warm without care, for each attack: it escapes, or the tests after the first are lost."""

    RIGHT = "42\n--- end of a run ---\n"

    @pytest.mark.parametrize("attack", [pytest.param(attack, id=attack.name) for attack in WARM])
    def test_it_carries_over(self, service: CodeExecutorService, attack: Attack) -> None:
        printed, _ = warm_run(service, [attack.source] * RUNS, forks=attack.name in NEEDS_FORK)
        if attack.name in ENDS_THE_SERVER:
            assert printed != self.RIGHT * RUNS
        else:
            assert ESCAPED in printed

    @pytest.mark.parametrize("forks", [False, True])
    def test_a_harmless_program_is_run_well_by_it(self, service: CodeExecutorService, forks: bool) -> None:
        assert warm_run(service, [DOUBLE] * RUNS, forks=forks)[0] == self.RIGHT * RUNS

    @pytest.mark.parametrize(
        ("name", "tells"), [("", False), ("z07_caches.py", True), ("z08_endings.py", True), ("z12_process.py", True)]
    )
    def test_the_witness_tells_what_was_left(self, service: CodeExecutorService, name: str, tells: bool) -> None:
        witness, between = (HERE / "witness.py").read_text(), attack_named(name).source if name else DOUBLE
        said = warm_run(service, [witness, between, witness], forks=False)[1]
        states = [line for line in said.splitlines() if line.startswith('{"modules"')]
        assert (len(states) < 2 or states[0] != states[1]) == tells


def warm_run(service: CodeExecutorService, programs: Sequence[str], *, forks: bool) -> tuple[str, str]:
    """What the warm interpreter printed on each stream, with these programs run in it one after another."""
    names = {source: f"program_{number}.py" for number, source in enumerate(dict.fromkeys(programs))}
    runs = [(names[source], f"{plant('input')} 21") for source in programs]
    run = service.run_freely(
        language=LANGUAGES["python"],
        files=(
            SourceFile(name="main.py", content=(HERE / "warm.py").read_text()),
            *(SourceFile(name=name, content=source) for source, name in names.items()),
        ),
        stdin=json.dumps([forks, runs]),
        limits=limits_for(time_limit_ms=2000, memory_limit_mb=256),
    )
    assert run.result is not None
    return run.result.stdout.decode(errors="replace"), run.result.stderr.decode(errors="replace")
