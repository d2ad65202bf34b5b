"""Every act of staff is written down with the change itself: neither is there without the other."""

import inspect
import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AuditEvent
from courses import services
from courses.authoring import AlgorithmSpec
from courses.models import Chapter, ChapterProblem, Course, Enrollment, Problem, TestSet
from courses.services import chapter, course, enrollment, problem, testset
from courses.testdata import TestCaseSpec
from courses.testgroups import GroupSpec
from tests.accounts.factories import UserFactory
from tests.courses.conftest import World

SECRET = "hunter2"
UNQUOTED: dict[str, Any] = {
    "templates": {"python": f"{{{{{{ prelude }}}}}}\n{{{{{{ code }}}}}}\n{{{{{{ postlude }}}}}}\n# {SECRET}\n"},
    "preludes": {"python": f"# {SECRET}\n"},
    "postludes": {"python": f"# {SECRET}\n"},
}
# Not an act of staff: the judging itself does it.
UNRECORDED = {"testset_freeze"}

Act = Callable[[World], Any]


def _student(world: World) -> int:
    return Enrollment.objects.get(user=world.student).pk


ACTS: dict[str, tuple[Act, list[str]]] = {
    "course_create": (
        lambda w: services.course_create(actor=w.owner, organization_id=w.organization.pk, title="A", slug="a"),
        ["course.create"],
    ),
    "course_update": (
        lambda w: services.course_update(actor=w.owner, course_id=w.course.pk, title="New"),
        ["course.update"],
    ),
    "course_archive": (
        lambda w: services.course_archive(actor=w.owner, course_id=w.course.pk),
        ["course.archive"],
    ),
    "chapter_create": (
        lambda w: services.chapter_create(actor=w.owner, course_id=w.course.pk, title="A"),
        ["chapter.create"],
    ),
    "chapter_update": (
        lambda w: services.chapter_update(actor=w.owner, chapter_id=w.chapter.pk, title="New"),
        ["chapter.update"],
    ),
    "chapter_delete": (
        lambda w: services.chapter_delete(actor=w.owner, chapter_id=w.chapter.pk),
        ["chapter.delete"],
    ),
    "chapterproblem_place": (
        lambda w: services.chapterproblem_place(actor=w.owner, chapter_id=w.chapter.pk, problem_id=w.draft.pk),
        ["chapterproblem.place"],
    ),
    "chapterproblem_move": (
        lambda w: services.chapterproblem_move(
            actor=w.owner, chapter_id=w.chapter.pk, problem_id=w.problem.pk, order=99
        ),
        ["chapterproblem.move"],
    ),
    "chapterproblem_remove": (
        lambda w: services.chapterproblem_remove(actor=w.owner, chapter_id=w.chapter.pk, problem_id=w.problem.pk),
        ["chapterproblem.remove"],
    ),
    "problem_create": (
        lambda w: services.problem_create(
            actor=w.owner,
            course_id=w.course.pk,
            title="A",
            slug="a",
            algorithm=AlgorithmSpec(
                templates=UNQUOTED["templates"], preludes=UNQUOTED["preludes"], postludes=UNQUOTED["postludes"]
            ),
        ),
        ["problem.create"],
    ),
    "problem_update": (
        lambda w: services.problem_update(
            actor=w.owner,
            problem_id=w.problem.pk,
            title="New",
            algorithm={
                "templates": UNQUOTED["templates"],
                "preludes": UNQUOTED["preludes"],
                "postludes": UNQUOTED["postludes"],
                "time_limit_ms": 100,
            },
        ),
        ["problem.update"],
    ),
    "problem_archive": (
        lambda w: services.problem_archive(actor=w.owner, problem_id=w.problem.pk),
        ["problem.archive"],
    ),
    "problem_delete": (
        lambda w: services.problem_delete(actor=w.owner, problem_id=w.problem.pk),
        ["problem.delete"],
    ),
    "testset_create": (
        lambda w: services.testset_create(
            actor=w.owner,
            problem_id=w.problem.pk,
            test_cases=[TestCaseSpec(input=SECRET, expected_output=SECRET, group=SECRET)],
            groups=[GroupSpec(name=SECRET)],
        ),
        ["testset.create"],
    ),
    "enrollment_create": (
        lambda w: services.enrollment_create(actor=w.owner, course_id=w.course.pk, user=UserFactory().username),
        ["enrollment.create", "membership.add"],
    ),
    "enrollment_update_role": (
        lambda w: services.enrollment_update_role(actor=w.owner, enrollment_id=_student(w), role="assistant"),
        ["enrollment.update_role"],
    ),
    "enrollment_remove": (
        lambda w: services.enrollment_remove(actor=w.owner, enrollment_id=_student(w)),
        ["enrollment.remove"],
    ),
}
MODELS = (Course, Chapter, ChapterProblem, Problem, TestSet, Enrollment)
SERVICE_MODULES = (chapter, course, enrollment, problem, testset)


def rows() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in MODELS]


def test_every_service_is_listed() -> None:
    assert {*services.__all__} == {*ACTS} | UNRECORDED
    acting = {name for name in services.__all__ if "actor" in inspect.signature(getattr(services, name)).parameters}
    assert acting == {*ACTS}


@pytest.mark.parametrize("name", ACTS)
class TestEveryAct:
    def test_is_recorded(self, world: World, name: str) -> None:
        act, actions = ACTS[name]
        act(world)
        events = list(AuditEvent.objects.order_by("pk"))
        assert [event.action for event in events] == actions
        for event in events:
            assert (event.actor, event.organization) == (world.owner, world.organization)
            assert event.target_id != "None"
            assert event.changes
            assert all(isinstance(pair, list) and len(pair) == 2 for pair in event.changes.values())
        assert SECRET not in json.dumps([event.changes for event in events])

    def test_is_undone_where_it_cannot_be_recorded(
        self, world: World, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(**kwargs: Any) -> None:
            raise RuntimeError("no audit")

        before = rows()
        for module in SERVICE_MODULES:
            monkeypatch.setattr(module, "audit_record", fail)
        with pytest.raises(RuntimeError, match="no audit"):
            ACTS[name][0](world)
        assert rows() == before
        assert not AuditEvent.objects.exists()


class TestWhatIsRecorded:
    def test_before_and_after(self, world: World) -> None:
        services.course_update(actor=world.owner, course_id=world.course.pk, title="New", status="published")
        event = AuditEvent.objects.get()
        assert event.changes == {"title": [world.course.title, "New"]}
        assert (event.target_type, event.target_id) == ("courses.course", str(world.course.pk))

    def test_templates_and_tests_are_named(self, world: World) -> None:
        ACTS["problem_update"][0](world)
        changes = AuditEvent.objects.get().changes
        for name in UNQUOTED:
            assert changes[f"algorithm.{name}"] == ["(not quoted)", "(not quoted)"]
        assert changes["algorithm.time_limit_ms"] == [2000, 100]

    def test_nothing_where_nothing_changed(self, world: World) -> None:
        services.course_update(actor=world.owner, course_id=world.course.pk, title=world.course.title)
        services.chapter_update(actor=world.owner, chapter_id=world.chapter.pk)
        services.problem_update(actor=world.owner, problem_id=world.problem.pk, algorithm={"time_limit_ms": 2000})
        services.enrollment_update_role(actor=world.owner, enrollment_id=_student(world), role="student")
        assert not AuditEvent.objects.exists()
