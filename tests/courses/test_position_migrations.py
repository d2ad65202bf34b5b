"""The order of chapters and placements outlives the change from numbers to positions, both ways."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

NUMBERED = ("courses", "0005_isolated_tests")
POSITIONED = ("courses", "0008_positions_replace_numbers")


def migrate_to(target: tuple[str, str]) -> Any:
    """The models as they are after migrating to `target`, forward or back."""
    executor = MigrationExecutor(connection)
    executor.migrate([target])
    return MigrationExecutor(connection).loader.project_state([target]).apps


@pytest.mark.django_db(transaction=True)
class TestPositionMigrations:
    @pytest.fixture(autouse=True)
    def newest_after(self) -> Iterator[None]:
        yield
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())

    def titles(self, apps: Any, by: str) -> list[str]:
        return list(apps.get_model("courses", "Chapter").objects.order_by(by, "pk").values_list("title", flat=True))

    def slugs(self, apps: Any, by: str) -> list[str]:
        rows = apps.get_model("courses", "ChapterProblem").objects.order_by("chapter__title", by, "pk")
        return list(rows.values_list("problem__slug", flat=True))

    def test_the_order_is_kept(self) -> None:
        apps = migrate_to(NUMBERED)
        organization = apps.get_model("accounts", "Organization").objects.create(name="A", slug="a")
        course = apps.get_model("courses", "Course").objects.create(organization=organization, title="C", slug="c")
        make_chapter = apps.get_model("courses", "Chapter").objects.create
        # Numbers with gaps, and the same number twice: then the older one came first.
        chapters = [
            make_chapter(course=course, title=title, order=order)
            for title, order in (("C", 7), ("A", 0), ("B", 3), ("D", 7), ("E", 2**31 - 1))
        ]
        make_problem = apps.get_model("courses", "Problem").objects.create
        place = apps.get_model("courses", "ChapterProblem").objects.create
        problems = [make_problem(course=course, title="P", slug=f"p{n}", type="algorithm") for n in range(100)]
        for number, problem in enumerate(problems):
            place(chapter=chapters[0], problem=problem, order=1000 - number)
            place(chapter=chapters[1], problem=problem, order=number // 2)
        expected_titles = ["A", "B", "C", "D", "E"]
        slugs = [problem.slug for problem in problems]
        expected_slugs = [*slugs, *reversed(slugs)]

        apps = migrate_to(POSITIONED)
        assert self.titles(apps, "position") == expected_titles
        assert self.slugs(apps, "position") == expected_slugs
        assert "" not in apps.get_model("courses", "Chapter").objects.values_list("position", flat=True)

        apps = migrate_to(NUMBERED)
        assert self.titles(apps, "order") == expected_titles
        assert self.slugs(apps, "order") == expected_slugs
