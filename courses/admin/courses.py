"""Courses and chapters in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from accounts.models import Organization, User
from courses import services
from courses.admin.base import ServiceAdmin, ServiceForm, TextAreaField
from courses.admin.scopes import scoped
from courses.admin.site import site
from courses.models import Chapter, ChapterProblem, Course, Problem

COURSE_FIELDS = (
    *("title", "slug", "description", "status", "published_from", "published_until"),
    *("is_open", "capacity", "late_policy", "late_percent_per_day"),
)
CHAPTER_FIELDS = ("title", "description", "status")


class CourseForm(ServiceForm):
    description = TextAreaField(required=False)


@admin.register(Course, site=site)
class CourseAdmin(ServiceAdmin):
    form = CourseForm
    list_display = ("title", "slug", "organization", "status", "published_from", "published_until")
    list_filter = ("status", ("organization", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("title", "slug")
    fields = ("organization", *COURSE_FIELDS)
    actions = ("publish", "archive")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return Organization.objects.administered_by(request.user).exists()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("organization",)

    def row_create(self, actor: User, form: Any) -> Course:
        given = {name: form.cleaned_data[name] for name in COURSE_FIELDS}
        return services.course_create(actor=actor, organization_id=form.cleaned_data["organization"].pk, **given)

    def row_update(self, actor: User, row: Course, form: Any) -> Course:
        given: Any = {name: form.cleaned_data[name] for name in COURSE_FIELDS}
        return services.course_update(actor=actor, course_id=row.pk, **given)

    @admin.action(description="Publish selected courses", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: Any) -> None:
        self.act_on_each(
            request,
            queryset,
            lambda actor, row: services.course_update(actor=actor, course_id=row.pk, status=Course.Status.PUBLISHED),
            "published",
        )

    @admin.action(description="Archive selected courses", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: Any) -> None:
        self.act_on_each(
            request, queryset, lambda actor, row: services.course_archive(actor=actor, course_id=row.pk), "archived"
        )


class PlacementForm(forms.ModelForm):
    """A problem's place, counted from 1: what is new or has no number comes last."""

    place = forms.IntegerField(min_value=1, required=False, widget=forms.NumberInput(attrs={"style": "width: 5em"}))

    class Meta:
        model = ChapterProblem
        fields = ("problem",)


class PlacementFormSet(BaseInlineFormSet):
    """The problems of a chapter, written by the services of placements."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if form.instance.pk is not None and index is not None:
            form.fields["place"].initial = index + 1
            form.fields["problem"].disabled = True
            # It is the only choice; looking all of them up for each row would be a query for each row.
            problem = form.instance.problem
            form.fields["problem"].widget.choices = [(problem.pk, str(problem))]

    def save_through_services(self, actor: User) -> None:
        """Take out what is to be deleted, place what is new, and bring all into the order that the numbers say."""
        chapter_id = self.instance.pk
        self.new_objects, self.changed_objects, self.deleted_objects = [], [], []
        wanted: list[tuple[float, int]] = []
        for form in self.forms:
            problem = form.cleaned_data.get("problem")
            if problem is None:
                continue
            if form.cleaned_data.get("DELETE"):
                if form.instance.pk is not None:
                    services.chapterproblem_remove(actor=actor, chapter_id=chapter_id, problem_id=problem.pk)
                    self.deleted_objects.append(form.instance)
                continue
            if form.instance.pk is None:
                self.new_objects.append(
                    services.chapterproblem_place(actor=actor, chapter_id=chapter_id, problem_id=problem.pk)
                )
            wanted.append((form.cleaned_data.get("place") or float("inf"), problem.pk))
        self._order(actor, [problem_id for _, problem_id in sorted(wanted, key=lambda item: item[0])])

    def _order(self, actor: User, problem_ids: list[int]) -> None:
        stored = ChapterProblem.objects.filter(chapter=self.instance).values_list("problem_id", flat=True)
        # What somebody else placed meanwhile keeps its place behind those that this page knows.
        if [pk for pk in stored if pk in problem_ids] == problem_ids:
            return
        after = None
        for problem_id in problem_ids:
            services.chapterproblem_move(actor=actor, chapter_id=self.instance.pk, problem_id=problem_id, after=after)
            after = problem_id


class PlacementInline(admin.TabularInline):
    model = ChapterProblem
    form = PlacementForm
    formset = PlacementFormSet
    extra = 1
    fields = ("place", "problem")
    ordering = ("position", "pk")

    def get_queryset(self, request: HttpRequest) -> Any:
        return scoped(ChapterProblem, request.user).order_by("position", "pk").select_related("problem")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        match = request.resolver_match
        chapter_id = match.kwargs.get("object_id") if match else None
        rows = (
            scoped(Problem, request.user).filter(course__chapters=chapter_id) if str(chapter_id).isdecimal() else None
        )
        kwargs["queryset"] = Problem.objects.none() if rows is None else rows.order_by("title", "pk")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


class ChapterForm(ServiceForm):
    description = TextAreaField(required=False)


@admin.register(Chapter, site=site)
class ChapterAdmin(ServiceAdmin):
    form = ChapterForm
    list_display = ("title", "course", "status", "unlock_at", "due_at")
    list_filter = ("status", ("course", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("course",)
    search_fields = ("title",)
    ordering = ("course__title", "course", "position", "pk")
    fields = ("course", *CHAPTER_FIELDS, "unlock_at", "due_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        dates = ("unlock_at", "due_at")
        return dates if obj is None else ("course", *dates)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [] if obj is None else [PlacementInline]

    def row_create(self, actor: User, form: Any) -> Chapter:
        given = {name: form.cleaned_data[name] for name in CHAPTER_FIELDS}
        return services.chapter_create(actor=actor, course_id=form.cleaned_data["course"].pk, **given)

    def row_update(self, actor: User, row: Chapter, form: Any) -> Chapter:
        given: Any = {name: form.cleaned_data[name] for name in CHAPTER_FIELDS}
        return services.chapter_update(actor=actor, chapter_id=row.pk, **given)

    def row_delete(self, actor: User, row: Chapter) -> None:
        services.chapter_delete(actor=actor, chapter_id=row.pk)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        for formset in formsets:
            formset.save_through_services(request.user)
