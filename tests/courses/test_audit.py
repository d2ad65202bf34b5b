"""Every act of staff is written down with the change itself: neither is there without the other."""

import inspect
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from courses import services
from courses.authoring import AlgorithmSpec
from courses.models import (
    Attachment,
    Chapter,
    ChapterProblem,
    Course,
    CourseGroup,
    DueExtension,
    Enrollment,
    Invitation,
    Problem,
    TestSet,
    UnlockRequirement,
)
from courses.testdata import TestCaseSpec
from courses.testgroups import GroupSpec
from tests.accounts.factories import UserFactory
from tests.courses.conftest import World
from tests.courses.factories import (
    AttachmentFactory,
    ChapterFactory,
    ChapterProblemFactory,
    CourseFactory,
    CourseGroupFactory,
    DueExtensionFactory,
    EnrollmentFactory,
    InvitationFactory,
    ProblemFactory,
)
from tests.courses.zips import zip_of

SECRET = "hunter2"
UNQUOTED: dict[str, Any] = {
    "templates": {"python": f"{{{{{{ prelude }}}}}}\n{{{{{{ code }}}}}}\n{{{{{{ postlude }}}}}}\n# {SECRET}\n"},
    "preludes": {"python": f"# {SECRET}\n"},
    "postludes": {"python": f"# {SECRET}\n"},
}
# Not acts of staff: the judging itself does the one, students the other.
UNRECORDED = {
    *("testset_freeze", "answer_check", "draft_save", "draft_delete"),
    *("course_cache_replace", "enrollment_cache_replace", "enrollments_cache_replace"),
    *("progress_record", "progress_forget", "progress_recompute"),
}

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
    "chapter_move": (
        lambda w: services.chapter_move(
            actor=w.owner, chapter_id=w.chapter.pk, after=w.course.chapters.latest("pk").pk
        ),
        ["chapter.move"],
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
            actor=w.owner,
            chapter_id=w.chapter.pk,
            problem_id=w.problem.pk,
            after=w.chapter.placements.latest("pk").problem_id,
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
    "testcase_add": (
        lambda w: services.testcase_add(
            actor=w.owner, problem_id=w.problem.pk, test_case=TestCaseSpec(input=SECRET, expected_output=SECRET)
        ),
        ["testset.create"],
    ),
    "testcase_update": (
        lambda w: services.testcase_update(
            actor=w.owner, problem_id=w.problem.pk, order=0, based_on=1, expected_output=SECRET
        ),
        ["testset.create"],
    ),
    "testcase_remove": (
        lambda w: services.testcase_remove(actor=w.owner, problem_id=w.problem.pk, order=0, based_on=None),
        ["testset.create"],
    ),
    "testset_import": (
        lambda w: services.testset_import(
            actor=w.owner,
            problem_id=w.problem.pk,
            data=zip_of({"1.in": SECRET, "1.ans": SECRET}),
            is_appending=True,
            is_dry_run=False,
        ),
        ["testset.create"],
    ),
    "attachment_create": (
        lambda w: services.attachment_create(actor=w.owner, problem_id=w.problem.pk, name="a.txt", data=b"one"),
        ["attachment.create"],
    ),
    "attachment_delete": (
        lambda w: services.attachment_delete(actor=w.owner, attachment_id=Attachment.objects.get().pk),
        ["attachment.delete"],
    ),
    "problem_duplicate": (
        lambda w: services.problem_duplicate(actor=w.owner, problem_id=w.problem.pk),
        ["problem.duplicate"],
    ),
    "course_duplicate": (
        lambda w: services.course_duplicate(actor=w.owner, course_id=w.course.pk, title="Copy", slug="copy"),
        ["course.create", "course.duplicate"],
    ),
    "enrollment_create": (
        lambda w: services.enrollment_create(actor=w.owner, course_id=w.course.pk, user=UserFactory().username),
        ["enrollment.create", "membership.add"],
    ),
    "enrollment_update": (
        lambda w: services.enrollment_update(actor=w.owner, enrollment_id=_student(w), role="assistant"),
        ["enrollment.update"],
    ),
    "enrollment_join": (
        lambda w: services.enrollment_join(actor=w.owner, course_id=Course.objects.get(slug="open").pk),
        ["enrollment.join"],
    ),
    "enrollment_join_by_code": (
        lambda w: services.enrollment_join_by_code(
            actor=w.owner, code=w.course.invitations.get().code, received_at=timezone.now()
        ),
        ["enrollment.join"],
    ),
    "enrollment_leave": (
        lambda w: services.enrollment_leave(actor=w.owner, course_id=Course.objects.get(slug="attended").pk),
        ["enrollment.leave"],
    ),
    "roster_import": (
        lambda w: services.roster_import(
            actor=w.owner, course_id=w.course.pk, rows=[{"user": w.member.username}], is_dry_run=False
        ),
        ["enrollment.import"],
    ),
    "coursegroup_create": (
        lambda w: services.coursegroup_create(actor=w.owner, course_id=w.course.pk, name="A"),
        ["coursegroup.create"],
    ),
    "coursegroup_update": (
        lambda w: services.coursegroup_update(actor=w.owner, group_id=w.course.groups.get().pk, name="New"),
        ["coursegroup.update"],
    ),
    "coursegroup_delete": (
        lambda w: services.coursegroup_delete(actor=w.owner, group_id=w.course.groups.get().pk),
        ["coursegroup.delete"],
    ),
    "invitation_create": (
        lambda w: services.invitation_create(actor=w.owner, course_id=w.course.pk, uses_max=3),
        ["invitation.create"],
    ),
    "invitation_revoke": (
        lambda w: services.invitation_revoke(actor=w.owner, invitation_id=w.course.invitations.get().pk),
        ["invitation.revoke"],
    ),
    "chapter_unlocking_update": (
        lambda w: services.chapter_unlocking_update(
            actor=w.owner,
            chapter_id=w.chapter.pk,
            requires=[("problem", w.draft.pk)],
            mode="any",
            unlock_at=timezone.now() + timedelta(days=1),
            due_at=timezone.now() + timedelta(days=2),
        ),
        ["chapter.unlocking"],
    ),
    "problem_unlocking_update": (
        lambda w: services.problem_unlocking_update(
            actor=w.owner,
            problem_id=w.draft.pk,
            requires=[("chapter", w.chapter.pk)],
            mode="all",
            unlock_at=None,
            due_at=None,
        ),
        ["problem.unlocking"],
    ),
    "dueextension_create": (
        lambda w: services.dueextension_create(
            actor=w.owner,
            enrollment_id=_student(w),
            target=("problem", Problem.objects.get(slug="due").pk),
            due_at=timezone.now() + timedelta(days=9),
        ),
        ["dueextension.create"],
    ),
    "dueextension_delete": (
        lambda w: services.dueextension_delete(actor=w.owner, extension_id=DueExtension.objects.get().pk),
        ["dueextension.delete"],
    ),
    "enrollment_remove": (
        lambda w: services.enrollment_remove(actor=w.owner, enrollment_id=_student(w)),
        ["enrollment.remove"],
    ),
    "gradebook_export_record": (
        lambda w: services.gradebook_export_record(actor=w.owner, course_id=w.course.pk, kind="csv"),
        ["gradebook.export"],
    ),
}
MODELS = (
    *(UnlockRequirement, DueExtension, Attachment),
    *(Course, Chapter, ChapterProblem, Problem, TestSet, Enrollment, CourseGroup, Invitation),
)
SERVICE_MODULES = [
    module
    for name, module in sys.modules.items()
    if name.startswith("courses.services.") and hasattr(module, "audit_record")
]


@pytest.fixture(autouse=True)
def siblings(world: World) -> None:
    """What chapters and placements can be moved after, and other things to act on."""
    AttachmentFactory(problem=world.problem)
    ChapterFactory(course=world.course)
    ChapterProblemFactory(chapter=world.chapter)
    CourseGroupFactory(course=world.course)
    InvitationFactory(course=world.course)
    ProblemFactory(course=world.course, slug="due", due_at=timezone.now())
    DueExtensionFactory(enrollment=EnrollmentFactory(course=world.course), problem=Problem.objects.get(slug="due"))
    CourseFactory(organization=world.organization, slug="open", is_open=True)
    EnrollmentFactory(course__organization=world.organization, course__slug="attended", user=world.owner)


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
        services.enrollment_update(actor=world.owner, enrollment_id=_student(world), role="student")
        assert not AuditEvent.objects.exists()
