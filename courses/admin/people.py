"""Who is in a course, in the admin: enrollments, groups and invitations."""

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.models import User
from core.errors import FieldError
from courses import services
from courses.admin.base import ServiceAdmin, ServiceForm
from courses.admin.site import site
from courses.models import CourseGroup, Enrollment, Invitation
from courses.rules.invitation_codes import code_grouped


class EnrollmentAddForm(ServiceForm):
    person = forms.CharField(max_length=254, help_text="The user's e-mail address or username.")

    def add_fault(self, fault: FieldError) -> None:
        super().add_fault(replace(fault, pointer="#/person") if fault.pointer == "#/user" else fault)


class IsInCourseFilter(admin.SimpleListFilter):
    title = "in the course"
    parameter_name = "is_active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Now"), ("no", "Left")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset if self.value() is None else queryset.filter(left_at__isnull=self.value() == "yes")


@admin.register(Enrollment, site=site)
class EnrollmentAdmin(ServiceAdmin):
    list_display = ("user", "course", "role", "group", "left_at", "created_at")
    list_filter = (
        "role",
        IsInCourseFilter,
        ("course", admin.RelatedOnlyFieldListFilter),
        ("group", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("user", "course", "group")
    search_fields = ("user__username", "user__email", "user__display_name")
    actions = ("take_out",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("course", "person", "role", "group") if obj is None else ("course", "user", "role", "group", "left_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("course", "user", "left_at")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = EnrollmentAddForm
        return super().get_form(request, obj, change=change, **kwargs)

    def row_create(self, actor: User, form: Any) -> Enrollment:
        given = form.cleaned_data
        return services.enrollment_create(
            actor=actor,
            course_id=given["course"].pk,
            user=given["person"],
            role=given["role"],
            group_id=given["group"].pk if given["group"] else None,
        )

    def row_update(self, actor: User, row: Enrollment, form: Any) -> Enrollment:
        group = form.cleaned_data["group"]
        return services.enrollment_update(
            actor=actor, enrollment_id=row.pk, role=form.cleaned_data["role"], group_id=group.pk if group else None
        )

    @admin.action(description="Take out of the course", permissions=["change"])
    def take_out(self, request: HttpRequest, queryset: Any) -> None:
        self.act_on_each(
            request,
            queryset,
            lambda actor, row: services.enrollment_remove(actor=actor, enrollment_id=row.pk),
            "taken out",
        )


@admin.register(CourseGroup, site=site)
class CourseGroupAdmin(ServiceAdmin):
    list_display = ("name", "course")
    list_filter = (("course", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("course",)
    search_fields = ("name",)
    fields = ("course", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("course",)

    def row_create(self, actor: User, form: Any) -> CourseGroup:
        given = form.cleaned_data
        return services.coursegroup_create(actor=actor, course_id=given["course"].pk, name=given["name"])

    def row_update(self, actor: User, row: CourseGroup, form: Any) -> CourseGroup:
        return services.coursegroup_update(actor=actor, group_id=row.pk, name=form.cleaned_data["name"])

    def row_delete(self, actor: User, row: CourseGroup) -> None:
        services.coursegroup_delete(actor=actor, group_id=row.pk)


@admin.register(Invitation, site=site)
class InvitationAdmin(ServiceAdmin):
    list_display = ("written_code", "course", "group", "uses", "uses_max", "expires_at", "revoked_at")
    list_filter = (("course", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("course", "group")
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        given = ("course", "group", "uses_max", "expires_at")
        return given if obj is None else ("written_code", *given, "uses", "revoked_at", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("written_code",)

    @admin.display(description="code")
    def written_code(self, row: Invitation) -> str:
        return code_grouped(row.code)

    def row_create(self, actor: User, form: Any) -> Invitation:
        given = form.cleaned_data
        return services.invitation_create(
            actor=actor,
            course_id=given["course"].pk,
            uses_max=given["uses_max"],
            expires_at=given["expires_at"],
            group_id=given["group"].pk if given["group"] else None,
        )

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """The list holds none but those of courses that one is staff of."""
        return True

    @admin.action(description="Revoke selected invitations", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        self.act_on_each(
            request,
            queryset,
            lambda actor, row: services.invitation_revoke(actor=actor, invitation_id=row.pk),
            "revoked",
        )
