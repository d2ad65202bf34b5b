"""Every model that the admin shows, with one row of the small university each, and one of a foreign university."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.audit import audit_record
from accounts.models import AuditEvent, User
from courses.models import (
    Chapter,
    Course,
    CourseGroup,
    Enrollment,
    Invitation,
    PracticeAnswer,
    Problem,
    ProblemProgress,
)
from tests.courses.factories import (
    ChapterFactory,
    ChoiceProblemFactory,
    CourseGroupFactory,
    EnrollmentFactory,
    InvitationFactory,
    PracticeAnswerFactory,
    ProblemProgressFactory,
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """What staff may do with a model's rows in the admin, and how one row of a course is made."""

    model: type[Model]
    row: Callable[[Course], Any]
    is_added: bool = False
    is_changed: bool = False
    is_deleted: bool = False
    # Roles of staff who nevertheless see nothing of it.
    hidden_from: tuple[str, ...] = ()
    # Only these may add.
    added_by: tuple[str, ...] | None = None


def _audit(course: Course) -> AuditEvent:
    return audit_record(
        actor=None, action="course.update", target=course, organization_id=course.organization_id, changes={}
    )


PAGES = (
    Page(model=Course, row=lambda c: c, is_added=True, is_changed=True, added_by=("owner", "admin", "superuser")),
    Page(
        model=Chapter,
        row=lambda c: ChapterFactory(course=c),
        is_added=True,
        is_changed=True,
        is_deleted=True,
    ),
    Page(
        model=Problem,
        row=lambda c: ChoiceProblemFactory(problem__course=c).problem,
        is_added=True,
        is_changed=True,
        is_deleted=True,
    ),
    Page(model=Enrollment, row=lambda c: EnrollmentFactory(course=c), is_added=True, is_changed=True),
    Page(
        model=CourseGroup,
        row=lambda c: CourseGroupFactory(course=c),
        is_added=True,
        is_changed=True,
        is_deleted=True,
    ),
    Page(model=Invitation, row=lambda c: InvitationFactory(course=c), is_added=True),
    Page(model=ProblemProgress, row=lambda c: ProblemProgressFactory(enrollment__course=c)),
    Page(
        model=PracticeAnswer,
        row=lambda c: PracticeAnswerFactory(problem=ChoiceProblemFactory(problem__course=c).problem),
    ),
    Page(model=AuditEvent, row=_audit, hidden_from=("instructor", "assistant")),
)


def client_of(user: User | AnonymousUser) -> Client:
    """A browser in which the user is signed in."""
    client = Client()
    if isinstance(user, User):
        client.force_login(user)
    return client


def address(model: type[Model], page: str, *args: Any) -> str:
    """`address(Course, "change", 3)`"""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def form_of(response: Any) -> dict[str, Any]:
    """What a browser would send back of a change page, untouched: lines end with CRLF."""
    sent: dict[str, Any] = {}
    context = response.context
    shown = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        shown += [inline.formset.management_form, *inline.formset.forms]
    for form in shown:
        for bound in form:
            value = bound.value()
            if value is None or value is False:
                continue
            if isinstance(bound.field.widget, forms.MultiWidget):
                parts = bound.field.widget.decompress(value) or ()
                sent |= {f"{bound.html_name}_{index}": part for index, part in enumerate(parts) if part is not None}
            else:
                sent[bound.html_name] = (
                    "on" if value is True else str(value).replace("\r\n", "\n").replace("\n", "\r\n")
                )
    return sent
