"""Who gets which answer from every route: the table that the tests hold the whole API against.

A row is a route's name, a method, a body that would be granted, and the status of each role in the order of `ROLES`:

    anonymous stranger foreign member student peer assistant instructor admin owner
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.services import token_obtain
from tests.authorization.world import PASSWORD, ROLES, World
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
    # The service must commit by itself and refuses to run inside a transaction: its effects stay.
    is_durable: bool = False

    def expected(self, role: str, state: str) -> int:
        """The status this role gets while the course is in this state."""
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
OWN_OR_STAFF = "       401  404  404  404  200  404  200  200  200  200"

MATRIX: tuple[Row, ...] = (
    row("healthz", "get", EVERYBODY),
    row("readyz", "get", EVERYBODY),
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
    course_row("chapter-list", "get", IN_COURSE),
    course_row("chapter-list", "post", STAFF_CREATE, lambda w: {"title": "New"}),
    course_row("chapter-detail", "get", IN_COURSE),
    course_row("chapter-detail", "patch", STAFF, lambda w: {"title": "Renamed"}),
    course_row("chapter-detail", "delete", STAFF_DELETE),
    course_row("placement-list", "post", STAFF_CREATE, lambda w: {"problem": w.unplaced.pk}),
    course_row("placement-detail", "patch", STAFF, lambda w: {"order": 7}),
    course_row("placement-detail", "delete", STAFF_DELETE),
    course_row("problem-list", "get", IN_COURSE),
    course_row("problem-list", "post", STAFF_CREATE, lambda w: {"title": "New", "slug": "new", "algorithm": {}}),
    course_row("problem-detail", "get", IN_COURSE),
    course_row("problem-detail", "patch", STAFF, lambda w: {"title": "Renamed"}),
    # 409: it has a submission, which is never deleted with it.
    course_row("problem-detail", "delete", "401  404  404  404  403  403  409  409  409  409"),
    course_row("testset-list", "get", STAFF),
    course_row(
        "testset-list", "post", STAFF_CREATE, lambda w: {"test_cases": [{"input": "1", "expected_output": "2"}]}
    ),
    course_row("testset-detail", "get", "401  404  404  404  404  404  200  200  200  200"),
    course_row("enrollment-list", "get", STAFF),
    course_row("enrollment-list", "post", STAFF_CREATE, lambda w: {"user": w.users["stranger"].username}),
    row("enrollment-detail", "patch", "401 404 404 404 403 404 200 200 200 200", lambda w: {"role": "student"}),
    row("enrollment-detail", "delete", "401 404 404 404 403 404 204 204 204 204"),
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
    course_row(
        "problem-run-samples",
        "post",
        IN_COURSE,
        lambda w: {"language": "python", "code": DOUBLE},
        when_archived=409,
    ),
    course_row("problem-wrapped", "post", STAFF, lambda w: {"language": "python", "code": DOUBLE}),
    row("run-list", "post", SIGNED_IN, lambda w: {"language": "python", "code": "print(1)"}),
    row("language-list", "get", SIGNED_IN),
)
