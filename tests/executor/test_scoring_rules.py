"""Scoring rules on their way: from the problem and its tests into the judgement, and from there to the score."""

from decimal import Decimal

import pytest
from django.utils import timezone

from courses import services
from courses.models import AlgorithmProblem, Problem
from courses.selectors import current_test_set
from courses.testdata import TestCaseSpec
from courses.testgroups import GroupSpec
from executor.engines.base import RunResult
from executor.judging.scoring import Aggregate, ScoreGroup
from executor.models import Judgement, Submission
from executor.queue.claims import claim_next
from executor.queue.judge import judge_claimed
from executor.services.code_executor import CodeExecutorService
from executor.services.judgements import judgement_plan
from executor.services.submissions import submission_create
from tests.accounts.factories import UserFactory
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.executor.factories import SubmissionFactory
from tests.executor.fakes import ScriptedEngine, double, run_result

pytestmark = pytest.mark.django_db

GROUPS = (
    GroupSpec(name="small", aggregate="min", points=Decimal(30)),
    GroupSpec(name="large", points=Decimal(70), requires=("small",)),
)


def grouped(**algorithm: bool) -> Problem:
    """Two tests in `small`, three in `large`, which requires it; inputs are 1 to 5."""
    problem: Problem = AlgorithmProblemFactory(tests=[], **algorithm).problem
    names = ["small", "small", "large", "large", "large"]
    cases = [
        TestCaseSpec(input=f"{number}", expected_output=f"{2 * number}", group=name)
        for number, name in enumerate(names, start=1)
    ]
    services.testset_create(actor=UserFactory(), problem_id=problem.pk, test_cases=cases, groups=GROUPS)
    return problem


def judged(problem: Problem, *wrong: int) -> tuple[Submission, list[str], int]:
    """A submission that gets these inputs wrong: itself, its tests' verdicts, and how many runs the engine made."""
    hand_in(problem)
    return judge(wrong)


def hand_in(problem: Problem) -> None:
    student = EnrollmentFactory(course=problem.course).user
    submission_create(user=student, problem_id=problem.pk, language="python", code="x", received_at=timezone.now())


def judge(wrong: tuple[int, ...]) -> tuple[Submission, list[str], int]:
    inputs: list[int] = []

    def answer(stdin: bytes) -> RunResult:
        inputs.append(int(stdin))
        return run_result(b"0") if int(stdin) in wrong else double(stdin)

    claim = claim_next()
    assert claim is not None
    judge_claimed(claim, CodeExecutorService(ScriptedEngine(answer)))
    judgement = Judgement.objects.get(pk=claim.judgement_id)
    return judgement.submission, list(judgement.test_results.values_list("verdict", flat=True)), len(inputs)


class TestGroups:
    @pytest.mark.parametrize(
        ("wrong", "score", "verdicts", "runs"),
        [
            ((), "100", "AAAAA", 5),
            ((1,), "0", "WSSSS", 1),
            ((2,), "0", "AWSSS", 2),
            ((4,), "76.66", "AAAWA", 5),
            ((3, 4, 5), "30", "AAWWW", 5),
        ],
    )
    def test_make_the_score_and_end_the_run(self, wrong: tuple[int, ...], score: str, verdicts: str, runs: int) -> None:
        submission, given, inputs = judged(grouped(), *wrong)
        names = {"A": "accepted", "W": "wrong_answer", "S": "skipped"}
        assert (submission.score, given, inputs) == (Decimal(score), [names[letter] for letter in verdicts], runs)
        assert submission.status == ("wrong_answer" if wrong else "accepted")

    def test_all_or_nothing(self) -> None:
        assert judged(grouped(is_partial_credit=False), 4)[0].score == 0
        assert judged(grouped(is_partial_credit=False))[0].score == 100

    def test_the_first_failure_ends_it_where_the_problem_says_so(self) -> None:
        submission, verdicts, runs = judged(grouped(stops_at_first_failure=True), 3)
        assert (submission.score, verdicts[3:], runs) == (30, ["skipped"] * 2, 3)


class TestPinned:
    def test_a_judgement_goes_by_the_rules_it_was_made_with(self) -> None:
        problem = grouped(is_partial_credit=False, stops_at_first_failure=True)
        hand_in(problem)
        AlgorithmProblem.objects.filter(problem=problem).update(is_partial_credit=True, stops_at_first_failure=False)
        services.testset_create(actor=UserFactory(), problem_id=problem.pk, test_cases=[TestCaseSpec(input="1")])
        judged_submission, verdicts, _ = judge((3,))
        assert (judged_submission.score, verdicts[3:]) == (0, ["skipped"] * 2)

    def test_the_plan_has_the_groups_of_its_test_set(self) -> None:
        problem = grouped()
        submission = SubmissionFactory(problem=problem)
        plan = judgement_plan(submission.current_judgement)
        assert plan.groups == (
            ScoreGroup(name="small", aggregate=Aggregate.MIN, points=Decimal(30)),
            ScoreGroup(name="large", points=Decimal(70), requires=("small",)),
        )
        assert [test.group for test in plan.tests] == ["small"] * 2 + ["large"] * 3

    def test_labels_of_tests_from_before_there_were_groups_change_nothing(self) -> None:
        problem = AlgorithmProblemFactory().problem
        test_set = current_test_set(problem)
        assert test_set is not None
        test_set.test_cases.update(group="label")
        assert judged(problem, 21)[0].score == 50
