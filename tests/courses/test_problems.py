"""Services of problems, and the checks an author's words have to pass."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models.signals import pre_delete

from core.errors import FieldError, NotFound
from courses import authoring, services
from courses.authoring import AlgorithmSpec
from courses.errors import ProblemInUse
from courses.models import AlgorithmProblem, Problem
from courses.testdata import TestCaseSpec
from executor.models import Submission
from tests.courses.conftest import World
from tests.courses.factories import ProblemFactory
from tests.courses.refusals import refused
from tests.executor.factories import SubmissionFactory


@pytest.fixture(autouse=True)
def no_registered_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other apps check is theirs to test."""
    monkeypatch.setattr(authoring, "_checks", [])


def create(world: World, **spec: Any) -> Problem:
    return services.problem_create(
        actor=world.instructor, course_id=world.course.pk, title="Two", slug="two", algorithm=AlgorithmSpec(**spec)
    )


class TestCreate:
    def test_everything_is_kept(self, world: World) -> None:
        problem = services.problem_create(
            actor=world.instructor,
            course_id=world.course.pk,
            title="Double",
            slug="double",
            statement="Double it.",
            difficulty=3,
            audience="exam_only",
            status="published",
            algorithm=AlgorithmSpec(
                time_limit_ms=500,
                memory_limit_mb=64,
                entry_point="double",
                value_encoding="python-literal",
                checker="float",
                checker_options={"absolute": 1e-6, "case_sensitive": False},
                languages=["python"],
                templates={"python": "{{{ code }}}"},
                starter_code={"python": "def double(n):\n    "},
            ),
        )
        stored = Problem.objects.select_related("algorithm").get(pk=problem.pk)
        assert (stored.course, stored.type, stored.difficulty) == (world.course, "algorithm", 3)
        assert (stored.audience, stored.status, stored.statement) == ("exam_only", "published", "Double it.")
        row = stored.algorithm
        assert (row.time_limit_ms, row.memory_limit_mb, row.entry_point) == (500, 64, "double")
        assert (row.value_encoding, row.checker) == ("python-literal", "float")
        assert row.checker_options == {"absolute": 1e-6, "case_sensitive": False}
        assert row.languages == ["python"]
        assert row.templates == {"python": "{{{ code }}}"}
        assert row.starter_code == {"python": "def double(n):\n    "}

    @pytest.mark.parametrize(
        ("spec", "pointer", "code"),
        [
            ({"time_limit_ms": 49}, "time_limit_ms", "min_value"),
            ({"time_limit_ms": 60_001}, "time_limit_ms", "max_value"),
            ({"memory_limit_mb": 15}, "memory_limit_mb", "min_value"),
            ({"entry_point": "two words"}, "entry_point", "not_an_identifier"),
            ({"entry_point": "x;import os"}, "entry_point", "not_an_identifier"),
            ({"entry_point": "ünicode"}, "entry_point", "not_an_identifier"),
            ({"entry_point": "f\n"}, "entry_point", "not_an_identifier"),
            ({"value_encoding": "yaml"}, "value_encoding", "invalid_choice"),
            ({"checker": "vibes"}, "checker", "invalid_choice"),
            ({"checker_options": {"a b": 1}}, "checker_options", "invalid"),
            ({"checker_options": {"absolute": [1]}}, "checker_options/absolute", "invalid"),
            ({"checker_options": {"absolute": float("nan")}}, "checker_options/absolute", "invalid"),
            ({"checker_options": {"unit": "a\0"}}, "checker_options/unit", "invalid"),
            ({"checker_options": {"unit": "\ud800"}}, "checker_options/unit", "invalid"),
            ({"checker_options": {"unit": "x" * 101}}, "checker_options/unit", "invalid"),
            ({"languages": ["python", "c", "python"]}, "languages/2", "duplicate"),
            ({"languages": ["C++"]}, "languages/0", "invalid"),
            ({"templates": {"../x": ""}}, "templates", "invalid"),
            ({"templates": {"\0": ""}}, "templates", "invalid"),
            ({"languages": ["c"], "starter_code": {"java": ""}}, "starter_code/java", "language_not_allowed"),
        ],
    )
    def test_a_fault_is_named(self, world: World, spec: dict[str, Any], pointer: str, code: str) -> None:
        with refused((f"#/algorithm/{pointer}", code)):
            create(world, **spec)
        assert not Problem.objects.filter(slug="two").exists()

    def test_all_faults_at_once(self, world: World) -> None:
        with refused(("#/title", "blank"), ("#/slug", "unique"), ("#/algorithm/checker", "invalid_choice")):
            services.problem_create(
                actor=world.owner,
                course_id=world.course.pk,
                title="",
                slug=world.problem.slug,
                algorithm=AlgorithmSpec(checker="vibes"),
            )


class TestRegisteredChecks:
    @pytest.fixture
    def asked(self) -> Iterator[list[AlgorithmSpec]]:
        asked: list[AlgorithmSpec] = []

        def no_cobol(spec: AlgorithmSpec) -> list[FieldError]:
            asked.append(spec)
            return [
                FieldError(pointer=f"#/algorithm/languages/{index}", code="unknown_language", detail="No COBOL.")
                for index, key in enumerate(spec.languages)
                if key == "cobol"
            ]

        authoring.register_algorithm_check(no_cobol)
        authoring.register_algorithm_check(no_cobol)
        yield asked
        authoring.unregister_algorithm_check(no_cobol)

    def test_asked_once_on_create(self, world: World, asked: list[AlgorithmSpec]) -> None:
        with refused(("#/algorithm/languages/1", "unknown_language")):
            create(world, languages=["c", "cobol"])
        assert len(asked) == 1

    def test_asked_on_update_about_the_whole(self, world: World, asked: list[AlgorithmSpec]) -> None:
        problem = create(world, languages=["c"], time_limit_ms=777)
        with refused(("#/algorithm/languages/0", "unknown_language")):
            services.problem_update(actor=world.owner, problem_id=problem.pk, algorithm={"languages": ["cobol"]})
        assert (asked[-1].time_limit_ms, list(asked[-1].languages)) == (777, ["cobol"])
        assert AlgorithmProblem.objects.get(problem=problem).languages == ["c"]

    def test_not_asked_about_a_bad_shape(self, world: World, asked: list[AlgorithmSpec]) -> None:
        with refused(("#/algorithm/checker", "invalid_choice")):
            create(world, checker="vibes", languages=["cobol"])
        assert asked == []


class TestUpdate:
    def test_only_what_is_given_changes(self, world: World) -> None:
        before = AlgorithmProblem.objects.get(problem=world.problem)
        services.problem_update(
            actor=world.owner, problem_id=world.problem.pk, difficulty=2, algorithm={"memory_limit_mb": 64}
        )
        after = AlgorithmProblem.objects.select_related("problem").get(problem=world.problem)
        assert (after.problem.difficulty, after.problem.title) == (2, world.problem.title)
        assert (after.memory_limit_mb, after.time_limit_ms) == (64, before.time_limit_ms)

    def test_a_slug_is_taken_within_its_course(self, world: World) -> None:
        with refused(("#/slug", "unique")):
            services.problem_update(actor=world.owner, problem_id=world.problem.pk, slug=world.draft.slug)
        services.problem_update(actor=world.owner, problem_id=world.problem.pk, slug=world.foreign_problem.slug)

    def test_archived_it_is_gone_for_students_alone(self, world: World) -> None:
        services.problem_archive(actor=world.owner, problem_id=world.problem.pk)
        assert not Problem.objects.visible_to(world.student).exists()
        assert world.problem in Problem.objects.visible_to(world.assistant)

    def test_a_problem_without_programs_has_no_algorithm_part(self, world: World) -> None:
        choice = ProblemFactory(course=world.course, type="choice")
        with refused(("#/algorithm", "not_algorithm")):
            services.problem_update(actor=world.owner, problem_id=choice.pk, algorithm={"time_limit_ms": 100})
        services.problem_update(actor=world.owner, problem_id=choice.pk, title="Choose")

    def test_missing(self, world: World) -> None:
        with pytest.raises(NotFound):
            services.problem_update(actor=world.owner, problem_id=10**6, title="A")
        with pytest.raises(NotFound):
            services.problem_delete(actor=world.owner, problem_id=10**6)


class TestTestsFit:
    """A published problem's current tests always fit how it is called and checked."""

    def test_a_change_they_do_not_fit_is_refused(self, world: World) -> None:
        with refused(("#/algorithm", "tests_do_not_fit")):
            services.problem_update(actor=world.owner, problem_id=world.problem.pk, algorithm={"entry_point": "double"})
        assert AlgorithmProblem.objects.get(problem=world.problem).entry_point == ""

    def test_by_way_of_a_draft(self, world: World) -> None:
        def update(**changes: Any) -> None:
            services.problem_update(actor=world.owner, problem_id=world.problem.pk, **changes)

        update(status="draft", algorithm={"entry_point": "double"})
        with refused(("#/algorithm", "tests_do_not_fit")):
            update(status="published")
        services.testset_create(
            actor=world.owner,
            problem_id=world.problem.pk,
            test_cases=[TestCaseSpec(input="[2]", expected_output="4")],
        )
        update(status="published")
        assert Problem.objects.get(pk=world.problem.pk).status == "published"


class TestDelete:
    def test_with_tests_and_places(self, world: World) -> None:
        services.problem_delete(actor=world.owner, problem_id=world.problem.pk)
        assert not Problem.objects.filter(pk=world.problem.pk).exists()
        assert not world.chapter.placements.exists()

    def test_not_with_submissions(self, world: World) -> None:
        submission = SubmissionFactory(problem=world.problem)
        with pytest.raises(ProblemInUse):
            services.problem_delete(actor=world.owner, problem_id=world.problem.pk)
        assert Submission.objects.get(pk=submission.pk).problem == world.problem
        assert world.problem.test_sets.exists()

    @pytest.mark.django_db(transaction=True)
    def test_not_with_one_that_came_after_the_search(self, world: World) -> None:
        """The database refuses at the commit what the search for submissions could not see."""
        submission = SubmissionFactory.build(problem=world.problem, user=world.student)

        def hand_in(**kwargs: object) -> None:
            submission.save()

        pre_delete.connect(hand_in, sender=Problem)
        try:
            with pytest.raises(ProblemInUse):
                services.problem_delete(actor=world.owner, problem_id=world.problem.pk)
        finally:
            pre_delete.disconnect(hand_in, sender=Problem)
        assert submission.pk is not None
        assert Problem.objects.filter(pk=world.problem.pk).exists()
        assert world.problem.test_sets.exists()
