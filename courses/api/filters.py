"""The filters of the lists. They narrow what the caller may see anyway, and answer alike for what is foreign."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from courses.models import Chapter, ChapterProblem, Course, Enrollment, Problem, ProblemProgress
from courses.models.publishing import Publishable


@extend_schema_field(OpenApiTypes.INT)
class IdFilter(filters.Filter):
    """By a row's id. It does not ask whether there is such a row: that would tell strangers of it (T-04)."""

    field_class = forms.IntegerField


class FlagFilter(filters.ChoiceFilter):
    """`true` or `false`; anything else is refused, where the framework's own would take it for "either"."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[("true", "true"), ("false", "false")], **kwargs)


class TotalOrderingFilter(filters.OrderingFilter):
    """Rows that are alike in what is asked for come by id: pages neither repeat nor lose one. Nulls come last.

    A name may stand for several columns: `fields=[(("chapter_position", "place_position"), "position")]`.
    """

    @classmethod
    def normalize_fields(cls, fields: Sequence[tuple[str | tuple[str, ...], str]]) -> dict[Any, str]:
        return dict(fields)

    def build_choices(self, fields: dict[Any, str], labels: dict[str, str]) -> list[tuple[str, str]]:
        # The framework would make labels of the columns' names.
        return super().build_choices({name: name for name in fields.values()}, labels)

    def filter(self, qs: QuerySet[Any], value: Sequence[str] | None) -> QuerySet[Any]:
        names = [name for name in value or () if name]
        return qs.order_by(*(order for name in names for order in self._orders(name)), "pk") if names else qs

    def _orders(self, name: str) -> list[Any]:
        columns = self.param_map[name.removeprefix("-")]
        fields = [F(column) for column in ((columns,) if isinstance(columns, str) else columns)]
        return [each.desc(nulls_last=True) if name.startswith("-") else each.asc(nulls_last=True) for each in fields]


class PublishedFilter(filters.ChoiceFilter):
    """By whether students see a row at this moment, by its own status and window."""

    def __init__(self) -> None:
        super().__init__(
            choices=[("true", "now"), ("false", "not now")],
            help_text="`true`: what is published now; `false`: drafts, archives, and what is outside its window.",
        )

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not value:
            return qs
        now = Publishable.published_at(timezone.now())
        return qs.filter(now) if value == "true" else qs.exclude(now)


WINDOW_ORDERS = ("published_from", "published_until", "created_at")


class CourseFilter(filters.FilterSet):
    organization = IdFilter(field_name="organization__id")
    status = filters.ChoiceFilter(choices=Course.Status.choices)
    is_published = PublishedFilter()
    role = filters.ChoiceFilter(
        choices=Enrollment.Role.choices, method="with_role", help_text="Your own role in the course, by enrollment."
    )
    search = filters.CharFilter(field_name="title", lookup_expr="icontains", help_text="A part of the title.")
    ordering = TotalOrderingFilter(fields=[(name, name) for name in ("title", *WINDOW_ORDERS, "updated_at")])

    def with_role(self, queryset: QuerySet[Course], name: str, value: str) -> QuerySet[Course]:
        own = Enrollment.objects.active().filter(course=OuterRef("pk"), user=self.request.user, role=value)
        return queryset.filter(Exists(own))


class ChapterFilter(filters.FilterSet):
    status = filters.ChoiceFilter(choices=Chapter.Status.choices)
    # Not the description, which students see of open chapters alone.
    search = filters.CharFilter(field_name="title", lookup_expr="icontains", help_text="A part of the title.")
    ordering = TotalOrderingFilter(fields=[("position", "position"), ("title", "title")])


class ProblemFilter(filters.FilterSet):
    """By what the caller sees of a problem even where it is locked: neither the statement nor chapters out of sight."""

    difficulty = filters.ChoiceFilter(choices=Problem.Difficulty.choices)
    type = filters.ChoiceFilter(choices=Problem.Type.choices)
    status = filters.ChoiceFilter(choices=Problem.Status.choices)
    audience = filters.ChoiceFilter(choices=Problem.Audience.choices)
    is_published = PublishedFilter()
    chapter = IdFilter(method="with_chapter", help_text="A chapter that you may see.")
    is_placed = FlagFilter(method="with_places", help_text="Whether it stands in a chapter that you may see.")
    progress = filters.ChoiceFilter(
        choices=ProblemProgress.Status.choices, method="with_progress", help_text="How far you are yourself."
    )
    search = filters.CharFilter(method="with_words", help_text="A part of the title or the slug.")
    ordering = TotalOrderingFilter(
        fields=[
            *((name, name) for name in ("title", "difficulty", *WINDOW_ORDERS)),
            ("pk", "id"),
            (("chapter_position", "place_position"), "position"),
        ],
        help_text="`position`: as in the course, or in the chapter asked for; what stands in none comes last.",
    )

    def filter_queryset(self, queryset: QuerySet[Problem]) -> QuerySet[Problem]:
        places = self._places().order_by("chapter__position", "position", "pk")
        if chapter_id := self.form.cleaned_data["chapter"]:
            places = places.filter(chapter__id=chapter_id)
        placed = queryset.alias(
            chapter_position=Subquery(places.values("chapter__position")[:1]),
            place_position=Subquery(places.values("position")[:1]),
        )
        found: QuerySet[Problem] = super().filter_queryset(placed)
        return found

    def with_chapter(self, queryset: QuerySet[Problem], name: str, value: int) -> QuerySet[Problem]:
        return queryset.filter(Exists(self._places().filter(chapter__id=value)))

    def with_places(self, queryset: QuerySet[Problem], name: str, value: str) -> QuerySet[Problem]:
        placed = Q(Exists(self._places()))
        return queryset.filter(placed if value == "true" else ~placed)

    def with_progress(self, queryset: QuerySet[Problem], name: str, value: str) -> QuerySet[Problem]:
        own = ProblemProgress.objects.filter(problem=OuterRef("pk"), enrollment__user=self.request.user)
        if value == ProblemProgress.Status.NOT_STARTED:
            return queryset.exclude(Exists(own.exclude(status=value)))
        return queryset.filter(Exists(own.filter(status=value)))

    def with_words(self, queryset: QuerySet[Problem], name: str, value: str) -> QuerySet[Problem]:
        return queryset.filter(Q(title__icontains=value) | Q(slug__icontains=value))

    def _places(self) -> QuerySet[ChapterProblem]:
        """The places, in chapters that the caller may see, of the problem around."""
        visible = Chapter.objects.visible_to(self.request.user)
        return ChapterProblem.objects.filter(problem=OuterRef("pk"), chapter__in=visible.values("pk"))


class AnswerFilter(filters.FilterSet):
    user = IdFilter(field_name="user__id")
    is_correct = FlagFilter(method="with_correctness")

    def with_correctness(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(is_correct=value == "true")


class EnrollmentFilter(filters.FilterSet):
    """Those who are in the course, unless those who left are asked for."""

    role = filters.ChoiceFilter(choices=Enrollment.Role.choices)
    group = IdFilter(field_name="group__id")
    is_active = filters.ChoiceFilter(
        choices=[("true", "in the course"), ("false", "left")],
        method="with_activity",
        help_text="`true`, which is also meant where nothing is said: those in the course; `false`: those who left.",
    )
    # Not by e-mail address, which the list does not show: what is found could be guessed letter by letter.
    search = filters.CharFilter(method="with_name", help_text="A part of the username or the name.")
    ordering = TotalOrderingFilter(fields=[("user__username", "username"), ("pk", "id")])

    def filter_queryset(self, queryset: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
        filtered: QuerySet[Enrollment] = super().filter_queryset(queryset)
        return filtered if self.form.cleaned_data["is_active"] else filtered.filter(left_at__isnull=True)

    def with_activity(self, queryset: QuerySet[Enrollment], name: str, value: str) -> QuerySet[Enrollment]:
        return queryset.filter(left_at__isnull=value == "true")

    def with_name(self, queryset: QuerySet[Enrollment], name: str, value: str) -> QuerySet[Enrollment]:
        return queryset.filter(Q(user__username__icontains=value) | Q(user__display_name__icontains=value))


class CatalogFilter(filters.FilterSet):
    organization = IdFilter(field_name="organization__id")
    search = filters.CharFilter(method="with_words", help_text="A part of the title or the description.")
    ordering = TotalOrderingFilter(fields=[("title", "title"), ("pk", "id")])

    def with_words(self, queryset: QuerySet[Course], name: str, value: str) -> QuerySet[Course]:
        return queryset.filter(Q(title__icontains=value) | Q(description__icontains=value))


PROGRESS_ORDERS = ("best_score", "credited_score", "attempts", "first_at", "last_at", "solved_at")


class ProgressFilter(filters.FilterSet):
    problem = IdFilter(field_name="problem__id")
    status = filters.ChoiceFilter(choices=ProblemProgress.Status.choices)
    # For students these find their own rows or none.
    user = IdFilter(field_name="enrollment__user__id")
    group = IdFilter(field_name="enrollment__group__id")
    ordering = TotalOrderingFilter(fields=[*((name, name) for name in PROGRESS_ORDERS), ("problem", "problem")])


class GradebookFilter(filters.FilterSet):
    """Which students there are rows of, and, for the view to read, which problems there are columns of."""

    group = IdFilter(field_name="group__id")
    include_left = FlagFilter(
        method="unchanged", help_text="`true`: also those who left; else those in the course alone."
    )
    chapter = IdFilter(method="unchanged", help_text="The problems of this chapter alone.")
    problems = filters.ChoiceFilter(
        choices=[("given", "given to students"), ("all", "all")],
        method="unchanged",
        help_text="`all`: drafts, archives and the rest, too; else those that have been given to students.",
    )
    search = filters.CharFilter(method="with_name", help_text="A part of the username or the name.")
    ordering = TotalOrderingFilter(fields=[("name", "name"), ("total", "total")])

    def filter_queryset(self, queryset: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
        filtered: QuerySet[Enrollment] = super().filter_queryset(queryset)
        return filtered if self.form.cleaned_data["include_left"] == "true" else filtered.filter(left_at__isnull=True)

    def unchanged(self, queryset: QuerySet[Enrollment], name: str, value: Any) -> QuerySet[Enrollment]:
        return queryset

    def with_name(self, queryset: QuerySet[Enrollment], name: str, value: str) -> QuerySet[Enrollment]:
        return queryset.filter(Q(user__username__icontains=value) | Q(user__display_name__icontains=value))


class GradebookExportFilter(GradebookFilter):
    format = filters.ChoiceFilter(
        choices=[("csv", "CSV"), ("xlsx", "Excel")], method="unchanged", help_text="`csv`, unless said otherwise."
    )
