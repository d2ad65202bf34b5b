"""Who gets which answer from every route: the table that the tests hold the whole API against.

A row is a route's name, a method, a body that would be granted, and the status of each role in the order of `ROLES`:

    anonymous stranger foreign member student peer assistant instructor admin owner
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.services import token_obtain
from tests.authorization.world import PASSWORD, ROLES, World
from tests.courses.zips import zip_of
from tests.executor.factories import DOUBLE

Body = Callable[[World], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One route and method. `hidden_with_course`: outside a published course its students fare like plain members."""

    route: str
    method: str
    statuses: tuple[int, ...]
    body: Body | None = None
    hidden_with_course: bool = False
    # Statuses of those who may act, where the course's state itself forbids the act.
    when_archived: int | None = None
    # The status of everybody who is signed in, while the course is not published.
    unless_published: int | None = None
    # How the body is sent, where not as JSON.
    format: str | None = None
    # The service must commit by itself and refuses to run inside a transaction: its effects stay.
    is_durable: bool = False
    # Arguments of the address, where they are not the usual ones of the world.
    arguments: Body | None = None

    def expected(self, role: str, state: str) -> int:
        """The status this role gets while the course is in this state."""
        if self.unless_published is not None and state != "published" and role != "anonymous":
            return self.unless_published
        if self.hidden_with_course and state != "published" and role in ("student", "peer"):
            role = "member"
        status = self.statuses[ROLES.index(role)]
        if state == "archived" and self.when_archived is not None and status < 300:
            return self.when_archived
        return status


def row(route: str, method: str, statuses: str, body: Body | None = None, **more: Any) -> Row:
    """A row with its statuses as text; one number stands for all roles."""
    numbers = tuple(int(word) for word in statuses.split())
    return Row(
        route=route, method=method, statuses=numbers * len(ROLES) if len(numbers) == 1 else numbers, body=body, **more
    )


def course_row(route: str, method: str, statuses: str, body: Body | None = None, **more: Any) -> Row:
    """A row of a route inside a course."""
    return row(route, method, statuses, body, hidden_with_course=True, **more)


def _tokens(world: World) -> dict[str, Any]:
    pair = token_obtain(name=world.plain_member.username, password=PASSWORD)
    return {"refresh": pair.refresh}


def roster() -> SimpleUploadedFile:
    return SimpleUploadedFile("roster.csv", b"user\nnobody\n")


def new_file() -> SimpleUploadedFile:
    """A file under a name that none has had before."""
    return SimpleUploadedFile(f"{uuid4()}.txt", b"one\n")


def tests_zip() -> SimpleUploadedFile:
    return SimpleUploadedFile("tests.zip", zip_of({"1.in": "1\n", "1.ans": "2\n"}))


def problem_table() -> SimpleUploadedFile:
    return SimpleUploadedFile("problems.csv", b"slug,title\nnew,New\n")


def _unlocking(world: World) -> dict[str, Any]:
    return {"requires": [{"problem": world.unplaced.pk}], "mode": "all", "unlock_at": None, "due_at": None}


#                     anon strg forg memb stud peer asst inst admn ownr
EVERYBODY = "200"
SIGNED_IN = "          401  200  200  200  200  200  200  200  200  200"
CREATE_SIGNED_IN = "   401  201  201  201  201  201  201  201  201  201"
IN_ORGANIZATION = "    401  404  404  200  200  200  200  200  200  200"
ORG_ADMINS = "         401  404  404  403  403  403  403  403  200  200"
ORG_ADMINS_CREATE = "  401  404  404  403  403  403  403  403  201  201"
ORG_ADMINS_DELETE = "  401  404  404  403  403  403  403  403  204  204"
IN_COURSE = "          401  404  404  404  200  200  200  200  200  200"
STAFF = "              401  404  404  404  403  403  200  200  200  200"
STAFF_CREATE = "       401  404  404  404  403  403  201  201  201  201"
STAFF_DELETE = "       401  404  404  404  403  403  204  204  204  204"
SUBMITTERS = "         401  404  404  404  202  202  202  202  202  202"
STAFF_ALONE = "        401  404  404  404  404  404  200  200  200  200"
STAFF_ALONE_DELETE = " 401  404  404  404  404  404  204  204  204  204"
OWN_OR_STAFF = "       401  404  404  404  200  404  200  200  200  200"

MATRIX: tuple[Row, ...] = (
    row("healthz", "get", EVERYBODY),
    row("readyz", "get", EVERYBODY),
    row("metrics", "get", EVERYBODY),
    row("schema", "get", EVERYBODY),
    row("docs", "get", EVERYBODY),
    # accounts
    row("token-obtain", "post", "200", lambda w: {"username": w.plain_member.username, "password": PASSWORD}),
    row("token-refresh", "post", "200", _tokens, is_durable=True),
    row("logout", "post", "204", _tokens),
    row(
        "register", "post", "201", lambda w: {"username": "newcomer", "email": "new@example.org", "password": PASSWORD}
    ),
    row("me", "get", SIGNED_IN),
    row("me", "patch", SIGNED_IN, lambda w: {"display_name": "Somebody"}),
    row(
        "me-password",
        "post",
        "401  204  204  204  204  204  204  204  204  204",
        lambda w: {"current_password": PASSWORD, "new_password": PASSWORD + " 2"},
    ),
    row("organization-list", "get", SIGNED_IN),
    row("organization-detail", "get", IN_ORGANIZATION),
    row("member-list", "get", ORG_ADMINS),
    row("member-list", "post", ORG_ADMINS_CREATE, lambda w: {"user": w.users["stranger"].username}),
    row("member-detail", "patch", ORG_ADMINS, lambda w: {"role": "admin"}),
    row("member-detail", "delete", ORG_ADMINS_DELETE),
    # courses
    row("course-list", "get", SIGNED_IN),
    row(
        "course-list",
        "post",
        "401  404  404  403  403  403  403  403  201  201",
        lambda w: {"organization": w.organization.pk, "title": "New", "slug": "new"},
    ),
    course_row("course-detail", "get", IN_COURSE),
    course_row("course-detail", "patch", STAFF, lambda w: {"title": "Renamed"}),
    course_row("course-outline", "get", IN_COURSE),
    course_row("course-next-problem", "get", IN_COURSE),
    course_row("chapter-unlocking", "get", STAFF),
    course_row("chapter-unlocking", "put", STAFF, _unlocking),
    course_row("problem-unlocking", "get", STAFF),
    course_row("problem-unlocking", "put", STAFF, _unlocking),
    row("extension-list", "get", "401 404 404 404 403 404 200 200 200 200"),
    row(
        "extension-list",
        "post",
        "401 404 404 404 403 404 201 201 201 201",
        lambda w: {"problem": w.problem.pk, "due_at": "2099-12-31T00:00:00Z"},
    ),
    row("extension-detail", "delete", STAFF_ALONE_DELETE),
    course_row("chapter-list", "get", IN_COURSE),
    course_row("chapter-list", "post", STAFF_CREATE, lambda w: {"title": "New"}),
    course_row("chapter-detail", "get", IN_COURSE),
    course_row("chapter-detail", "patch", STAFF, lambda w: {"title": "Renamed"}),
    course_row("chapter-detail", "delete", STAFF_DELETE),
    course_row("chapter-move", "post", STAFF, lambda w: {"after": None}),
    course_row("placement-list", "post", STAFF_CREATE, lambda w: {"problem": w.unplaced.pk}),
    course_row("placement-detail", "patch", STAFF, lambda w: {"after": None}),
    course_row("placement-detail", "delete", STAFF_DELETE),
    course_row("problem-list", "get", IN_COURSE),
    course_row("problem-list", "post", STAFF_CREATE, lambda w: {"title": "New", "slug": "new", "algorithm": {}}),
    course_row("problem-import", "post", STAFF, lambda w: {"file": problem_table()}, format="multipart"),
    course_row("problem-export", "get", STAFF),
    course_row("problem-detail", "get", IN_COURSE),
    course_row("problem-detail", "patch", STAFF, lambda w: {"title": "Renamed"}),
    # 409: it has a submission, which is never deleted with it.
    course_row("problem-detail", "delete", "401  404  404  404  403  403  409  409  409  409"),
    course_row(
        "problem-check",
        "post",
        IN_COURSE,
        lambda w: {"answer": {"chosen": ["A"]}},
        arguments=lambda w: {"problem_id": w.choice.pk},
        when_archived=409,
    ),
    course_row("answer-list", "get", IN_COURSE, arguments=lambda w: {"problem_id": w.fillblank.pk}),
    course_row("attachment-list", "get", IN_COURSE),
    course_row(
        "attachment-list", "post", STAFF_CREATE, lambda w: {"file": new_file()}, format="multipart", is_durable=True
    ),
    course_row("attachment-detail", "get", IN_COURSE),
    course_row("attachment-detail", "delete", STAFF_DELETE),
    course_row("problem-duplicate", "post", STAFF_CREATE, lambda w: {}),
    # Courses are the organization's.
    course_row(
        "course-duplicate",
        "post",
        "401  404  404  404  403  403  403  403  201  201",
        lambda w: {"title": "Copy", "slug": "copy"},
    ),
    course_row("testcase-list", "get", STAFF),
    course_row("testcase-list", "post", STAFF_CREATE, lambda w: {"input": "1", "expected_output": "2"}),
    course_row("testcase-detail", "patch", STAFF, lambda w: {"input": "3"}),
    course_row("testcase-detail", "delete", STAFF),
    course_row("testset-import", "post", STAFF, lambda w: {"file": tests_zip()}, format="multipart"),
    course_row("testset-list", "get", STAFF),
    course_row(
        "testset-list", "post", STAFF_CREATE, lambda w: {"test_cases": [{"input": "1", "expected_output": "2"}]}
    ),
    course_row("testset-detail", "get", "401  404  404  404  404  404  200  200  200  200"),
    course_row("enrollment-list", "get", STAFF),
    course_row("enrollment-list", "post", STAFF_CREATE, lambda w: {"user": w.users["stranger"].username}),
    row("enrollment-detail", "patch", "401 404 404 404 403 404 200 200 200 200", lambda w: {"role": "student"}),
    row("enrollment-detail", "delete", "401 404 404 404 403 404 204 204 204 204"),
    row("course-catalog", "get", SIGNED_IN),
    # 409: they are in the course already.
    row(
        "course-join-by-code",
        "post",
        "401  201  201  201  409  409  409  409  201  201",
        lambda w: {"code": w.invitation.code},
        unless_published=404,
    ),
    # 409: the course is not open, or they are in it.
    course_row("course-join", "post", "401  404  404  404  409  409  409  409  409  409"),
    row("course-leave", "post", "401  404  404  404  204  204  204  204  404  404"),
    course_row("roster-import", "post", STAFF, lambda w: {"file": roster()}, format="multipart"),
    course_row("group-list", "get", STAFF),
    course_row("group-list", "post", STAFF_CREATE, lambda w: {"name": "New"}),
    row("group-detail", "get", STAFF_ALONE),
    row("group-detail", "patch", STAFF_ALONE, lambda w: {"name": "Renamed"}),
    row("group-detail", "delete", STAFF_ALONE_DELETE),
    course_row("invitation-list", "get", STAFF),
    course_row("invitation-list", "post", STAFF_CREATE, lambda w: {}),
    row("invitation-detail", "get", STAFF_ALONE),
    row("invitation-detail", "delete", STAFF_ALONE_DELETE),
    course_row("gradebook", "get", STAFF),
    course_row("gradebook-export", "get", STAFF),
    course_row("progress-list", "get", IN_COURSE),
    course_row("draft-list", "get", IN_COURSE),
    course_row("draft-detail", "get", "401  404  404  404  200  404  404  404  404  404"),
    course_row("draft-detail", "put", IN_COURSE, lambda w: {"code": DOUBLE, "version": 0}),
    course_row("draft-detail", "delete", "401  404  404  404  204  204  204  204  204  204"),
    # executor
    row("submission-list", "get", SIGNED_IN),
    course_row(
        "submission-list",
        "post",
        SUBMITTERS,
        lambda w: {"problem": w.problem.pk, "language": "python", "code": DOUBLE},
        when_archived=409,
    ),
    row("submission-detail", "get", OWN_OR_STAFF),
    row("submission-events", "get", OWN_OR_STAFF),
    row("stream-ticket-list", "post", CREATE_SIGNED_IN),
    row("queue-status", "get", SIGNED_IN),
    row("submission-rejudge", "post", "401  404  404  404  403  404  202  202  202  202"),
    row("judgement-list", "get", "401  404  404  404  403  404  200  200  200  200"),
    course_row("problem-rejudge", "post", "401  404  404  404  403  403  202  202  202  202", lambda w: {}),
    course_row(
        "problem-run-samples",
        "post",
        IN_COURSE,
        lambda w: {"language": "python", "code": DOUBLE},
        when_archived=409,
    ),
    course_row("problem-wrapped", "post", STAFF, lambda w: {"language": "python", "code": DOUBLE}),
    course_row("solution-list", "get", STAFF),
    course_row("solution-list", "post", STAFF_CREATE, lambda w: {"language": "python", "code": DOUBLE}),
    row("solution-detail", "get", STAFF_ALONE),
    row("solution-detail", "patch", STAFF_ALONE, lambda w: {"expected_verdict": "wrong_answer"}),
    row("solution-detail", "delete", STAFF_ALONE_DELETE),
    row("solution-verify", "post", "401  404  404  404  404  404  202  202  202  202"),
    row("run-list", "post", SIGNED_IN, lambda w: {"language": "python", "code": "print(1)"}),
    row("language-list", "get", SIGNED_IN),
)
