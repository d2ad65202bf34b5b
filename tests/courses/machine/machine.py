"""What can happen to a course, one step at a time: through the services, seen through the API, with a real cache."""

import io
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.core.management import call_command
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from rest_framework.test import APIClient

from accounts.models import User
from core.errors import DomainError, InvalidInput, NotFound
from courses import services
from courses.errors import ProblemLocked
from courses.models import ChapterProblem, Enrollment
from courses.rules.unlocking import Node, RequiresMode
from courses.selectors import current_test_set
from courses.testdata import TestCaseSpec
from executor.judging.outcome import JudgingOutcome
from executor.judging.verdicts import Verdict
from executor.models import Judgement, Submission
from executor.queue.claims import Claim, claim_next, claim_release
from executor.services.judgements import judgement_apply
from executor.services.submissions import judgement_create, submission_create
from tests.accounts.factories import UserFactory
from tests.conftest import forget_all
from tests.courses.factories import (
    AlgorithmProblemFactory,
    ChapterFactory,
    ChapterProblemFactory,
    CourseFactory,
    EnrollmentFactory,
    ProblemFactory,
)
from tests.courses.machine.database import wipe
from tests.courses.machine.model import PlainCourse, PlainSubmission

CHAPTERS, PLACED_IN_EACH, UNPLACED, STUDENTS = 3, 2, 1, 2
# Rare, so that most of a run has somebody in a course that can be seen.
RARELY = st.sampled_from([False, False, True])
SCORES = st.sampled_from([Decimal(0), Decimal(50), Decimal("99.99"), Decimal(100), None])
RECEIVED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
# How a write ends: committed, rolled back, or made again after a savepoint with the same write was rolled back.
FATES = st.sampled_from(["commit", "commit", "commit", "rollback", "savepoint"])


class UndoneError(Exception):
    """The write was rolled back, as wanted."""


class CourseMachine(RuleBasedStateMachine):
    """After each step every student sees what the model says; after each run nothing has drifted."""

    def __init__(self) -> None:
        super().__init__()
        forget_all()
        self.course = CourseFactory()
        self.staff = EnrollmentFactory(course=self.course, role=Enrollment.Role.INSTRUCTOR).user
        self.students = [UserFactory() for _ in range(STUDENTS)]
        self.clients = {}
        for student in self.students:
            self.clients[student.pk] = APIClient()
            self.clients[student.pk].force_authenticate(student)
            EnrollmentFactory(course=self.course, user=student)
        self.plain = PlainCourse(active={student.pk for student in self.students})
        self.claims: list[Claim] = []
        self.turns = 0
        for _ in range(CHAPTERS):
            chapter = ChapterFactory(course=self.course)
            self.plain.chapter_order.append(chapter.pk)
            self.plain.visible_chapters.add(chapter.pk)
            self.plain.placements[chapter.pk] = []
            for _ in range(PLACED_IN_EACH):
                problem_id = self._problem()
                ChapterProblemFactory(chapter=chapter, problem_id=problem_id, problem=None)
                self.plain.placements[chapter.pk].append(problem_id)
        for _ in range(UNPLACED):
            self._problem()

    def _problem(self) -> int:
        problem = ProblemFactory(course=self.course)
        AlgorithmProblemFactory(problem=problem)
        self.plain.problem_status[problem.pk] = "published"
        return int(problem.pk)

    def teardown(self) -> None:
        told = io.StringIO()
        try:
            for student in self.students:
                self._sees_what_is(student)
            call_command("check_consistency", stdout=told, stderr=io.StringIO())
        except SystemExit:
            raise AssertionError(told.getvalue()) from None
        finally:
            wipe()

    # ways a write may end

    def _write(self, fate: str, act: Callable[[], Any]) -> Any:
        """What `act` returns, or the refusal it raised; `UndoneError` where all was rolled back.

        Each way to end must leave caches right: tokens are replaced with the write, and taken back with it.
        """
        try:
            if fate == "commit":
                return act()
            with transaction.atomic():
                with suppress(UndoneError), transaction.atomic():
                    act()
                    raise UndoneError
                if fate == "rollback":
                    raise UndoneError
                return act()
        except DomainError as refusal:
            return refusal
        except UndoneError as undone:
            return undone

    # what students do

    @rule(data=st.data(), fate=FATES)
    def enroll(self, data: st.DataObject, fate: str) -> None:
        outside = [each for each in self.students if each.pk not in self.plain.active]
        if not outside:
            return
        student = data.draw(st.sampled_from(outside))
        done = self._write(
            fate,
            lambda: services.enrollment_create(actor=self.staff, course_id=self.course.pk, user=student.username),
        )
        if not isinstance(done, UndoneError):
            assert isinstance(done, Enrollment)
            self.plain.active.add(student.pk)

    @rule(data=st.data(), fate=FATES, is_leaving=RARELY)
    @precondition(lambda self: self.plain.active)
    def leave(self, data: st.DataObject, fate: str, is_leaving: bool) -> None:
        if not is_leaving:
            return
        user_id = data.draw(st.sampled_from(sorted(self.plain.active)))
        enrollment = Enrollment.objects.get(course=self.course, user=user_id)
        done = self._write(fate, lambda: services.enrollment_remove(actor=self.staff, enrollment_id=enrollment.pk))
        if done is None:
            self.plain.active.discard(user_id)

    @rule(data=st.data(), fate=FATES)
    def submit(self, data: st.DataObject, fate: str) -> None:
        student = data.draw(st.sampled_from(self.students))
        problem_id = data.draw(st.sampled_from(sorted(self.plain.problem_status)))
        done = self._write(
            fate,
            lambda: submission_create(
                user=student, problem_id=problem_id, language="python", code="print(1)", received_at=RECEIVED_AT
            ),
        )
        is_visible = (
            self.plain.is_published
            and student.pk in self.plain.active
            and self.plain.problem_status[problem_id] == "published"
        )
        if not is_visible:
            assert isinstance(done, NotFound), done
        elif not self.plain.is_open(student.pk, problem_id):
            assert isinstance(done, ProblemLocked), done
        elif not isinstance(done, UndoneError):
            self.plain.submissions[done.pk] = PlainSubmission(student.pk, problem_id)

    @rule(data=st.data(), fate=FATES)
    def solve_something_open(self, data: st.DataObject, fate: str) -> None:
        self._hand_in_and_judge(data, Decimal(100), fate)

    @rule(data=st.data(), score=SCORES, fate=FATES)
    def try_something_open(self, data: st.DataObject, score: Decimal | None, fate: str) -> None:
        self._hand_in_and_judge(data, score, fate)

    def _hand_in_and_judge(self, data: st.DataObject, score: Decimal | None, fate: str) -> None:
        """What happens most: a problem that is open is answered, and judged at once."""
        open_now = [
            (student, problem_id)
            for student in self.students
            for problem_id, status in sorted(self.plain.problem_status.items())
            if self.plain.is_published
            and student.pk in self.plain.active
            and status == "published"
            and self.plain.is_open(student.pk, problem_id)
        ]
        if not open_now:
            return
        student, problem_id = data.draw(st.sampled_from(open_now))
        submission = submission_create(
            user=student, problem_id=problem_id, language="python", code="print(1)", received_at=RECEIVED_AT
        )
        self.plain.submissions[submission.pk] = PlainSubmission(student.pk, problem_id)
        while claim := claim_next():
            self.claims.append(claim)
        self._judge(self.claims[-1], score, fate)

    # what judges do

    @rule()
    def claim(self) -> None:
        claim = claim_next()
        if claim is not None:
            self.claims.append(claim)

    @rule(data=st.data(), score=SCORES, fate=FATES)
    @precondition(lambda self: self.claims)
    def verdict(self, data: st.DataObject, score: Decimal | None, fate: str) -> None:
        self._judge(data.draw(st.sampled_from(self.claims)), score, fate)

    def _judge(self, claim: Claim, score: Decimal | None, fate: str) -> None:
        verdict = Verdict.INTERNAL_ERROR if score is None else Verdict.WRONG_ANSWER
        outcome = JudgingOutcome(
            verdict=Verdict.ACCEPTED if score == 100 else verdict,
            score=score,
            tests=(),
            compilation=None,
            time_ms=1,
            memory_kib=1,
            engine="scripted",
            tier="scripted",
        )
        judgement = Judgement.objects.get(pk=claim.judgement_id)
        done = self._write(
            fate,
            lambda: judgement_apply(judgement_id=claim.judgement_id, claim_id=claim.claim_id, outcome=outcome),
        )
        if isinstance(done, UndoneError):
            return
        assert done is True
        self.claims.remove(claim)
        self.plain.submissions[judgement.submission_id].judged[judgement.number] = score
        # Delivered twice, it changes nothing.
        assert not judgement_apply(judgement_id=claim.judgement_id, claim_id=claim.claim_id, outcome=outcome)

    @rule(data=st.data())
    @precondition(lambda self: self.claims)
    def lose_the_worker(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        claim_release(claim)
        self.claims.remove(claim)

    @rule(data=st.data(), fate=FATES)
    @precondition(lambda self: self.plain.submissions)
    def rejudge(self, data: st.DataObject, fate: str) -> None:
        submission = Submission.objects.get(pk=data.draw(st.sampled_from(sorted(self.plain.submissions))))
        test_set = current_test_set(submission.problem)
        assert test_set is not None
        self._write(fate, lambda: judgement_create(submission=submission, test_set=test_set))

    # what authors do

    @rule(data=st.data(), fate=FATES)
    def give_new_tests(self, data: st.DataObject, fate: str) -> None:
        problem_id = data.draw(st.sampled_from(sorted(self.plain.problem_status)))
        self._write(
            fate,
            lambda: services.testset_create(
                actor=self.staff,
                problem_id=problem_id,
                test_cases=[TestCaseSpec(input="3\n", expected_output="6\n", is_sample=True)],
            ),
        )

    @rule(data=st.data(), fate=FATES, mode=st.sampled_from(RequiresMode))
    def edit_requirements(self, data: st.DataObject, fate: str, mode: RequiresMode) -> None:
        nodes = self.plain.nodes()
        node: Node = data.draw(st.sampled_from(nodes))
        others = [each for each in nodes if each != node]
        requires = tuple(data.draw(st.lists(st.sampled_from(others), max_size=2, unique=True)))
        update: Any = services.chapter_unlocking_update if node[0] == "chapter" else services.problem_unlocking_update
        done = self._write(
            fate,
            lambda: update(
                actor=self.staff,
                **{f"{node[0]}_id": node[1]},
                requires=requires,
                mode=mode.value,
                unlock_at=None,
                due_at=None,
            ),
        )
        if self.plain.has_cycle_with(node, requires):
            self._is_refused_cycle(done)
        elif not isinstance(done, UndoneError):
            assert not isinstance(done, DomainError), done
            self.plain.requirements[node] = (mode, requires)

    @rule(data=st.data(), fate=FATES)
    def place(self, data: st.DataObject, fate: str) -> None:
        chapter_id = data.draw(st.sampled_from(self.plain.chapter_order))
        outside = sorted(self.plain.problem_status.keys() - set(self.plain.placements[chapter_id]))
        if not outside:
            return
        problem_id = data.draw(st.sampled_from(outside))
        done = self._write(
            fate,
            lambda: services.chapterproblem_place(actor=self.staff, chapter_id=chapter_id, problem_id=problem_id),
        )
        if self.plain.has_cycle_placing(chapter_id, problem_id):
            self._is_refused_cycle(done)
        elif not isinstance(done, UndoneError):
            assert isinstance(done, ChapterProblem), done
            self.plain.placements[chapter_id].append(problem_id)

    @rule(data=st.data(), fate=FATES)
    def take_out(self, data: st.DataObject, fate: str) -> None:
        chapter_id = data.draw(st.sampled_from(self.plain.chapter_order))
        if not self.plain.placements[chapter_id]:
            return
        problem_id = data.draw(st.sampled_from(self.plain.placements[chapter_id]))
        done = self._write(
            fate,
            lambda: services.chapterproblem_remove(actor=self.staff, chapter_id=chapter_id, problem_id=problem_id),
        )
        if done is None:
            self.plain.placements[chapter_id].remove(problem_id)

    @rule(data=st.data(), fate=FATES)
    def move_a_chapter(self, data: st.DataObject, fate: str) -> None:
        order = self.plain.chapter_order
        chapter_id = data.draw(st.sampled_from(order))
        others = [each for each in order if each != chapter_id]
        after = data.draw(st.sampled_from([None, *others]))
        done = self._write(fate, lambda: services.chapter_move(actor=self.staff, chapter_id=chapter_id, after=after))
        if not isinstance(done, UndoneError):
            others.insert(0 if after is None else others.index(after) + 1, chapter_id)
            self.plain.chapter_order = others

    @rule(data=st.data(), fate=FATES)
    def move_a_problem(self, data: st.DataObject, fate: str) -> None:
        chapter_id = data.draw(st.sampled_from(self.plain.chapter_order))
        order = self.plain.placements[chapter_id]
        if not order:
            return
        problem_id = data.draw(st.sampled_from(order))
        others = [each for each in order if each != problem_id]
        after = data.draw(st.sampled_from([None, *others]))
        done = self._write(
            fate,
            lambda: services.chapterproblem_move(
                actor=self.staff, chapter_id=chapter_id, problem_id=problem_id, after=after
            ),
        )
        if not isinstance(done, UndoneError):
            others.insert(0 if after is None else others.index(after) + 1, problem_id)
            self.plain.placements[chapter_id] = others

    @rule(data=st.data(), fate=FATES, status=st.sampled_from(["draft", "published", "published", "archived"]))
    def publish_or_archive_a_problem(self, data: st.DataObject, fate: str, status: str) -> None:
        problem_id = data.draw(st.sampled_from(sorted(self.plain.problem_status)))
        done = self._write(
            fate, lambda: services.problem_update(actor=self.staff, problem_id=problem_id, status=status)
        )
        if not isinstance(done, UndoneError):
            assert not isinstance(done, DomainError), done
            self.plain.problem_status[problem_id] = status

    @rule(data=st.data(), fate=FATES)
    def show_or_hide_a_chapter(self, data: st.DataObject, fate: str) -> None:
        chapter_id = data.draw(st.sampled_from(self.plain.chapter_order))
        is_hiding = chapter_id in self.plain.visible_chapters
        status = "draft" if is_hiding else "published"
        done = self._write(
            fate, lambda: services.chapter_update(actor=self.staff, chapter_id=chapter_id, status=status)
        )
        if not isinstance(done, UndoneError):
            self.plain.visible_chapters ^= {chapter_id}

    @rule(fate=FATES, is_archiving=RARELY)
    def archive_or_publish_the_course(self, fate: str, is_archiving: bool) -> None:
        if self.plain.is_published and not is_archiving:
            return
        status = "archived" if self.plain.is_published else "published"
        done = self._write(
            fate, lambda: services.course_update(actor=self.staff, course_id=self.course.pk, status=status)
        )
        if not isinstance(done, UndoneError):
            self.plain.is_published = not self.plain.is_published

    # what machines do

    @rule()
    def lose_the_cache(self) -> None:
        forget_all()

    @rule()
    def look_again(self) -> None:
        """A second look, which finds the first one's cache."""

    @invariant()
    def a_student_sees_what_is(self) -> None:
        """After each step one of them, in turn: what went stale is still there at the next step."""
        self.turns += 1
        self._sees_what_is(self.students[self.turns % STUDENTS])

    def _sees_what_is(self, student: User) -> None:
        answer = self.clients[student.pk].get(f"/api/v1/courses/{self.course.pk}/outline/")
        if not self.plain.is_published or student.pk not in self.plain.active:
            assert answer.status_code == 404
        else:
            assert answer.status_code == 200
            assert _bare(answer.json()) == self.plain.outline(student.pk)

    def _is_refused_cycle(self, done: object) -> None:
        assert isinstance(done, InvalidInput), done
        assert [error.code for error in done.errors] == ["requirement_cycle"]


def _bare(outline: dict[str, Any]) -> dict[str, Any]:
    """What the model speaks of: no titles, no dates, and a lock is a lock."""
    return {
        **{name: outline[name] for name in ("total", "solved", "percentage", "next_problem")},
        "chapters": [
            {
                "id": chapter["id"],
                "is_locked": chapter["lock"] is not None,
                **{name: chapter[name] for name in ("total", "solved", "percentage")},
                "problems": [_bare_problem(each) for each in chapter["problems"]],
            }
            for chapter in outline["chapters"]
        ],
        "problems": [_bare_problem(each) for each in outline["problems"]],
    }


def _bare_problem(problem: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": problem["id"],
        "is_locked": problem["lock"] is not None,
        "status": problem["status"],
        "best_score": problem["best_score"],
    }
