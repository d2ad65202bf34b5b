"""Importing and exporting tables of problems on pages of the admin."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from core.errors import DomainError
from courses.admin.base import ServiceAdmin, actor_of, told
from courses.admin.scopes import scoped
from courses.api.views.exchange import export_response
from courses.errors import ProblemImportRefused
from courses.exchange.importing import ON_EXISTING, OnExisting, problem_rows, problems_import
from courses.models import Course


class ProblemTableForm(forms.Form):
    """Which table goes into which course."""

    course = forms.ModelChoiceField(queryset=Course.objects.none())
    file = forms.FileField(help_text="CSV (UTF-8) or XLSX, as the export writes it.")
    on_existing = forms.ChoiceField(
        choices=[(each, each) for each in ON_EXISTING], label="rows whose slug the course has"
    )
    dry_run = forms.BooleanField(required=False, initial=True, label="only try, and write nothing")

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ModelChoiceField, self.fields["course"]).queryset = scoped(Course, user)


class ProblemExchangeAdmin(ServiceAdmin):
    """The list of problems with its two further pages."""

    change_list_template = "admin/courses/problem/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_view), name="courses_problem_import"),
            path("export/", view(self.export_view), name="courses_problem_export"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        courses = scoped(Course, request.user).only("pk", "title")
        return super().changelist_view(request, {"courses_to_export": courses, **(extra_context or {})})

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """All problems of one course, as a file."""
        wanted = request.GET.get("course", "")
        course = scoped(Course, request.user).filter(pk=wanted).first() if wanted.isdecimal() else None
        if course is None:
            raise Http404
        try:
            return export_response(course, request.GET.get("format", ""))
        except DomainError as error:
            self.message_user(request, told(error), messages.ERROR)
            return self.changelist_view(request)

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """The form; and once it is sent, what became of each row."""
        form = ProblemTableForm(request.POST or None, request.FILES or None, user=request.user)
        report: dict[str, Any] | None = None
        if request.method == "POST" and form.is_valid():
            report = self._imported(request, form)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Import problems",
            "form": form,
            "report": report,
        }
        return TemplateResponse(request, "admin/courses/problem/import.html", context)

    def _imported(self, request: HttpRequest, form: ProblemTableForm) -> dict[str, Any] | None:
        given = form.cleaned_data
        try:
            report = problems_import(
                actor=actor_of(request),
                course_id=given["course"].pk,
                rows=problem_rows(given["file"].read()),
                is_dry_run=given["dry_run"],
                on_existing=cast(OnExisting, given["on_existing"]),
            )
        except ProblemImportRefused as error:
            form.add_error(None, error.detail)
            return error.members
        except DomainError as error:
            form.add_error("file", told(error))
            return None
        if report.is_written:
            self.message_user(request, f"{given['course']}: {_counted(report.totals)}.", messages.SUCCESS)
        return report.as_members()


def _counted(totals: Any) -> str:
    return ", ".join(f"{number} {outcome}" for outcome, number in totals.items() if number) or "nothing to do"
