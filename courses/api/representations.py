"""What the courses API shows, by allow-lists. Where students and staff see different things there are two classes.

No class for students inherits from one for staff, or is built from one by leaving fields out (T-09).
"""

from typing import Any

from rest_framework import serializers

from courses.models import AlgorithmProblem, Chapter, ChapterProblem, Course, Enrollment, Problem, TestCase, TestSet
from courses.selectors import sample_tests


class CourseSerializer(serializers.ModelSerializer[Course]):
    class Meta:
        model = Course
        fields = ("id", "organization", "title", "slug", "description", "status", "created_at", "updated_at")
        read_only_fields = fields


class ChapterSerializer(serializers.ModelSerializer[Chapter]):
    class Meta:
        model = Chapter
        fields = ("id", "course", "title", "description", "order")
        read_only_fields = fields


class PlacementSerializer(serializers.ModelSerializer[ChapterProblem]):
    class Meta:
        model = ChapterProblem
        fields = ("chapter", "problem", "order")
        read_only_fields = fields


class SampleTestSerializer(serializers.ModelSerializer[TestCase]):
    """A public test. Its place and weight are left out: they would tell of the hidden ones."""

    class Meta:
        model = TestCase
        fields = ("input", "expected_output")
        read_only_fields = fields


class ProblemSummaryForStudentSerializer(serializers.ModelSerializer[Problem]):
    class Meta:
        model = Problem
        fields = ("id", "course", "type", "title", "slug", "difficulty")
        read_only_fields = fields


class ProblemSummaryForStaffSerializer(serializers.ModelSerializer[Problem]):
    class Meta:
        model = Problem
        fields = (
            *("id", "course", "type", "title", "slug", "difficulty"),
            *("audience", "status", "created_at", "updated_at"),
        )
        read_only_fields = fields


class PlacedProblemForStudentSerializer(serializers.ModelSerializer[ChapterProblem]):
    problem = ProblemSummaryForStudentSerializer(read_only=True)

    class Meta:
        model = ChapterProblem
        fields = ("order", "problem")
        read_only_fields = fields


class PlacedProblemForStaffSerializer(serializers.ModelSerializer[ChapterProblem]):
    problem = ProblemSummaryForStaffSerializer(read_only=True)

    class Meta:
        model = ChapterProblem
        fields = ("order", "problem")
        read_only_fields = fields


class ChapterForStudentSerializer(serializers.ModelSerializer[Chapter]):
    """A chapter with its problems; the view puts those the caller may see in `placed`."""

    problems = PlacedProblemForStudentSerializer(many=True, read_only=True, source="placed")

    class Meta:
        model = Chapter
        fields = ("id", "course", "title", "description", "order", "problems")
        read_only_fields = fields


class ChapterForStaffSerializer(serializers.ModelSerializer[Chapter]):
    problems = PlacedProblemForStaffSerializer(many=True, read_only=True, source="placed")

    class Meta:
        model = Chapter
        fields = ("id", "course", "title", "description", "order", "problems")
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
    algorithm = AlgorithmForStudentSerializer(read_only=True)
    sample_tests = serializers.SerializerMethodField()

    class Meta:
        model = Problem
        fields = (
            *("id", "course", "type", "title", "slug", "statement", "difficulty"),
            *("algorithm", "sample_tests"),
        )
        read_only_fields = fields

    def get_sample_tests(self, problem: Problem) -> list[dict[str, Any]]:
        return _samples(problem)


class ProblemForStaffSerializer(serializers.ModelSerializer[Problem]):
    algorithm = AlgorithmForStaffSerializer(read_only=True)
    sample_tests = serializers.SerializerMethodField()

    class Meta:
        model = Problem
        fields = (
            *("id", "course", "type", "title", "slug", "statement", "difficulty", "audience", "status"),
            *("algorithm", "sample_tests", "created_at", "updated_at"),
        )
        read_only_fields = fields

    def get_sample_tests(self, problem: Problem) -> list[dict[str, Any]]:
        return _samples(problem)


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


class EnrolledUserSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    username = serializers.CharField(read_only=True)
    display_name = serializers.CharField(read_only=True)


class EnrollmentSerializer(serializers.ModelSerializer[Enrollment]):
    user = EnrolledUserSerializer(read_only=True)

    class Meta:
        model = Enrollment
        fields = ("id", "course", "user", "role", "created_at")
        read_only_fields = fields


def _samples(problem: Problem) -> list[dict[str, Any]]:
    return list(SampleTestSerializer(sample_tests(problem), many=True).data)
