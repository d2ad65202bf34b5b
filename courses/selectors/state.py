"""What one student sees of one course: what is open, what is done, what is due, and what comes next.

All of it is computed from what is stored, in three queries whatever the size of the course; nothing of it is kept in
tables of its own (`docs/decisions/computed-progress.md`).
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from courses.errors import ProblemLocked
from courses.models import (
    Chapter,
    ChapterProblem,
    Course,
    Enrollment,
    Problem,
    ProblemProgress,
    UnlockRequirement,
)
from courses.rules import unlocking
from courses.rules.lateness import effective_due_at
from courses.rules.unlocking import LockState, Node
from courses.selectors.locks import lock_as_json
from courses.selectors.staterows import (
    NOBODY,
    ChapterRow,
    ProblemRow,
    chapter_rows,
    problem_rows,
    requirement_rows,
)

OPEN = LockState()
_CENT = Decimal("0.01")
_SOLVED = ProblemProgress.Status.SOLVED
_NOT_STARTED = ProblemProgress.Status.NOT_STARTED


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemState:
    """A problem as it stands for one student. `status` and what follows is their progress.

    `publication` is draft, published or archived; `is_visible`: students see it, be it locked or not.
    """

    id: int
    title: str
    slug: str
    type: str
    difficulty: int
    publication: str
    is_visible: bool
    lock: LockState
    due_at: datetime | None
    status: str
    attempts: int
    best_score: Decimal
    credited_score: Decimal
    solved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many of some problems there are, have been begun, and are solved: those alone that students can reach."""

    total: int
    started: int
    solved: int

    @property
    def status(self) -> str:
        """`solved` if all are, of which there must be one; `not_started` if none has been begun; else `in_progress`."""
        if self.total and self.solved == self.total:
            return _SOLVED
        return ProblemProgress.Status.IN_PROGRESS if self.started else _NOT_STARTED

    @property
    def percentage(self) -> Decimal | None:
        """The part that is solved, rounded down to 0.01: 100 means all. None where there is nothing to solve."""
        if not self.total:
            return None
        return (Decimal(100 * self.solved) / self.total).quantize(_CENT, rounding=ROUND_DOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterState:
    """A chapter with its problems, in order."""

    id: int
    title: str
    status: str
    is_visible: bool
    lock: LockState
    due_at: datetime | None
    problems: tuple[ProblemState, ...]
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseState:
    """A course as it stands for one student, or for its staff.

    For students, `chapters`, their problems and `unplaced` hold what they see, for staff everything. `by_id` has all
    problems that students or staff see, those in hidden chapters too. A problem in two chapters counts once in `tally`.
    Time alone changes nothing before `changes_at`.
    """

    chapters: tuple[ChapterState, ...]
    unplaced: tuple[ProblemState, ...]
    by_id: Mapping[int, ProblemState]
    titles: Mapping[Node, str]
    tally: Tally
    next_problem_id: int | None
    changes_at: datetime | None


def course_state(
    *, course: Course, enrollment: Enrollment | None, now: datetime, as_student: bool = False
) -> CourseState:
    """The state of a course: for a student as seen by them, without an enrollment for one who has just come.

    With neither an enrollment as student nor `as_student` it is for staff, who see everything and nothing is locked
    for them; what they have solved themselves is still told. Three queries.
    """
    is_student = as_student or (enrollment is not None and enrollment.role == Enrollment.Role.STUDENT)
    enrollment_id = NOBODY if enrollment is None else enrollment.pk
    return _assembled(
        chapter_rows(course_id=course.pk, enrollment_id=enrollment_id),
        problem_rows(only=Q(), course_id=course.pk, enrollment_id=enrollment_id, now=now),
        requirement_rows(only=Q(), course_id=course.pk),
        now=now,
        is_student=is_student,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemStates:
    """Some problems as they stand for a student, by id, with the titles of what their locks name."""

    by_id: Mapping[int, ProblemState]
    titles: Mapping[Node, str]

    def lock_of(self, problem_id: int) -> LockState:
        """Why a problem is locked. One that is gone, or hidden, since the caller looked keeps nobody out here."""
        found = self.by_id.get(problem_id)
        return OPEN if found is None else found.lock


def problem_states(
    *, course_id: int, problem_ids: Collection[int], enrollment: Enrollment | None, now: datetime
) -> ProblemStates:
    """Some problems of a course, as `course_state` tells of them to a student; what they do not depend on is not read.

    Three queries.
    """
    enrollment_id = NOBODY if enrollment is None else enrollment.pk
    around = ChapterProblem.objects.filter(problem__in=problem_ids).values("chapter")
    requirements = requirement_rows(
        only=Q(problem__in=problem_ids) | Q(chapter__in=around),
        course_id=course_id,
    )
    # A requirement asks for what is solved, not for what is open: what these wait for in turn does not matter.
    required = [node for nodes in requirements.values() for node in nodes]
    in_chapters = ChapterProblem.objects.filter(chapter__in=_ids("chapter", required)).values("problem")
    state = _assembled(
        chapter_rows(course_id=course_id, enrollment_id=enrollment_id),
        problem_rows(
            only=Q(pk__in=[*problem_ids, *_ids("problem", required)]) | Q(pk__in=in_chapters),
            course_id=course_id,
            enrollment_id=enrollment_id,
            now=now,
        ),
        requirements,
        now=now,
        is_student=True,
    )
    return ProblemStates(
        by_id={each: state.by_id[each] for each in problem_ids if each in state.by_id}, titles=state.titles
    )


def problem_require_open(*, user: User, problem: Problem, as_student: bool = False) -> None:
    """Nothing, if the problem is open to this user, who may see it. To staff of its course all are.

    With `as_student` staff are treated like a student who has just come.

    Raises:
        ProblemLocked: it is locked; its member `lock` says why, and what is missing.
    """
    if _waits_for_nothing(problem):
        return
    enrollment = None
    if Course.objects.staffed_by(user).filter(pk=problem.course_id).exists():
        if not as_student:
            return
    else:
        enrollment = Enrollment.objects.active().filter(course=problem.course_id, user=user).first()
    states = problem_states(
        course_id=problem.course_id, problem_ids=[problem.pk], enrollment=enrollment, now=timezone.now()
    )
    lock = states.lock_of(problem.pk)
    if not lock.is_unlocked:
        raise ProblemLocked(members={"lock": lock_as_json(lock, states.titles)})


def _waits_for_nothing(problem: Problem) -> bool:
    """Whether the problem is open to all who see it: the usual case, told by two queries where its state takes five."""
    if problem.unlock_at is not None:
        return False
    around = list(
        ChapterProblem.objects.filter(problem=problem).values_list("chapter", "chapter__status", "chapter__unlock_at")
    )
    free = {pk for pk, status, unlock_at in around if status == Chapter.Status.PUBLISHED and unlock_at is None}
    if around and not free:
        return False
    waiting = UnlockRequirement.objects.filter(Q(problem=problem) | Q(chapter__in=free))
    held = set(waiting.order_by().values_list("problem", "chapter"))
    return (problem.pk, None) not in held and (not around or any((None, pk) not in held for pk in free))


def _ids(kind: str, nodes: Iterable[Node]) -> list[int]:
    return [node[1] for node in nodes if node[0] == kind]


def _assembled(
    chapters: Sequence[ChapterRow],
    placed: Sequence[ProblemRow],
    requirements: Mapping[Node, Sequence[Node]],
    *,
    now: datetime,
    is_student: bool,
) -> CourseState:
    places: dict[int, list[int]] = {row.id: [] for row in placed}
    for row in placed:
        if row.chapter_id is not None:
            places[row.id].append(row.chapter_id)
    # One row for each problem, whatever the number of its places.
    problems = {row.id: row for row in placed}
    solved = {row.id for row in problems.values() if row.progress == _SOLVED}
    rule_chapters = [_chapter_for_rules(row, requirements) for row in chapters]
    rule_problems = [_problem_for_rules(row, places[row.id], requirements) for row in problems.values()]
    locks: Mapping[Node, LockState] = {}
    if is_student:
        locks = unlocking.lock_states(chapters=rule_chapters, problems=rule_problems, solved=solved, now=now)
    # As `courses.selectors.duedates` has it, draft chapters give no date.
    dues = {row.id: (row.due_at, row.extended_to) for row in chapters if _is_visible(row)}
    states = {
        row.id: _problem_state(row, [dues[each] for each in places[row.id] if each in dues], locks)
        for row in problems.values()
        if row.is_visible or not is_student
    }

    within: dict[int | None, list[ProblemState]] = {None: [], **{row.id: [] for row in chapters}}
    for row in placed:
        # A chapter that is newer than the first of our queries is not known here yet.
        if row.id in states and row.chapter_id in within:
            within[row.chapter_id].append(states[row.id])
    shown = [_chapter_state(row, within[row.id], locks) for row in chapters if _is_visible(row) or not is_student]
    reachable = {
        each.id: each
        for each in (*(p for chapter in shown if chapter.is_visible for p in chapter.problems), *within[None])
        if each.is_visible
    }
    positions: dict[int | None, str] = {row.id: row.position for row in chapters if _is_visible(row)}
    return CourseState(
        chapters=tuple(shown),
        unplaced=tuple(within[None]),
        by_id=states,
        titles={
            **{("chapter", row.id): row.title for row in chapters},
            **{("problem", row.id): row.title for row in problems.values()},
        },
        tally=_tally(reachable.values()),
        next_problem_id=unlocking.next_problem(
            placements=[
                (positions[row.chapter_id], row.position, row.id)
                for row in placed
                if row.chapter_id in positions and row.position is not None
            ],
            states=defaultdict(lambda: OPEN, locks),
            solved=solved,
            difficulty={each.id: each.difficulty for each in reachable.values()},
        ),
        changes_at=_changes_at(rule_chapters, rule_problems, problems.values(), now),
    )


def _is_visible(row: ChapterRow) -> bool:
    return row.status == Chapter.Status.PUBLISHED


def _chapter_for_rules(row: ChapterRow, requirements: Mapping[Node, Sequence[Node]]) -> unlocking.Chapter:
    return unlocking.Chapter(
        id=row.id,
        is_visible=_is_visible(row),
        unlock_at=row.unlock_at,
        requires_mode=unlocking.RequiresMode(row.requires_mode),
        requirements=tuple(requirements.get(("chapter", row.id), ())),
    )


def _problem_for_rules(
    row: ProblemRow, chapter_ids: Sequence[int], requirements: Mapping[Node, Sequence[Node]]
) -> unlocking.Problem:
    return unlocking.Problem(
        id=row.id,
        chapter_ids=tuple(chapter_ids),
        is_visible=row.is_visible,
        unlock_at=row.unlock_at,
        requires_mode=unlocking.RequiresMode(row.requires_mode),
        requirements=tuple(requirements.get(("problem", row.id), ())),
    )


def _problem_state(
    row: ProblemRow,
    chapter_dues: Sequence[tuple[datetime | None, datetime | None]],
    locks: Mapping[Node, LockState],
) -> ProblemState:
    extensions = [row.extended_to, *(extended_to for _, extended_to in chapter_dues)]
    return ProblemState(
        id=row.id,
        title=row.title,
        slug=row.slug,
        type=row.type,
        difficulty=row.difficulty,
        publication=row.publication,
        is_visible=row.is_visible,
        lock=locks.get(("problem", row.id), OPEN),
        due_at=effective_due_at(
            row.due_at, [due for due, _ in chapter_dues], [each for each in extensions if each is not None]
        ),
        status=row.progress or _NOT_STARTED,
        attempts=row.attempts or 0,
        best_score=row.best_score or Decimal(0),
        credited_score=row.credited_score or Decimal(0),
        solved_at=row.solved_at,
    )


def _chapter_state(row: ChapterRow, problems: Sequence[ProblemState], locks: Mapping[Node, LockState]) -> ChapterState:
    return ChapterState(
        id=row.id,
        title=row.title,
        status=row.status,
        is_visible=_is_visible(row),
        lock=locks.get(("chapter", row.id), OPEN),
        due_at=effective_due_at(row.due_at, (), () if row.extended_to is None else (row.extended_to,)),
        problems=tuple(problems),
        tally=_tally(each for each in problems if each.is_visible),
    )


def _tally(problems: Iterable[ProblemState]) -> Tally:
    statuses = Counter(each.status for each in problems)
    total, solved = statuses.total(), statuses[_SOLVED]
    return Tally(total=total, started=total - statuses[_NOT_STARTED], solved=solved)


def _changes_at(
    chapters: Sequence[unlocking.Chapter],
    problems: Sequence[unlocking.Problem],
    rows: Iterable[ProblemRow],
    now: datetime,
) -> datetime | None:
    """The next moment at which something opens, or comes into sight or out of it."""
    moments = [unlocking.next_opening(chapters=chapters, problems=problems, now=now)]
    for row in rows:
        if row.publication == Problem.Status.PUBLISHED:
            moments += (row.published_from, row.published_until)
    return min((moment for moment in moments if moment is not None and moment > now), default=None)
