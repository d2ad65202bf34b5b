"""The gradebook of a course: what its students have been credited on its problems.

Rows are plain values, not model instances: there are as many cells as students times problems.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from django.db.models import (
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Cast, Coalesce, Lower, NullIf, Round

from courses.models import Chapter, ChapterProblem, Course, Enrollment, Problem, ProblemProgress

# Cells that are held at a time while a whole course is read.
CELLS_AT_ONCE = 50_000
STUDENTS_AT_ONCE = 500
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class GradebookScope:
    """Which problems are the columns: all, or those that have been given to students; of one chapter, or of all."""

    now: datetime
    chapter_id: int | None = None
    has_all: bool = False

    @property
    def condition(self) -> Q:
        """The condition for being a column, for the problems of one course.

        Given to students is what is published for the course and not scheduled for later, be its window over: marks do
        not vanish with it. What stands in draft chapters alone has not been given.
        """
        placements = ChapterProblem.objects.filter(problem=OuterRef("pk"))
        condition = Q() if self.chapter_id is None else Q(Exists(placements.filter(chapter__id=self.chapter_id)))
        if self.has_all:
            return condition
        return (
            condition
            & Q(status=Problem.Status.PUBLISHED, audience=Problem.Audience.COURSE)
            & (Q(published_from__isnull=True) | Q(published_from__lte=self.now))
            & (Q(Exists(placements.filter(chapter__status=Chapter.Status.PUBLISHED))) | ~Q(Exists(placements)))
        )


class GradebookColumn(NamedTuple):
    """A problem. `chapter_id` is the first chapter that it stands in, among the columns' chapters."""

    id: int
    title: str
    type: str
    status: str
    chapter_id: int | None


class GradebookStudent(NamedTuple):
    """Who has a row; `left_at` is None for those in the course."""

    enrollment_id: int
    user_id: int
    username: str
    display_name: str
    group_id: int | None
    group_name: str | None
    left_at: datetime | None


class GradebookCell(NamedTuple):
    """How far a student is with a problem that they have begun."""

    status: str
    attempts: int
    best_score: Decimal
    credited_score: Decimal
    solved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GradebookRow:
    """A student's marks: a cell for each column, None where nothing has been begun."""

    student: GradebookStudent
    cells: Sequence[GradebookCell | None]

    @property
    def total(self) -> Decimal | None:
        """The mean of the credited scores over all columns, rounded to 0.01, halves up; None without columns.

        What has not been begun counts 0.
        """
        if not self.cells:
            return None
        credited = sum((cell.credited_score for cell in self.cells if cell is not None), Decimal(0))
        return (credited / len(self.cells)).quantize(_CENT, rounding=ROUND_HALF_UP)


def gradebook_columns(course: Course, scope: GradebookScope) -> list[GradebookColumn]:
    """The problems, by chapter and their place in it, each once at the first of its places, then those in no chapter.

    One query.
    """
    placed = Problem.objects.filter(scope.condition, course=course)
    if scope.chapter_id is not None:
        placed = placed.filter(placements__chapter__id=scope.chapter_id)
    elif not scope.has_all:
        # A draft chapter gives no place to what stands in a published one, too.
        placed = placed.filter(Q(placements__isnull=True) | Q(placements__chapter__status=Chapter.Status.PUBLISHED))
    rows = placed.order_by(
        F("placements__chapter__position").asc(nulls_last=True), "placements__position", "pk"
    ).values_list("pk", "title", "type", "status", "placements__chapter_id")
    columns: dict[int, GradebookColumn] = {}
    for row in rows:
        columns.setdefault(row[0], GradebookColumn(*row))
    return list(columns.values())


def gradebook_students(course: Course, scope: GradebookScope) -> "QuerySet[Enrollment, Any]":
    """All who are or were students of a course, by name; to be narrowed, and read as `GradebookStudent`s.

    They can be ordered by `name`, the one shown or else the username, and by `total`.
    """
    credited = (
        ProblemProgress.objects.filter(
            enrollment=OuterRef("pk"), problem__in=Problem.objects.filter(scope.condition, course=course)
        )
        .order_by()
        .values("enrollment")
        .annotate(cents=Sum(_cents("credited_score")))
        .values("cents")
    )
    return (
        Enrollment.objects.filter(course=course, role=Enrollment.Role.STUDENT)
        .alias(
            name=Lower(Coalesce(NullIf("user__display_name", Value("")), "user__username")),
            # All are divided by the same number of columns, so that the sum orders as the mean does.
            total=Coalesce(Subquery(credited, output_field=IntegerField()), 0),
        )
        .order_by("name", "pk")
        .values_list(
            *("pk", "user_id", "user__username", "user__display_name", "group_id", "group__name"),
            "left_at",
        )
    )


def gradebook_rows(
    students: Iterable[Sequence[Any]], columns: Sequence[GradebookColumn], course: Course, scope: GradebookScope
) -> list[GradebookRow]:
    """The rows of these students, as `gradebook_students` reads them, in their order. One query."""
    rows = [GradebookStudent(*student) for student in students]
    cells = _cells([student.enrollment_id for student in rows], course, scope)
    return [
        GradebookRow(student=student, cells=[cells[student.enrollment_id].get(column.id) for column in columns])
        for student in rows
    ]


def gradebook_all_rows(
    students: "QuerySet[Enrollment, Any]", columns: Sequence[GradebookColumn], course: Course, scope: GradebookScope
) -> Iterator[GradebookRow]:
    """The rows of all these students, in their order, a few hundred at a time: two queries for each time, and one more.

    What memory holds does not grow with the course, but for the ids of its students. Each time is read when it is
    needed: work that counts meanwhile may be in a later row.
    """
    pks: list[int] = [student[0] for student in students.values_list("pk")]
    step = max(1, min(STUDENTS_AT_ONCE, CELLS_AT_ONCE // max(1, len(columns))))
    for start in range(0, len(pks), step):
        wanted = pks[start : start + step]
        found = {student[0]: student for student in students.filter(pk__in=wanted).order_by()}
        yield from gradebook_rows([found[pk] for pk in wanted if pk in found], columns, course, scope)


def _cells(
    enrollment_ids: Collection[int], course: Course, scope: GradebookScope
) -> Mapping[int, Mapping[int, GradebookCell]]:
    found: defaultdict[int, dict[int, GradebookCell]] = defaultdict(dict)
    # A row that nothing counts for any more is as good as none.
    begun = ProblemProgress.objects.filter(
        enrollment__in=enrollment_ids,
        problem__in=Problem.objects.filter(scope.condition, course=course),
        attempts__gt=0,
    ).order_by()
    for row in begun.values_list(
        "enrollment_id", "problem_id", "status", "attempts", "best_score", "credited_score", "solved_at"
    ):
        found[row[0]][row[1]] = GradebookCell(*row[2:])
    return found


def _cents(name: str) -> Cast:
    """A score as a whole number: SQLite would add decimals as floats, and tell equal sums apart."""
    hundredfold = ExpressionWrapper(F(name) * Value(100), output_field=DecimalField(max_digits=7, decimal_places=2))
    return Cast(Round(hundredfold), IntegerField())
