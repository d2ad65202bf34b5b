"""What is only read in the admin: progress, answers, and the record of staff acts."""

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import AuditEvent, Organization
from courses.admin.base import ScopedAdmin
from courses.admin.site import site
from courses.models import PracticeAnswer, ProblemProgress


@admin.register(ProblemProgress, site=site)
class ProblemProgressAdmin(ScopedAdmin):
    list_display = ("student", "problem", "status", "attempts", "best_score", "credited_score", "solved_at")
    list_filter = ("status", ("enrollment__course", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("enrollment__user", "problem")
    search_fields = ("enrollment__user__username", "enrollment__user__email", "problem__title", "problem__slug")
    fields = (
        *("student", "problem", "status", "attempts", "best_score", "credited_score", "best_time_ms"),
        *("first_at", "last_at", "solved_at"),
    )

    @admin.display(ordering="enrollment__user__username")
    def student(self, row: ProblemProgress) -> str:
        return str(row.enrollment.user)


@admin.register(PracticeAnswer, site=site)
class PracticeAnswerAdmin(ScopedAdmin):
    list_display = ("user", "problem", "score", "is_correct", "received_at")
    list_filter = ("is_correct", ("problem__course", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "problem")
    search_fields = ("user__username", "user__email", "problem__title", "problem__slug")
    fields = ("user", "problem", "answer", "score", "is_correct", "received_at")


@admin.register(AuditEvent, site=site)
class AuditEventAdmin(ScopedAdmin):
    """For owners and admins of the organization."""

    list_display = ("created_at", "actor", "action", "target_type", "target_id", "organization")
    list_filter = ("action", ("organization", admin.RelatedOnlyFieldListFilter), "created_at")
    list_select_related = ("actor", "organization")
    search_fields = ("action", "target_type", "target_id", "actor__username")
    fields = ("created_at", "actor", "organization", "action", "target_type", "target_id", "written", "request_id")

    @admin.display(description="changes")
    def written(self, row: AuditEvent) -> str:
        return json.dumps(row.changes, ensure_ascii=False, indent=2)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return Organization.objects.administered_by(request.user).exists()
