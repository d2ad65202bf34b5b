"""Problems in the admin: all three types, their tests, and how students will see them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from accounts.models import User
from core.markdown import render_markdown
from courses import services
from courses.admin.base import actor_of
from courses.admin.exchange import ProblemExchangeAdmin
from courses.admin.problem_forms import COMMON_FIELDS, FORMS
from courses.admin.site import site
from courses.admin.tests_inline import TestsInline
from courses.api.shown.basics import ProblemForStudentSerializer
from courses.models import Problem
from courses.services.rewriting import problem_rewrite
from courses.services.testset import SetSpec
from courses.services.testset_edit import current_spec


@admin.register(Problem, site=site)
class ProblemAdmin(ProblemExchangeAdmin):
    list_display = ("title", "slug", "course", "type", "difficulty", "status", "audience")
    list_filter = (("course", admin.RelatedOnlyFieldListFilter), "type", "difficulty", "status", "audience")
    list_select_related = ("course",)
    search_fields = ("title", "slug", "statement")
    ordering = ("course__title", "course", "title", "pk")
    actions = ("publish", "archive")
    change_form_template = "admin/courses/problem/change_form.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("course", "algorithm", "choice", "fillblank")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = FORMS[_type_of(request, obj)]
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        kind = _type_of(request, obj)
        preview = () if obj is None else ("statement_preview",)
        return [
            (None, {"fields": ("course", *(() if obj is None else ("type",)), *COMMON_FIELDS, *preview)}),
            (f"As a problem of type {kind}", {"fields": FORMS[kind].part_fields}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("course", "type", "statement_preview")

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        has_tests = obj is not None and obj.type == Problem.Type.ALGORITHM
        return [TestsInline] if has_tests and TestsInline.fits(obj) else []

    @admin.display(description="statement, as it is shown")
    def statement_preview(self, row: Problem) -> SafeString:
        return format_html('<div class="markdown">{}</div>', mark_safe(render_markdown(row.statement)))  # noqa: S308 - sanitized

    def get_urls(self) -> list[URLPattern]:
        preview = self.admin_site.admin_view(self.preview_view)
        return [path("<path:object_id>/preview/", preview, name="courses_problem_preview"), *super().get_urls()]

    def preview_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The problem with exactly what a student's answer from the API holds."""
        row = self.get_object(request, object_id)
        if row is None:
            return HttpResponseRedirect(reverse("admin:courses_problem_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{row} as a student sees it",
            "original": row,
            "problem": ProblemForStudentSerializer(row).data,
        }
        return TemplateResponse(request, "admin/courses/problem/preview.html", context)

    def row_create(self, actor: User, form: Any) -> Problem:
        return services.problem_create(actor=actor, course_id=form.cleaned_data["course"].pk, **form.new())

    def row_delete(self, actor: User, row: Problem) -> None:
        services.problem_delete(actor=actor, problem_id=row.pk)

    def row_update(self, actor: User, row: Problem, form: Any) -> Problem:
        return services.problem_update(actor=actor, problem_id=row.pk, **form.changes())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A problem that is there is saved together with its tests, by `save_related`."""
        if not change:
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if not change:
            return
        tests, based_on = None, None
        for formset in formsets:
            formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
            if formset.has_changed():
                given = current_spec(form.instance)
                tests = SetSpec(test_cases=formset.specs(), groups=given.groups, checker=given.checker)
                based_on = formset.test_set.version if formset.test_set else None
        problem_rewrite(
            actor=actor_of(request),
            problem_id=form.instance.pk,
            changes=form.changes(),
            tests=tests,
            based_on=based_on,
        )

    @admin.action(description="Publish selected problems", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: Any) -> None:
        self.act_on_each(
            request,
            queryset,
            lambda actor, row: services.problem_update(actor=actor, problem_id=row.pk, status=Problem.Status.PUBLISHED),
            "published",
        )

    @admin.action(description="Archive selected problems", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: Any) -> None:
        self.act_on_each(
            request, queryset, lambda actor, row: services.problem_archive(actor=actor, problem_id=row.pk), "archived"
        )


def _type_of(request: HttpRequest, obj: Any) -> str:
    """Of a new problem, the type that the address asks for."""
    if obj is not None:
        return str(obj.type)
    wanted = request.GET.get("type", "")
    return wanted if wanted in FORMS else Problem.Type.ALGORITHM.value
