"""Where chapters stand in their course and problems in their chapter: one row written per move, one total order."""

from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from core import ordering
from core.fields import POSITION_MAX
from core.ordering import KEY_MAX
from courses import services
from courses.models import Chapter, ChapterProblem
from courses.services import chapter as chapter_module
from tests.accounts.factories import UserFactory
from tests.courses.conftest import World
from tests.courses.factories import ChapterFactory, ChapterProblemFactory, CourseFactory
from tests.courses.refusals import refused
from tests.parallel import at_once, meeting_point

THREADS = 4


def writes_to(table: str, queries: CaptureQueriesContext) -> list[str]:
    written = (f'UPDATE "{table}"', f'INSERT INTO "{table}"', f'DELETE FROM "{table}"')
    return [query["sql"] for query in queries if query["sql"].startswith(written)]


@pytest.mark.django_db
class TestChapters:
    @pytest.fixture
    def chapters(self) -> list[Chapter]:
        course = CourseFactory()
        return [ChapterFactory(course=course) for _ in range(5)]

    def order(self, chapters: list[Chapter]) -> list[int]:
        """Where each chapter stands now, by its place at first."""
        first = [chapter.pk for chapter in chapters]
        return [first.index(chapter.pk) for chapter in chapters[0].course.chapters.all()]

    def move(self, chapter: Chapter, after: Chapter | None) -> Chapter:
        return services.chapter_move(
            actor=UserFactory(), chapter_id=chapter.pk, after=None if after is None else after.pk
        )

    @pytest.mark.parametrize(
        ("moved", "after", "wanted"),
        [
            (0, 4, [1, 2, 3, 4, 0]),
            (4, None, [4, 0, 1, 2, 3]),
            (4, 1, [0, 1, 4, 2, 3]),
            (1, 2, [0, 2, 1, 3, 4]),
            (3, 0, [0, 3, 1, 2, 4]),
        ],
    )
    def test_a_move_writes_one_row(
        self, chapters: list[Chapter], moved: int, after: int | None, wanted: list[int]
    ) -> None:
        with CaptureQueriesContext(connection) as queries:
            self.move(chapters[moved], None if after is None else chapters[after])
        assert self.order(chapters) == wanted
        assert len(writes_to("courses_chapter", queries)) == 1

    @pytest.mark.parametrize(("moved", "after"), [(0, None), (2, 1), (4, 3)])
    def test_a_move_to_where_it_is_writes_nothing(self, chapters: list[Chapter], moved: int, after: int | None) -> None:
        actor = UserFactory()
        after_id = None if after is None else chapters[after].pk
        with CaptureQueriesContext(connection) as queries:
            services.chapter_move(actor=actor, chapter_id=chapters[moved].pk, after=after_id)
        assert self.order(chapters) == [0, 1, 2, 3, 4]
        assert [query["sql"] for query in queries if query["sql"].startswith(("UPDATE", "INSERT"))] == []

    def test_control_numbered_rows_would_all_be_written(
        self, chapters: list[Chapter], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With every key too long to be stored the others are rewritten, and the count above notices."""
        monkeypatch.setattr("courses.services.positions.needs_rebalancing", lambda key: True)
        with CaptureQueriesContext(connection) as queries:
            self.move(chapters[0], chapters[4])
        assert len(writes_to("courses_chapter", queries)) > 1
        assert self.order(chapters) == [1, 2, 3, 4, 0]

    def test_after_itself_or_a_foreign_one_is_refused(self, chapters: list[Chapter]) -> None:
        for after in (chapters[1], ChapterFactory()):
            with refused(("#/after", "not_a_sibling")):
                self.move(chapters[1], after)
        assert self.order(chapters) == [0, 1, 2, 3, 4]

    def test_very_many_moves_to_one_place(self, chapters: list[Chapter], monkeypatch: pytest.MonkeyPatch) -> None:
        """The last two by turns right after the first: each needs a place closer to it, until all get new ones."""
        limit = 40
        assert KEY_MAX < POSITION_MAX
        monkeypatch.setattr(ordering, "KEY_MAX", limit)
        actor, wanted = UserFactory(), [0, 1, 2, 3, 4]
        lengths = []
        for turn in range(400):
            moved = 3 + turn % 2
            services.chapter_move(actor=actor, chapter_id=chapters[moved].pk, after=chapters[0].pk)
            wanted.remove(moved)
            wanted.insert(1, moved)
            lengths.append(len(Chapter.objects.get(pk=chapters[moved].pk).position))
        assert self.order(chapters) == wanted
        # They grew to the limit and no further, and were short again after.
        assert max(lengths) == limit
        assert min(lengths[lengths.index(limit) :]) < 10


@pytest.mark.django_db
class TestPlacements:
    def test_a_move_writes_one_row(self) -> None:
        first = ChapterProblemFactory()
        second, third = (ChapterProblemFactory(chapter=first.chapter) for _ in range(2))
        actor = UserFactory()
        with CaptureQueriesContext(connection) as queries:
            services.chapterproblem_move(
                actor=actor, chapter_id=first.chapter_id, problem_id=third.problem_id, after=first.problem_id
            )
        assert list(first.chapter.placements.all()) == [first, third, second]
        assert len(writes_to("courses_chapterproblem", queries)) == 1

    def test_after_a_problem_of_another_chapter_is_refused(self) -> None:
        placement, other = ChapterProblemFactory(), ChapterProblemFactory()
        for after in (placement.problem_id, other.problem_id):
            with refused(("#/after", "not_a_sibling")):
                services.chapterproblem_move(
                    actor=UserFactory(),
                    chapter_id=placement.chapter_id,
                    problem_id=placement.problem_id,
                    after=after,
                )

    def test_the_same_place_in_two_chapters_is_no_collision(self, world: World) -> None:
        second = ChapterFactory(course=world.course)
        ChapterProblem.objects.create(chapter=second, problem=world.problem, position=world.placement.position)
        assert ChapterProblem.objects.filter(position=world.placement.position).count() == 2


@pytest.mark.django_db(transaction=True)
class TestMovesAtOnce:
    @pytest.fixture
    def chapters(self) -> list[Chapter]:
        course = CourseFactory()
        return [ChapterFactory(course=course) for _ in range(THREADS + 2)]

    @pytest.fixture(autouse=True)
    def all_look_before_any_writes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As close as they can come: where a lock keeps the others away, nobody waits forever."""
        real, meet = chapter_module.position_after, meeting_point(THREADS)

        def look_then_meet(*args: Any, **kwargs: Any) -> str:
            position = real(*args, **kwargs)
            meet()
            return position

        monkeypatch.setattr(chapter_module, "position_after", look_then_meet)

    def move_all_behind_the_first(self, chapters: list[Chapter]) -> list[str]:
        first, *others = chapters
        actor = UserFactory()

        def mover(chapter: Chapter) -> Callable[[], str]:
            def move() -> str:
                try:
                    services.chapter_move(actor=actor, chapter_id=chapter.pk, after=first.pk)
                except IntegrityError:
                    return "collided"
                return "moved"

            return move

        # The second one stands there already and would write nothing.
        return at_once([mover(chapter) for chapter in others[1:]])

    def test_all_get_a_place(self, chapters: list[Chapter]) -> None:
        assert self.move_all_behind_the_first(chapters) == ["moved"] * THREADS
        rows = list(chapters[0].course.chapters.all())
        assert rows[0] == chapters[0]
        assert rows[-1] == chapters[1]
        assert len({row.position for row in rows}) == len(rows)
        assert {row.pk for row in rows} == {chapter.pk for chapter in chapters}

    def test_control_without_the_lock_they_collide(
        self, chapters: list[Chapter], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chapter_module, "row_lock", lambda rows, pk: rows.get(pk=pk))
        if not connection.features.has_select_for_update:
            # SQLite has no row locks: what protects there is the transaction, which takes the write lock as it begins.
            monkeypatch.setattr(services, "chapter_move", services.chapter_move.__wrapped__)  # type: ignore[attr-defined]
            monkeypatch.setattr(chapter_module, "transaction", SimpleNamespace(atomic=nullcontext))
        assert "collided" in self.move_all_behind_the_first(chapters)
