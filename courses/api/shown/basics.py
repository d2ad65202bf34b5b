"""What the courses API shows, by allow-lists. Where students and staff see different things there are two classes.

No class for students inherits from one for staff, or is built from one by leaving fields out (T-09).
"""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from courses.announcements import problem_warnings
from courses.api.shown.outline import LockSerializer, ProgressStatusField
from courses.api.shown.parts import (
    ChoiceForStaffSerializer,
    ChoiceForStudentSerializer,
    FillBlankForStaffSerializer,
    FillBlankForStudentSerializer,
)
from courses.api.shown.texts import HtmlField, IsPublishedField
from courses.models import AlgorithmProblem, Chapter, ChapterProblem, Course, Problem, TestCase, TestSet
from courses.selectors import sample_tests


class CourseSummarySerializer(serializers.ModelSerializer[Course]):
    is_published = IsPublishedField()

    class Meta:
        model = Course
        fields: tuple[str, ...] = (
            *("id", "organization", "title", "slug", "description", "status", "is_open", "capacity"),
            *("published_from", "published_until", "is_published"),
            *("late_policy", "late_percent_per_day", "created_at", "updated_at"),
        )
        read_only_fields = fields


class CourseSerializer(CourseSummarySerializer):
    description_html = HtmlField("description")

    class Meta(CourseSummarySerializer.Meta):
        fields = (*CourseSummarySerializer.Meta.fields, "description_html")
        read_only_fields = fields


class ChapterSerializer(serializers.ModelSerializer[Chapter]):
    class Meta:
        model = Chapter
        fields = ("id", "course", "title", "description", "status")
        read_only_fields = fields


class PlacementSerializer(serializers.ModelSerializer[ChapterProblem]):
    class Meta:
        model = ChapterProblem
        fields = ("chapter", "problem")
        read_only_fields = fields


class SampleTestSerializer(serializers.ModelSerializer[TestCase]):
    """A public test. Its place and weight are left out: they would tell of the hidden ones."""

    class Meta:
        model = TestCase
        fields = ("input", "expected_output")
        read_only_fields = fields


class ProblemSummaryForStudentSerializer(serializers.ModelSerializer[Problem]):
    """A problem as it stands for a student, whose view of it `courses.api.seen` puts in `seen`."""

    lock = LockSerializer(read_only=True, allow_null=True, source="seen.lock")
    status = ProgressStatusField(read_only=True, source="seen.status")
    best_score = serializers.DecimalField(max_digits=5, decimal_places=2, read_only=True, source="seen.best_score")
    due_at = serializers.DateTimeField(read_only=True, allow_null=True, source="seen.due_at")

    class Meta:
        model = Problem
        fields = (
            *("id", "course", "type", "title", "slug", "difficulty"),
            *("lock", "status", "best_score", "due_at"),
        )
        read_only_fields = fields


class ProblemSummaryForStaffSerializer(serializers.ModelSerializer[Problem]):
    is_published = IsPublishedField()

    class Meta:
        model = Problem
        fields = (
            *("id", "course", "type", "title", "slug", "difficulty"),
            *("audience", "status", "published_from", "published_until", "is_published", "created_at", "updated_at"),
        )
        read_only_fields = fields


class PlacedProblemForStudentSerializer(serializers.ModelSerializer[ChapterProblem]):
    problem = ProblemSummaryForStudentSerializer(read_only=True)

    class Meta:
        model = ChapterProblem
        fields = ("problem",)
        read_only_fields = fields


class PlacedProblemForStaffSerializer(serializers.ModelSerializer[ChapterProblem]):
    problem = ProblemSummaryForStaffSerializer(read_only=True)

    class Meta:
        model = ChapterProblem
        fields = ("problem",)
        read_only_fields = fields


class ChapterSummaryForStudentSerializer(serializers.ModelSerializer[Chapter]):
    """A chapter as it stands for a student, whose view of it `courses.api.seen` puts in `seen`."""

    description = serializers.CharField(read_only=True, help_text="Empty as long as the chapter is locked.")
    lock = LockSerializer(read_only=True, allow_null=True, source="seen.lock")
    status = ProgressStatusField(read_only=True, source="seen.status")
    total = serializers.IntegerField(read_only=True, source="seen.total")
    solved = serializers.IntegerField(read_only=True, source="seen.solved")
    percentage = serializers.DecimalField(
        max_digits=5, decimal_places=2, read_only=True, allow_null=True, source="seen.percentage"
    )
    due_at = serializers.DateTimeField(read_only=True, allow_null=True, source="seen.due_at")

    class Meta:
        model = Chapter
        fields: tuple[str, ...] = (
            *("id", "course", "title", "description"),
            *("lock", "status", "total", "solved", "percentage", "due_at"),
        )
        read_only_fields = fields


class ChapterForStudentSerializer(ChapterSummaryForStudentSerializer):
    """A chapter with its problems; the view puts those the caller may see in `placed`."""

    description_html = HtmlField("description", help_text="Empty as long as the chapter is locked.")
    problems = PlacedProblemForStudentSerializer(many=True, read_only=True, source="placed")

    class Meta(ChapterSummaryForStudentSerializer.Meta):
        fields = (*ChapterSummaryForStudentSerializer.Meta.fields, "description_html", "problems")
        read_only_fields = fields


class ChapterForStaffSerializer(serializers.ModelSerializer[Chapter]):
    description_html = HtmlField("description")
    problems = PlacedProblemForStaffSerializer(many=True, read_only=True, source="placed")

    class Meta:
        model = Chapter
        fields = ("id", "course", "title", "description", "description_html", "status", "problems")
        read_only_fields = fields


class AlgorithmForStudentSerializer(serializers.ModelSerializer[AlgorithmProblem]):
    languages = serializers.ListField(child=serializers.CharField(), read_only=True)
    starter_code = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = AlgorithmProblem
        fields = ("time_limit_ms", "memory_limit_mb", "entry_point", "checker", "languages", "starter_code")
        read_only_fields = fields


class AlgorithmForStaffSerializer(serializers.ModelSerializer[AlgorithmProblem]):
    languages = serializers.ListField(child=serializers.CharField(), read_only=True)
    starter_code = serializers.DictField(child=serializers.CharField(), read_only=True)
    templates = serializers.DictField(child=serializers.CharField(), read_only=True)
    preludes = serializers.DictField(child=serializers.CharField(), read_only=True)
    postludes = serializers.DictField(child=serializers.CharField(), read_only=True)
    checker_options = serializers.DictField(read_only=True)

    class Meta:
        model = AlgorithmProblem
        fields = (
            *("time_limit_ms", "memory_limit_mb", "entry_point", "value_encoding", "checker", "checker_options"),
            *("is_partial_credit", "stops_at_first_failure", "isolates_tests"),
            *("languages", "templates", "preludes", "postludes", "starter_code"),
        )
        read_only_fields = fields


class ProblemForStudentSerializer(serializers.ModelSerializer[Problem]):
    """A problem with the part of its type; the other parts are null."""

    statement_html = HtmlField("statement")
    algorithm = AlgorithmForStudentSerializer(read_only=True, allow_null=True)
    choice = ChoiceForStudentSerializer(read_only=True, allow_null=True)
    fillblank = FillBlankForStudentSerializer(read_only=True, allow_null=True)
    sample_tests = serializers.SerializerMethodField()

    class Meta:
        model = Problem
        fields = (
            *("id", "course", "type", "title", "slug", "statement", "statement_html", "difficulty"),
            *("algorithm", "choice", "fillblank", "sample_tests"),
        )
        read_only_fields = fields

    def get_sample_tests(self, problem: Problem) -> list[dict[str, Any]]:
        return _samples(problem)


class ProblemWarningSerializer(serializers.Serializer[Any]):
    """What staff should know of a problem before students meet it; it keeps nobody from publishing."""

    code = serializers.CharField(read_only=True)
    detail = serializers.CharField(read_only=True)


class ProblemForStaffSerializer(serializers.ModelSerializer[Problem]):
    statement_html = HtmlField("statement")
    is_published = IsPublishedField()
    algorithm = AlgorithmForStaffSerializer(read_only=True, allow_null=True)
    choice = ChoiceForStaffSerializer(read_only=True, allow_null=True)
    fillblank = FillBlankForStaffSerializer(read_only=True, allow_null=True)
    sample_tests = serializers.SerializerMethodField()
    warnings = serializers.SerializerMethodField()

    class Meta:
        model = Problem
        fields = (
            *("id", "course", "type", "title", "slug", "statement", "statement_html", "author_notes"),
            *("difficulty", "audience", "status", "published_from", "published_until", "is_published"),
            *("algorithm", "choice", "fillblank", "sample_tests", "warnings", "created_at", "updated_at"),
        )
        read_only_fields = fields

    def get_sample_tests(self, problem: Problem) -> list[dict[str, Any]]:
        return _samples(problem)

    @extend_schema_field(ProblemWarningSerializer(many=True))
    def get_warnings(self, problem: Problem) -> Any:
        return ProblemWarningSerializer(problem_warnings(problem), many=True).data


class TestCaseSerializer(serializers.ModelSerializer[TestCase]):
    """A whole test: for staff."""

    __test__ = False

    class Meta:
        model = TestCase
        fields = ("order", "input", "expected_output", "is_sample", "weight", "group")
        read_only_fields = fields


class GroupSerializer(serializers.Serializer[Any]):
    """A group of tests: for staff."""

    name = serializers.CharField(read_only=True)
    aggregate = serializers.CharField(read_only=True)
    points = serializers.DecimalField(max_digits=8, decimal_places=3, allow_null=True, read_only=True)
    threshold = serializers.DecimalField(max_digits=5, decimal_places=4, allow_null=True, read_only=True)
    requires = serializers.ListField(child=serializers.CharField(), read_only=True)


class TestSetSummarySerializer(serializers.ModelSerializer[TestSet]):
    __test__ = False

    test_case_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = TestSet
        fields = ("id", "problem", "version", "test_case_count", "created_at", "frozen_at")
        read_only_fields = fields


class TestSetSerializer(serializers.ModelSerializer[TestSet]):
    """A version with all its tests: for staff."""

    __test__ = False

    test_cases = TestCaseSerializer(many=True, read_only=True)
    groups = GroupSerializer(many=True, read_only=True)

    class Meta:
        model = TestSet
        fields = (
            *("id", "problem", "version", "created_at", "frozen_at"),
            *("test_cases", "groups", "checker_language", "checker_source"),
        )
        read_only_fields = fields


def _samples(problem: Problem) -> list[dict[str, Any]]:
    return list(SampleTestSerializer(sample_tests(problem), many=True).data)
