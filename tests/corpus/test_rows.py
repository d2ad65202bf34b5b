"""Each row that names its program by reference, judged on the real sandbox with a program of our own."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from executor.corpus.rows import VERDICTS, CorpusCase, program_name, read_corpus
from executor.engines.sandbox import plans
from executor.judging.languages import LANGUAGES
from executor.judging.outcome import JudgingOutcome
from executor.judging.plan import JudgingPlan
from executor.judging.verdicts import Verdict
from executor.services.code_executor import CodeExecutorService
from executor.services.engines import engine_named
from tests.corpus import CORPUS

PROGRAMS = Path(__file__).parent
# For boxes to start and end on a busy machine, beyond the limits that the engine keeps.
MARGIN_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as its file tells it, and as the judge reads it."""

    facts: dict[str, Any]
    case: CorpusCase

    @property
    def per_test(self) -> list[str]:
        """The verdict of each test, in the corpus' own short words; empty where only the whole has one."""
        return self.facts.get("per_test") or []

    @property
    def plan(self) -> JudgingPlan:
        """The one plan of a stdio row; it goes on after a failure where the verdict of each test is known."""
        assert not self.case.missing, self.case.missing
        (plan,) = self.case.plans
        return replace(plan, stops_at_first_failure=not self.per_test)

    @property
    def wall_s(self) -> float:
        """The longest that judging it may take by the engine's limits."""
        plan, compiles = self.plan, bool(self.plan.language.toolchain.compile_argv)
        runs = 1 if plan.stops_at_first_failure else len(plan.tests)
        return (compiles * plans.COMPILE_WALL_MS + runs * plan.limits.wall_limit_ms) / 1000


def rows_of(name: str) -> Iterator[Row]:
    path = CORPUS / f"{name}.refs.jsonl"
    with path.open(encoding="utf-8") as file:
        facts = [json.loads(line) for line in file]
    for one, case in zip(facts, read_corpus(path, programs=PROGRAMS / name), strict=True):
        yield Row(facts=one, case=case)


ROWS = {name: {row.case.id: row for row in rows_of(name)} for name in ("stdio", "malicious")}
MALICIOUS = [pytest.param(row, id=key) for key, row in ROWS["malicious"].items()]
STDIO = [pytest.param(row, id=key) for key, row in ROWS["stdio"].items()]


def difference(row: Row, outcome: JudgingOutcome) -> str:
    """Where a judging and a row disagree, on the whole or on a test; empty where they agree."""
    if outcome.verdict not in row.case.accepted_verdicts:
        return f"{outcome.verdict}, not one of {row.facts['accept_verdicts']}: {outcome.compilation}"
    # A program that was refused before it ran, where a row takes that as well, has no verdicts of tests.
    told = [] if outcome.verdict is Verdict.COMPILATION_ERROR else [VERDICTS[short] for short in row.per_test]
    given = [test.verdict for test in outcome.tests]
    return "" if not told or given == told else f"{[str(verdict) for verdict in given]}, not {row.per_test}"


@pytest.fixture(scope="module")
def service() -> CodeExecutorService:
    return CodeExecutorService(engine_named("sandbox"))


class CorpusRowTestCase:
    @pytest.mark.parametrize("row", MALICIOUS)
    def test_a_malicious_program_has_its_verdict_in_time_and_harms_no_other(
        self, service: CodeExecutorService, monkeypatch: pytest.MonkeyPatch, row: Row
    ) -> None:
        if row.facts["malicious"] == "compile_bomb_time":
            monkeypatch.setattr(plans, "COMPILE_WALL_MS", 5000)
        started = time.monotonic()
        outcome = service.run_all_test_cases(row.plan)
        elapsed_s = time.monotonic() - started
        assert difference(row, outcome) == ""
        assert elapsed_s < row.wall_s + MARGIN_S
        right = ROWS["stdio"]["domjudge/addone/accepted/addone.py"]
        assert difference(right, service.run_all_test_cases(right.plan)) == ""

    @pytest.mark.parametrize("row", STDIO)
    def test_a_program_has_its_verdict(self, service: CodeExecutorService, row: Row) -> None:
        assert difference(row, service.run_all_test_cases(row.plan)) == ""

    @pytest.mark.parametrize(
        ("key", "other"),
        [
            pytest.param("accepted/addone.py", "partial/addone-tiny.py", id="wrong where the row is right"),
            pytest.param("wrong_answer/addone-wrong.py", "accepted/addone.py", id="right where the row is wrong"),
            pytest.param("partial/addone-medium.py", "partial/addone-tiny.py", id="wrong on other tests"),
        ],
    )
    def test_the_program_of_another_row_disagrees(self, service: CodeExecutorService, key: str, other: str) -> None:
        row, stranger = (ROWS["stdio"][f"domjudge/addone/{one}"] for one in (key, other))
        assert difference(row, service.run_all_test_cases(replace(row.plan, files=stranger.plan.files)))

    @pytest.mark.parametrize("name", list(ROWS))
    def test_every_program_belongs_to_a_row(self, name: str) -> None:
        names = [program_name(key, LANGUAGES[row.facts["language"]]) for key, row in ROWS[name].items()]
        assert sorted(names) == sorted(path.name for path in (PROGRAMS / name).iterdir() if path.is_file())
