"""What the API shows of who is in a course. Codes and rosters are for its staff alone."""

from typing import Any

from rest_framework import serializers

from courses.models import Course, CourseGroup, Enrollment, Invitation
from courses.rules.invitation_codes import code_grouped
from courses.rules.roster import Outcome


class EnrolledUserSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    username = serializers.CharField(read_only=True)
    display_name = serializers.CharField(read_only=True)


class EnrollmentSerializer(serializers.ModelSerializer[Enrollment]):
    user = EnrolledUserSerializer(read_only=True)

    class Meta:
        model = Enrollment
        fields = ("id", "course", "user", "role", "group", "left_at", "created_at")
        read_only_fields = fields


class CatalogCourseSerializer(serializers.ModelSerializer[Course]):
    """An open course, for those who may join it; `courses.selectors.catalog` counts its students."""

    seats_left = serializers.SerializerMethodField(help_text="null: any number.")
    is_enrolled = serializers.BooleanField(read_only=True)

    class Meta:
        model = Course
        fields = ("id", "organization", "title", "slug", "description", "seats_left", "is_enrolled")
        read_only_fields = fields

    def get_seats_left(self, course: Any) -> int | None:
        return None if course.capacity is None else max(0, course.capacity - course.student_count)


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    code = serializers.SerializerMethodField()

    class Meta:
        model = Invitation
        fields = ("id", "course", "code", "group", "uses_max", "uses", "expires_at", "revoked_at", "created_at")
        read_only_fields = fields

    def get_code(self, invitation: Invitation) -> str:
        return code_grouped(invitation.code)


class CourseGroupSerializer(serializers.ModelSerializer[CourseGroup]):
    class Meta:
        model = CourseGroup
        fields = ("id", "course", "name")
        read_only_fields = fields


class CourseGroupWithSizeSerializer(serializers.ModelSerializer[CourseGroup]):
    member_count = serializers.IntegerField(read_only=True, help_text="Those in the course now.")

    class Meta:
        model = CourseGroup
        fields = ("id", "course", "name", "member_count")
        read_only_fields = fields


class RosterLineSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(read_only=True, help_text="From 1, below the header, empty rows left out.")
    user = serializers.CharField(read_only=True)
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in Outcome], read_only=True)
    code = serializers.CharField(read_only=True, allow_null=True, help_text="What is wrong, for errors.")
    detail = serializers.CharField(read_only=True, allow_null=True)


class RosterTotalsSerializer(serializers.Serializer[Any]):
    enrolled = serializers.IntegerField(read_only=True)
    revived = serializers.IntegerField(read_only=True)
    changed = serializers.IntegerField(read_only=True)
    unchanged = serializers.IntegerField(read_only=True)
    error = serializers.IntegerField(read_only=True)


class RosterReportSerializer(serializers.Serializer[Any]):
    is_written = serializers.BooleanField(read_only=True)
    totals = RosterTotalsSerializer(read_only=True)
    rows = RosterLineSerializer(many=True, read_only=True)
