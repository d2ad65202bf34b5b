"""Ratios, targets, tables and the checking of answers: the parts of the benchmark that run nothing."""

import pytest

from executor.bench import programs, report
from executor.bench.bare import BareFailed
from executor.bench.cases import Case, Figure, Target
from executor.bench.census import Census, changes
from executor.bench.rounds import CaseResult, measure_case
from executor.bench.soak import SoakResult
from executor.bench.timing import AnsweredWrongly, Sample, check_outputs, check_report, unseen_source
from executor.engines.base import CompileResult, EngineUnavailable, RunReport, RunResult, RunStatus

CASE = Case(name="case", title="A case", program=programs.PYTHON, target=Target(limit=0.13, one_core=0.20, stretch=0.1))
THROUGHPUT = Case(
    name="many",
    title="Many",
    program=programs.PYTHON,
    workers=2,
    figure=Figure.THROUGHPUT,
    target=Target(limit=4.5, is_at_least=True),
)


def sample(wall_s: float, *, cpu_s: float = 1.0, submissions: int = 1, tests: int = 20) -> Sample:
    return Sample(wall_s=wall_s, cpu_s=cpu_s, submissions=submissions, tests=tests)


def result(case: Case, mine: list[Sample], bare: list[Sample], contender: str = "sandbox") -> CaseResult:
    return CaseResult(case=case, contender=contender, samples=tuple(mine), bare_samples=tuple(bare))


class Scripted:
    """A side that takes as long as it is told, and notes when its turn was."""

    def __init__(self, name: str, turns: list[str], *outcomes: float | Exception) -> None:
        self._name, self._turns, self._outcomes = name, turns, list(outcomes)

    def measure(self) -> Sample:
        self._turns.append(self._name)
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return sample(outcome)


class TestRatios:
    def test_the_median_of_the_ratios_of_the_rounds(self) -> None:
        # A disturbed round, 3 over 30, says the same as the calm ones; medians of each side alone would not.
        found = result(CASE, [sample(1), sample(3), sample(1.2)], [sample(10), sample(30), sample(10)])
        assert found.ratios == pytest.approx([0.1, 0.1, 0.12])
        assert found.ratio == pytest.approx(0.1)

    def test_are_of_one_submission_each(self) -> None:
        found = result(CASE, [sample(4, submissions=4)], [sample(20, submissions=2)])
        assert found.ratio == pytest.approx(0.1)

    def test_of_cpu_time_and_of_tests_a_second(self) -> None:
        cpu = Case(name="cpu", title="", program=programs.PYTHON, figure=Figure.CPU)
        assert result(cpu, [sample(9, cpu_s=1)], [sample(1, cpu_s=4)]).ratio == pytest.approx(0.25)
        mine, bare = sample(2, tests=200), sample(1, tests=20)
        assert result(THROUGHPUT, [mine], [bare]).ratio == pytest.approx(5)


class TestRounds:
    def test_take_turns_after_one_that_does_not_count(self) -> None:
        turns: list[str] = []
        ours, bare = Scripted("ours", turns, 99, 1, 2), Scripted("bare", turns, 1, 10, 10)
        rounds: list[int] = []
        (found,) = measure_case(CASE, {"sandbox": ours}, bare, rounds=2, on_round=lambda: rounds.append(len(turns)))
        assert turns == ["ours", "bare", "bare", "ours", "ours", "bare"]
        assert rounds == [4, 6]
        assert found.ratios == pytest.approx([0.1, 0.2])

    def test_one_contender_s_fault_is_its_own(self) -> None:
        turns: list[str] = []
        ours, bare = Scripted("ours", turns, 1, 1, 1), Scripted("bare", turns, 10, 10, 10)
        theirs = Scripted("theirs", turns, 5, EngineUnavailable("away"))
        sides = {"sandbox": ours, "judge0": theirs}
        found, failed = measure_case(CASE, sides, bare, rounds=2, on_round=lambda: None)
        assert (found.ratio, found.fault) == (pytest.approx(0.1), "")
        assert failed.fault == "judge0: EngineUnavailable: away"
        assert turns.count("theirs") == 2  # and it is not asked again

    def test_a_fault_of_the_bare_runs_is_everybody_s(self) -> None:
        turns: list[str] = []
        ours, bare = Scripted("ours", turns, 1), Scripted("bare", turns, BareFailed("no"))
        (failed,) = measure_case(CASE, {"sandbox": ours}, bare, rounds=3, on_round=lambda: None)
        assert failed.fault == "bare: BareFailed: no"


class TestTargets:
    def test_are_kept_at_the_bound_itself(self) -> None:
        most, least = Target(limit=0.13, one_core=0.20), Target(limit=4.5, is_at_least=True)
        assert most.is_met(0.13, cores=2)
        assert not most.is_met(0.14, cores=2)
        assert most.is_met(0.14, cores=1)
        assert not most.is_met(0.21, cores=1)
        assert least.is_met(4.5, cores=1)
        assert not least.is_met(4.4, cores=2)

    def test_in_words(self) -> None:
        assert CASE.target is not None
        assert CASE.target.words(cores=4) == "at most 0.13, stretch 0.10"
        assert CASE.target.words(cores=1) == "at most 0.20, stretch 0.10"
        assert Target(limit=4.5, is_at_least=True).words(cores=1) == "at least 4.50"


class TestReport:
    MET = result(CASE, [sample(0.03), sample(0.05)], [sample(0.3), sample(0.4)])
    MISSED = result(THROUGHPUT, [sample(1, tests=400)], [sample(1, tests=100)])
    THEIRS = result(CASE, [sample(3)], [sample(0.3)], contender="judge0")

    def test_lines(self) -> None:
        assert report.line(self.MET, cores=2) == (
            "case: 0.11 times the bare wall time; target at most 0.13, stretch 0.10: met"
        )
        assert report.line(self.MISSED, cores=2) == (
            "many: 4.00 times the bare tests per second; target at least 4.50: missed"
        )
        assert report.line(self.THEIRS, cores=2) == "case on judge0: 10.00 times the bare wall time; no target"
        assert report.line(CaseResult(case=CASE, contender="sandbox", fault="why"), cores=2) == (
            "case: not measured: why"
        )

    def test_a_table(self) -> None:
        failed = CaseResult(case=CASE, contender="sandbox", missing="g++ is missing")
        lines = report.table([self.MET, self.MISSED, failed], cores=2)
        assert [line.split()[0] for line in lines] == ["case", "----", "case", "many", "case"]
        assert "40.0 ms" in lines[2]
        assert "350.0 ms" in lines[2]
        assert "0.10 to 0.12" in lines[2]
        assert "200 tests/s/core" in lines[3]
        assert lines[4].endswith("left out")
        columns = [line.index("0.10 to") if "0.10 to" in line else line.find("of rounds") for line in lines]
        assert columns[0] == columns[2]

    def test_json(self) -> None:
        answer = report.as_json(self.MISSED, cores=2)
        assert answer["target"] == {"at_least": 4.5, "stretch": None, "is_met": False}
        assert answer["engine"] == {
            "wall_ms": 1000,
            "cpu_ms": 1000,
            "tests_per_second": 400,
            "tests_per_second_and_core": 200,
        }
        assert report.as_json(self.MISSED, cores=1)["engine"]["tests_per_second_and_core"] == 400
        assert report.as_json(CaseResult(case=CASE, contender="sandbox", fault="why"), cores=2)["fault"] == "why"


def ran(stdout: bytes, *, exit_code: int = 0, status: RunStatus = RunStatus.EXITED) -> RunResult:
    return RunResult(
        status=status, exit_code=exit_code, time_ms=1, wall_ms=1, memory_kib=1, stdout=stdout, stderr=b"last words"
    )


def reported(*results: RunResult, compilation: CompileResult | None = None) -> RunReport:
    return RunReport(compilation=compilation, results=results, tier="A")


class TestAnswers:
    def test_right_ones_pass(self) -> None:
        check_report(reported(ran(b"1\n"), ran(b"9"), ran(b" 17\r\n")), tests=3)
        assert programs.inputs(2) == (b"[0, 1]\n", b"[1, 8]\n")

    @pytest.mark.parametrize(
        ("report", "message"),
        [
            pytest.param(reported(ran(b"9"), ran(b"1")), "test 1 printed b'9'", id="changed places"),
            pytest.param(reported(ran(b"1"), ran(b"")), "test 2 printed b''", id="nothing"),
            pytest.param(reported(ran(b"1")), "1 of 2 tests", id="too few"),
            pytest.param(reported(ran(b"1"), ran(b"9", exit_code=1)), "test 2 ended with exited: last", id="failed"),
            pytest.param(reported(ran(b"1", status=RunStatus.WALL_LIMIT)), "wall_limit", id="ended"),
            pytest.param(
                reported(compilation=CompileResult(succeeded=False, output="syntax", time_ms=1)),
                "not compiled: syntax",
                id="not compiled",
            ),
        ],
    )
    def test_wrong_ones_do_not(self, report: RunReport, message: str) -> None:
        with pytest.raises(AnsweredWrongly, match=message):
            check_report(report, tests=2)

    def test_the_first_wrong_one_is_named(self) -> None:
        with pytest.raises(AnsweredWrongly, match="test 2 printed b'8'"):
            check_outputs([b"1", b"8", b"x"], tests=3)

    def test_an_unseen_source_is_never_the_same(self) -> None:
        sources = {unseen_source(CASE) for _ in range(10)}
        assert len(sources) == 10
        assert all(source.startswith(programs.PYTHON.source) for source in sources)


class TestChanges:
    HELD = Census(server_kib=1000, descendants_kib=2000, descriptors=10, processes=3, files=2)

    def refused(self, **after: int) -> list[str]:
        figures = {name: getattr(self.HELD, name) for name in self.HELD.__slots__} | after
        return [change.name for change in changes(self.HELD, Census(**figures)) if not change.is_allowed]

    def test_memory_may_grow_a_little(self) -> None:
        assert self.refused(server_kib=1050, descendants_kib=2100) == []
        assert self.refused(server_kib=1051) == ["server_kib"]
        assert self.refused(descendants_kib=2101) == ["descendants_kib"]
        assert self.refused(server_kib=500) == []

    @pytest.mark.parametrize("name", ["descriptors", "processes", "files"])
    @pytest.mark.parametrize("by", [-1, 1])
    def test_all_else_is_as_it_was(self, name: str, by: int) -> None:
        assert self.refused(**{name: getattr(self.HELD, name) + by}) == [name]

    def test_in_a_table_and_in_json(self) -> None:
        grown = Census(server_kib=2000, descendants_kib=2000, descriptors=9, processes=3, files=2)
        soaked = SoakResult(warm_up=100, submissions=500, before=self.HELD, after=grown)
        lines = report.soak_lines(soaked)
        assert lines[0].split() == ["held", "after", "100", "after", "500", "difference"]
        assert lines[2].split() == ["server_kib", "1000", "2000", "+1000", "GREW"]
        assert lines[4].split() == ["descriptors", "10", "9", "-1", "FELL"]
        assert report.soak_json(soaked)["held"]["server_kib"] == {"before": 1000, "after": 2000, "is_allowed": False}
        assert not soaked.is_clean
