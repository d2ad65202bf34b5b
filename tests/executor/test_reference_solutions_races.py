"""Reference solutions, tests and workers at once: threads with connections of their own, on the real database."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from itertools import chain
from types import SimpleNamespace

import pytest
from django.db import connection

from core.errors import NotFound
from courses import services
from courses.errors import ProblemInUse
from courses.models import Problem
from courses.selectors import current_test_set
from executor import receivers
from executor.models import Judgement, ReferenceSolution, Submission
from executor.queue.claims import Claim, claim_next
from executor.queue.judge import judge_claimed
from executor.services import reference_solutions
from executor.services.code_executor import CodeExecutorService
from executor.services.reference_solutions import referencesolution_verify
from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
from tests.executor.databases import submit
from tests.executor.fakes import ScriptedEngine
from tests.executor.solutions import judgement_of, new_tests, report_of, solution_for, staff_of
from tests.parallel import at_once, meeting_point

pytestmark = pytest.mark.django_db(transaction=True)


class TestSavingWhileTestsChange:
    def version_verified(self, problem: Problem, monkeypatch: pytest.MonkeyPatch) -> int:
        """On which version a solution is verified that is saved at the moment version 2 is made."""
        actor, meet, author = staff_of(problem), meeting_point(2), threading.local()
        has_read = threading.Event()
        verify = receivers.problem_solutions_verify

        def read_then_meet(of: Problem) -> object:
            found = current_test_set(of)
            if getattr(author, "is_here", False):
                has_read.set()
                meet()
            return found

        def verify_then_meet(*, problem_id: int) -> None:
            verify(problem_id=problem_id)
            meet()

        monkeypatch.setattr(reference_solutions, "current_test_set", read_then_meet)
        monkeypatch.setattr(receivers, "problem_solutions_verify", verify_then_meet)

        def save() -> None:
            author.is_here = True
            solution_for(problem, actor=actor)

        def change_tests() -> None:
            has_read.wait(10)
            new_tests(problem, actor=actor)

        at_once([save, change_tests])
        return judgement_of(ReferenceSolution.objects.get()).test_set.version

    def test_it_is_verified_on_the_newest(self, problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.version_verified(problem, monkeypatch) == 2

    def test_control_without_the_lock_it_is_not(self, problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            reference_solutions, "_lock", lambda pk: Problem.objects.select_related("algorithm", "course").get(pk=pk)
        )
        if not connection.features.has_select_for_update:
            # SQLite has no row locks: what protects there is the transaction, which takes the write lock at its start.
            monkeypatch.setattr(reference_solutions, "transaction", SimpleNamespace(atomic=nullcontext))
        assert self.version_verified(problem, monkeypatch) == 1


class TestTogether:
    def test_one_verification_waits_however_many_ask(self, problem: Problem) -> None:
        solution = solution_for(problem)
        verify = partial(referencesolution_verify, actor=solution.author, solution_id=solution.pk)
        at_once([verify] * 4)
        assert Submission.objects.count() == 1

    def test_a_worker_that_takes_one_meanwhile_judges_the_tests_it_names(self, problem: Problem) -> None:
        """Whoever is first: what it took is judged on the version that it names, and the newest is judged too."""
        solution = solution_for(problem)
        service = CodeExecutorService(ScriptedEngine())
        taken: list[Claim | None] = []
        for _ in range(4):
            # Each version expects another answer, of which only the doubled 3 is right.
            version = problem.test_sets.count() + 1
            referencesolution_verify(actor=solution.author, solution_id=solution.pk)
            calls: list[Callable[[], object]] = [
                lambda: taken.append(claim_next()),
                partial(new_tests, problem, "6\n" if version % 2 else "no"),
            ]
            at_once(calls)
            for claim in chain(taken, iter(claim_next, None)):
                if claim is not None:
                    judge_claimed(claim, service)
            taken.clear()
            assert report_of(solution).test_set_version == version
        judged = Judgement.objects.select_related("test_set").exclude(test_set__version=1)
        assert all((one.verdict == "accepted") == bool(one.test_set.version % 2) for one in judged)

    def test_a_problem_goes_while_its_solutions_are_judged(self) -> None:
        """Either side may be first; neither fails, and nothing is left behind."""
        service = CodeExecutorService(ScriptedEngine())

        def judge() -> None:
            if claim := claim_next():
                judge_claimed(claim, service)

        for _ in range(4):
            problem = AlgorithmProblemFactory().problem
            actor = staff_of(problem)
            for name in ("one", "two", "three"):
                solution_for(problem, actor=actor, name=name)
            delete = partial(services.problem_delete, actor=actor, problem_id=problem.pk)
            calls: list[Callable[[], None]] = [judge, delete, judge, judge]
            at_once(calls)
            assert not Submission.objects.exists()
            assert not Problem.objects.exists()

    def test_handing_in_while_a_problem_goes_keeps_the_mark_or_finds_nothing(self, problem: Problem) -> None:
        """The mark is never lost: the problem stays then, with its solutions."""
        solution = solution_for(problem)
        student = EnrollmentFactory(course=problem.course).user

        def hand_in() -> bool:
            try:
                submit(student, problem)
            except NotFound:
                return False
            return True

        def delete() -> bool:
            try:
                services.problem_delete(actor=solution.author, problem_id=problem.pk)
            except ProblemInUse:
                return False
            return True

        is_in, is_gone = at_once([hand_in, delete])
        assert is_in != is_gone
        assert Problem.objects.exists() == is_in
        assert ReferenceSolution.objects.exists() == is_in
        assert Submission.objects.filter(purpose="practice").exists() == is_in
