"""What students must not learn stands in no answer of any route, under any filter (law 7, T-09)."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain, combinations, product
from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from courses.api import representations
from courses.api.filters import CourseFilter, EnrollmentFilter, ProblemFilter
from courses.api.urls import urlpatterns
from courses.api.views import problems as problem_views
from courses.models import AlgorithmProblem, ChapterProblem, Course, Enrollment, Problem, TestCase, TestSet
from courses.testgroups import GroupSpec, group_as_json
from tests.courses.conftest import World
from tests.courses.factories import (
    AlgorithmProblemFactory,
    ChapterFactory,
    CourseFactory,
    EnrollmentFactory,
    ProblemFactory,
    TestCaseFactory,
    TestSetFactory,
)
from tests.courses.refusals import ApiAs

CANARY = "canary"
WEIGHT = "731.937"
FILTERS: dict[str, Any] = {
    "course-list": CourseFilter,
    "problem-list": ProblemFilter,
    "enrollment-list": EnrollmentFilter,
}
VALUES = {
    "status": ["draft", "published", "archived", CANARY],
    "difficulty": ["1", "2", "3", "0"],
    "type": ["algorithm", "choice", "fillblank"],
    "role": ["student", "assistant", "instructor"],
    "organization": ["1", "2", "3", "4", "x"],
}
# Common parameters and inventions that some other API would follow.
EXTRAS = [
    "page=1&page_size=200",
    "page=2",
    "ordering=-status",
    "search=canary",
    "expand=test_sets,templates",
    "fields=templates",
    "format=json",
    "status=draft&status=published",
]


@pytest.fixture
def planted(world: World) -> World:
    """Canaries wherever a student of the course must not look."""
    AlgorithmProblem.objects.filter(problem=world.problem).update(
        templates={"python": f"{CANARY}-template"},
        preludes={"python": f"{CANARY}-prelude"},
        postludes={"python": f"{CANARY}-postlude"},
        checker_options={"unit": f"{CANARY}-option"},
    )
    # An older version, hidden tests in the current one, and a sample that is not current any more.
    old = TestSet.objects.get(problem=world.problem)
    old.test_cases.update(input=f"{CANARY}-old", expected_output=f"{CANARY}-old")
    current = TestSetFactory(
        problem=world.problem,
        version=2,
        groups=[
            group_as_json(GroupSpec(name=f"{CANARY}-group", points=Decimal(WEIGHT), requires=[f"{CANARY}-earlier"]))
        ],
        checker_language="python",
        checker_source=f"{CANARY}-checker",
    )
    TestCaseFactory(test_set=current, order=0, input="sample in", expected_output="sample out", is_sample=True)
    TestCaseFactory(
        test_set=current,
        order=1,
        input=f"{CANARY}-input",
        expected_output=f"{CANARY}-expected",
        group=f"{CANARY}-group",
        weight=WEIGHT,
    )
    hidden = (
        world.draft,
        AlgorithmProblemFactory(problem__course=world.course, problem__audience="exam_only").problem,
        AlgorithmProblemFactory(problem__course=world.course, problem__status="archived").problem,
        AlgorithmProblemFactory(problem__course=world.foreign_course).problem,
    )
    for number, problem in enumerate(hidden):
        Problem.objects.filter(pk=problem.pk).update(
            title=f"{CANARY}-title", slug=f"{CANARY}-{number}", statement=f"{CANARY}-statement"
        )
        ChapterProblem.objects.create(chapter=world.chapter, problem=problem, order=number + 10)
    for status in ("draft", "archived"):
        course = CourseFactory(
            organization=world.organization, status=status, title=f"{CANARY}-course", description=f"{CANARY}-course"
        )
        EnrollmentFactory(course=course, user=world.student)
        ChapterFactory(course=course, title=f"{CANARY}-chapter")
        ProblemFactory(course=course, title=f"{CANARY}-problem")
    return world


def addresses() -> Iterator[tuple[str, str]]:
    """Every route on every object there is, by name."""
    objects = {
        "course_id": [*Course.objects.values_list("pk", flat=True)],
        "chapter_id": [*ChapterProblem.objects.values_list("chapter_id", flat=True).distinct()],
        "problem_id": [*Problem.objects.values_list("pk", flat=True)],
        "test_set_id": [*TestSet.objects.values_list("pk", flat=True)],
        "enrollment_id": [*Enrollment.objects.values_list("pk", flat=True)],
    }
    for pattern in urlpatterns:
        name, arguments = str(pattern.name), list(pattern.pattern.converters)
        for pks in product(*(objects[argument] for argument in arguments)):
            yield name, reverse(name, kwargs=dict(zip(arguments, pks, strict=True)))


def queries(name: str) -> Iterator[str]:
    """Every value of every filter of a route, every pair of them, and parameters of other APIs."""
    filters = FILTERS[name].base_filters if name in FILTERS else ()
    single = [f"{filter_name}={value}" for filter_name in filters for value in VALUES[filter_name]]
    yield from chain(EXTRAS, single, (f"{one}&{two}" for one, two in combinations(single, 2)))


def answers(api: APIClient) -> Iterator[tuple[str, Any]]:
    for name, address in addresses():
        for method in ("options", "post", "patch", "delete"):
            yield f"{method} {address}", getattr(api, method)(address)
        shown = api.get(address)
        yield address, shown
        # Where there is nothing, parameters are not even read.
        if shown.status_code == 200:
            for query in queries(name):
                yield f"{address}?{query}", api.get(f"{address}?{query}")


def leak(api: APIClient) -> str | None:
    """The first answer with something in it that must not be there. A word the caller asked with is no news to them."""
    forbidden = (f"{CANARY}-", WEIGHT, "exam_only", "is_sample")
    for name, response in answers(api):
        text = response.content.decode() + " ".join(response.headers.values())
        if any(word in text for word in forbidden):
            return name
    return None


class TestCanaries:
    def test_a_student_meets_none(self, planted: World, api_as: ApiAs) -> None:
        api = api_as(planted.student)
        assert leak(api) is None
        # The samples are there, so the rest was kept back for a reason.
        shown = api.get(f"/api/v1/problems/{planted.problem.pk}/").json()
        assert shown["sample_tests"] == [{"input": "sample in", "expected_output": "sample out"}]

    def test_nor_do_members_and_strangers_of_this_course(self, planted: World, api_as: ApiAs) -> None:
        assert leak(api_as(planted.member)) is None

    def test_a_student_sees_exactly_these_fields(self, planted: World, api_as: ApiAs) -> None:
        shown = api_as(planted.student).get(f"/api/v1/problems/{planted.problem.pk}/").json()
        assert {*shown} == {
            *("id", "course", "type", "title", "slug", "statement", "difficulty", "algorithm", "sample_tests")
        }
        assert {*shown["algorithm"]} == {
            *("time_limit_ms", "memory_limit_mb", "entry_point", "checker", "languages", "starter_code")
        }

    def test_control_staff_meet_them(self, planted: World, api_as: ApiAs) -> None:
        api = api_as(planted.assistant)
        texts = "".join(api.get(address).content.decode() for _, address in addresses())
        for canary in (
            *("template", "option", "old", "input", "expected", "group", "earlier", "checker"),
            *("title", "statement"),
        ):
            assert f"{CANARY}-{canary}" in texts, canary
        assert WEIGHT in texts

    def test_control_a_serializer_for_staff_shown_to_students_is_noticed(
        self, planted: World, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            problem_views.shown, "ProblemForStudentSerializer", representations.ProblemForStaffSerializer
        )
        assert leak(api_as(planted.student)) is not None

    def test_control_samples_that_are_all_tests_are_noticed(
        self, planted: World, api_as: ApiAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(representations, "sample_tests", lambda problem: TestCase.objects.all())
        assert leak(api_as(planted.student)) is not None


def test_every_filter_has_values() -> None:
    assert {name for filterset in FILTERS.values() for name in filterset.base_filters} == {*VALUES}
    filtered = {pattern.name for pattern in urlpatterns if getattr(_view(pattern), "filterset_class", None)}
    assert filtered == {*FILTERS}


def _view(pattern: object) -> type:
    return pattern.callback.view_class  # type: ignore[attr-defined]
