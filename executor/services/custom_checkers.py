"""Running authors' checkers, on this machine and apart from every student's program."""

from collections.abc import Sequence

from executor.engines.base import Engine, EngineUnavailable, RunReport, RunResult
from executor.judging.custom import CheckItem, CustomChecker, checker_request, read_check, syntax_request
from executor.judging.outcome import TestOutcome, Unchecked, decide_check
from executor.judging.plan import JudgingPlan, PlanError
from executor.judging.scoring import ScoreSheet
from executor.judging.verdicts import Verdict
from executor.services.engines import engine_named

# Of a compiler's words, where they are kept with a judgement.
FAULT_SHOWN = 2000
NO_ANSWER = "The checker was not asked about this test."


class CheckerRunner:
    """Asks an author's checker about the outputs of a submission: one box for all of them, a run for each.

    The box is one of this machine's sandbox, whatever engine runs the students' programs (law 1).
    """

    def __init__(self, engine: Engine | None = None) -> None:
        self._given = engine

    @property
    def _engine(self) -> Engine:
        # By need: most problems have no checker of their own, and a Judge0 deployment may never open a box.
        return self._given or engine_named("sandbox")

    def decide_all(self, plan: JudgingPlan, decided: Sequence[TestOutcome | Unchecked]) -> list[TestOutcome]:
        """Decide what the runs themselves left open, in judging order, until all that is left would be skipped.

        The first output the checker breaks on ends it: the submission is an `internal_error` then in any case.

        Raises:
            PlanError: the checker does not compile any more; its author has to act.
            EngineUnavailable, EngineRejected, EngineProtocolError: nothing is known of the outputs (law 3).
        """
        checker = plan.custom_checker
        waiting = [one for one in decided if isinstance(one, Unchecked)]
        if checker is None or not waiting:
            return [_known(one) for one in decided]
        sheet = ScoreSheet(plan.tests, plan.scoring)
        outcomes: list[TestOutcome] = []

        def advance() -> None:
            """Take over what the runs decided, up to the next output that waits for the checker."""
            while len(outcomes) < len(decided) and isinstance(known := decided[len(outcomes)], TestOutcome):
                outcomes.append(known)
                sheet.enter(known.verdict)

        def decide(number: int, result: RunResult) -> bool:
            outcomes.append(decide_check(waiting[number], read_check(result)))
            sheet.enter(outcomes[-1].verdict)
            advance()
            return not sheet.is_over

        advance()
        if not sheet.is_over:
            items = [_item(one) for one in waiting]
            report = self._engine.run(checker_request(checker, items, run_argv=_run_argv(checker)), decide)
            _demand_compiled(report)
        return [*outcomes, *(_known(one) for one in decided[len(outcomes) :])]

    def fault_of(self, checker: CustomChecker) -> str | None:
        """What keeps a checker from running, as its compiler says it; None where it compiles.

        Raises:
            EngineUnavailable, EngineRejected, EngineProtocolError: it could not be tried.
        """
        report = self._engine.run(syntax_request(checker))
        if report.compilation is not None and not report.compilation.succeeded:
            return report.compilation.output
        failed = [result for result in report.results if result.exit_code != 0]
        return failed[0].stderr.decode("utf-8", "backslashreplace") if failed else None


def _run_argv(checker: CustomChecker) -> tuple[str, ...]:
    """The language's command line, its program by the absolute path that the box knows it by."""
    from executor.engines.sandbox.host import find_program

    program, *arguments = checker.language.toolchain.run_argv
    path = program if "/" in program else find_program(program)
    if path is None:
        raise EngineUnavailable(f"The checker's language, {checker.language.name}, is not installed here.")
    return (path, *arguments)


def _item(one: Unchecked) -> CheckItem:
    # Where any output is right for our own checkers, an author's gets an empty answer and decides all the same.
    answer = (one.expected or "").encode("utf-8", "surrogatepass")
    return CheckItem(input=one.input, answer=answer, output=one.answer)


def _demand_compiled(report: RunReport) -> None:
    if report.compilation is not None and not report.compilation.succeeded:
        raise PlanError(f"The checker does not compile: {report.compilation.output[:FAULT_SHOWN]}")


def _known(one: TestOutcome | Unchecked) -> TestOutcome:
    """A decided test as it is; one that nobody decided is ours, unless the rules skip it."""
    if isinstance(one, TestOutcome):
        return one
    return TestOutcome(
        key=one.key, verdict=Verdict.INTERNAL_ERROR, result=one.result, printed=one.printed, judge_message=NO_ANSWER
    )
