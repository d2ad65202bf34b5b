"""Words planted in everything that students must not see, each telling by its name where it stood."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.audit import audit_record
from accounts.models import User
from courses.models import (
    AlgorithmProblem,
    Course,
    Enrollment,
    Problem,
    ProblemProgress,
    TestCase,
    TestSet,
)
from courses.testgroups import GroupSpec, group_as_json
from executor.models import Judgement, Submission, TestResult
from tests.authorization.world import World
from tests.courses.factories import (
    AlgorithmProblemFactory,
    AttachmentFactory,
    ChapterFactory,
    ChapterProblemFactory,
    ChoiceProblemFactory,
    CodeDraftFactory,
    CourseFactory,
    CourseGroupFactory,
    DueExtensionFactory,
    EnrollmentFactory,
    FillBlankProblemFactory,
    InvitationFactory,
    PracticeAnswerFactory,
    ProblemFactory,
    TestCaseFactory,
    TestSetFactory,
    UnlockRequirementFactory,
)
from tests.executor.factories import JudgementFactory, ReferenceSolutionFactory, SubmissionFactory

CANARY = "zqcanary"
# Codes have an alphabet of their own, and are shown in groups.
CODE = "ZQCANARY0123456789AB"
NUMBERS = ("731.937", "271.828")
# What a planted word begins with, in any spelling in which it could come out.
FORBIDDEN = (f"{CANARY}-", "zqcanary0123", "zqcan-ary01", *NUMBERS)


def mark(kind: str) -> str:
    """The word planted in what this kind names, such as `hidden-input`. `CANARY` alone may be asked with."""
    return f"{CANARY}-{kind}"


# What the staff of the course do meet: so what is planted can be found where somebody may see it.
MET_BY_STAFF = (
    *("template", "prelude", "postlude", "option", "old-input", "hidden-input", "hidden-expected", "test-group"),
    *("checker", "notes", "accepted", "regex", "group", "solution", "solution-name", "answer", "reason"),
    *("draft-title", "draft-statement", "draft-slug", "exam_only-title", "archived-title", "scheduled-title"),
    *("chapter-title", "chapter-description", "locked-statement", "locked-chapter", "locked-sample", "file"),
    *("locked-option", "locked-text", "locked-starter", "submission", "hidden-stdout", "judge-message", "name"),
)


def plant(world: World) -> None:
    """Put a marked word wherever the student of a course must not look."""
    _problem_of_the_course(world)
    _keys(world)
    _hidden_problems(world)
    _locked(world)
    _other_people(world)
    _judged(world)
    _other_courses(world)


def _problem_of_the_course(world: World) -> None:
    Problem.objects.filter(course=world.course).update(author_notes=mark("notes"))
    AlgorithmProblem.objects.filter(problem=world.problem).update(
        templates={"python": mark("template")},
        preludes={"python": mark("prelude")},
        postludes={"python": mark("postlude")},
        checker_options={"unit": mark("option")},
        value_encoding="python-literal",
    )
    old = world.test_set
    TestSet.objects.filter(pk=old.pk).update(version=0)
    TestCase.objects.filter(test_set=old).update(input=mark("old-input"), expected_output=mark("old-expected"))
    newest = TestSetFactory(
        problem=world.problem,
        version=2,
        groups=[group_as_json(GroupSpec(name=mark("test-group")))],
        checker_language="python",
        checker_source=f"# {mark('checker')}",
    )
    TestCaseFactory(test_set=newest, order=0, is_sample=True, input="sample in", expected_output="sample out")
    TestCaseFactory(
        test_set=newest,
        order=1,
        input=mark("hidden-input"),
        expected_output=mark("hidden-expected"),
        weight=NUMBERS[0],
        group=mark("test-group"),
    )
    ReferenceSolutionFactory(
        problem=world.problem,
        name=mark("solution-name"),
        author=world.users["instructor"],
        files=[{"name": "main.py", "content": f"# {mark('solution')}"}],
        submission=SubmissionFactory(
            problem=world.problem,
            user=world.users["instructor"],
            purpose="verify",
            files=[{"name": "main.py", "content": f"# {mark('solution')}"}],
        ),
    )


def _keys(world: World) -> None:
    """A student sees these problems, and answers them; what is right is staff's."""
    blanks = [
        {"accepted": [mark("accepted")], "score": "2"},
        {"accepted": [f"{mark('regex')}.*"], "match": "regex"},
        {"accepted": [NUMBERS[1]], "match": "number", "tolerance": NUMBERS[0]},
    ]
    problem = FillBlankProblemFactory(
        problem__course=world.course, problem__author_notes=mark("notes"), text="{{1}} {{2}} {{3}}", blanks=blanks
    ).problem
    PracticeAnswerFactory(problem=problem, user=world.users["student"], answer={"blanks": ["mine", "", ""]})
    for user in (world.users["peer"], world.users["instructor"]):
        PracticeAnswerFactory(problem=problem, user=user, answer={"blanks": [mark("answer"), "", ""]})


def _hidden_problems(world: World) -> None:
    """Out of sight, though they stand in a chapter that is seen, and open ones wait for them."""
    later = timezone.now() + timedelta(days=3)
    hidden: dict[str, dict[str, Any]] = {
        "draft": {"status": "draft"},
        "archived": {"status": "archived"},
        "exam_only": {"audience": "exam_only"},
        "scheduled": {"published_from": later},
        "over": {"published_until": timezone.now() - timedelta(days=3)},
    }
    for kind, state in hidden.items():
        problem = AlgorithmProblemFactory(
            problem__course=world.course,
            problem__title=mark(f"{kind}-title"),
            problem__slug=mark(f"{kind}-slug"),
            problem__statement=mark(f"{kind}-statement"),
            tests=[(mark(f"{kind}-sample"), mark(f"{kind}-sample"))],
            **{f"problem__{name}": value for name, value in state.items()},
        ).problem
        ChapterProblemFactory(chapter=world.chapter, problem=problem)
        AttachmentFactory(problem=problem, name=f"{mark('file')}.txt", data=mark(f"{kind}-file").encode())
        UnlockRequirementFactory(course=world.course, problem=world.unplaced, required_problem=problem)
        SubmissionFactory(problem=problem, user=world.users["peer"])
    chapter = ChapterFactory(
        course=world.course, status="draft", title=mark("chapter-title"), description=mark("chapter-description")
    )
    ChapterProblemFactory(chapter=chapter, problem=world.unplaced)
    UnlockRequirementFactory(course=world.course, problem=world.unplaced, required_chapter=chapter)


def _locked(world: World) -> None:
    """In sight by their titles alone."""
    later = timezone.now() + timedelta(days=3)
    common = {"problem__course": world.course, "problem__unlock_at": later}
    told = {**common, "problem__statement": mark("locked-statement")}
    locked = [
        AlgorithmProblemFactory(
            **told, starter_code={"python": mark("locked-starter")}, tests=[(mark("locked-sample"), "1")]
        ).problem,
        ChoiceProblemFactory(**told, options=[mark("locked-option"), "b", "c", "d"]).problem,
        FillBlankProblemFactory(**told, text=f"{mark('locked-text')} {{{{1}}}} {{{{2}}}}").problem,
    ]
    chapter = ChapterFactory(course=world.course, unlock_at=later, description=mark("locked-chapter"))
    inside = ProblemFactory(course=world.course, statement=mark("locked-statement"))
    ChapterProblemFactory(chapter=chapter, problem=inside)
    for problem in (*locked, inside):
        AttachmentFactory(problem=problem, name=f"{mark('file')}.txt", data=mark("locked-file").encode())


def _other_people(world: World) -> None:
    for role, user in [*world.users.items(), ("plain", world.plain_member)]:
        if role != "student":
            User.objects.filter(pk=user.pk).update(
                display_name=mark("name"),
                first_name=mark("first"),
                last_name=mark("last"),
                email=f"{mark('mail')}-{role}@example.org",
            )
    for role in ("peer", "instructor", "foreign"):
        User.objects.filter(pk=world.users[role].pk).update(username=mark(f"username-{role}"))
    group = CourseGroupFactory(course=world.course, name=mark("group"))
    InvitationFactory(course=world.course, code=CODE, group=group)
    peer = Enrollment.objects.get(course=world.course, user=world.users["peer"])
    for enrollment in (world.enrollment, peer):
        Enrollment.objects.filter(pk=enrollment.pk).update(group=group)
        DueExtensionFactory(enrollment=enrollment, problem=world.problem, due_at=timezone.now(), reason=mark("reason"))
    CodeDraftFactory(user=world.users["peer"], problem=world.problem, code=mark("code-draft"))
    SubmissionFactory(
        problem=world.problem,
        user=world.users["peer"],
        files=[{"name": "main.py", "content": f"# {mark('submission')}"}],
    )
    ProblemProgress.objects.create(enrollment=peer, problem=world.problem)
    audit_record(
        actor=world.users["instructor"],
        action="course.update",
        target=world.course,
        organization_id=world.organization.pk,
        changes={"title": [mark("audit"), mark("audit")]},
    )


def _judged(world: World) -> None:
    """The student's own submission, with what its judging found out and only staff may know."""
    judgement = JudgementFactory(submission=world.submission, number=2, state="done", verdict="wrong_answer", score=50)
    Judgement.objects.filter(pk=judgement.pk).update(fault=mark("fault"))
    Submission.objects.filter(pk=world.submission.pk).update(
        current_judgement=judgement, status="wrong_answer", score=50
    )
    for test_case in TestCase.objects.filter(test_set=judgement.test_set):
        told = test_case.is_sample
        TestResult.objects.create(
            judgement=judgement,
            test_case=test_case,
            order=test_case.order,
            verdict="accepted" if told else "wrong_answer",
            stdout="mine" if told else mark("hidden-stdout"),
            stderr="" if told else mark("hidden-stderr"),
            message="" if told else mark("hidden-message"),
            judge_message=mark("judge-message"),
        )


def _other_courses(world: World) -> None:
    """Courses that the student is in but does not see, left, or was never in."""
    student = world.users["student"]
    states: dict[str, dict[str, Any]] = {
        "draft-course": {"status": "draft"},
        "archived-course": {"status": "archived"},
        "over-course": {"published_until": timezone.now() - timedelta(days=1)},
        "left-course": {},
        "never-course": {},
    }
    for kind, state in states.items():
        course = CourseFactory(
            organization=world.organization, title=mark(kind), slug=mark(kind), description=mark(kind), **state
        )
        ChapterFactory(course=course, title=mark(kind), description=mark(kind))
        problem = AlgorithmProblemFactory(
            problem__course=course, problem__title=mark(kind), problem__statement=mark(kind)
        ).problem
        if kind != "never-course":
            left_at = timezone.now() if kind == "left-course" else None
            EnrollmentFactory(course=course, user=student, left_at=left_at)
        if kind in ("left-course", "never-course"):
            SubmissionFactory(problem=problem, user=world.users["peer"])
    foreign = Course.objects.exclude(organization=world.organization).get()
    Course.objects.filter(pk=foreign.pk).update(title=mark("foreign"), description=mark("foreign"), is_open=True)
    type(foreign.organization).objects.filter(pk=foreign.organization_id).update(name=mark("foreign"))
    ProblemFactory(course=foreign, title=mark("foreign"), statement=mark("foreign"))
