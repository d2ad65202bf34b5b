"""Courses, and who has a place in them."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Membership, Organization
from core.fields import TokenField
from core.windows import CountWindow
from courses.models.publishing import Publishable, publishing_constraints


class CourseQuerySet(models.QuerySet["Course"]):
    def staffed_by(self, user: Any) -> "CourseQuerySet":
        """The courses a user is staff of. This is the one definition of "staff of a course":

        an enrollment as instructor or assistant, or the organization role owner or admin; a superuser is staff of all.
        """
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(
            Exists(
                Enrollment.objects.active().filter(course=OuterRef("pk"), user=user, role__in=Enrollment.STAFF_ROLES)
            )
            | Exists(
                Membership.objects.filter(
                    organization=OuterRef("organization"), user=user, role__in=Membership.STAFF_ROLES
                )
            )
        )

    def visible_to(self, user: Any) -> "CourseQuerySet":
        """What a user may see: courses they are staff of, and those published now that they are enrolled in."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(pk__in=self.model.objects.staffed_by(user).values("pk")) | self._attended_by(user))

    def attended_by(self, user: Any) -> "CourseQuerySet":
        """The courses published now that a user is enrolled in, whatever their role."""
        return self.filter(self._attended_by(user)) if user.is_authenticated else self.none()

    def _attended_by(self, user: Any) -> Q:
        enrolled = Exists(Enrollment.objects.active().filter(course=OuterRef("pk"), user=user))
        return Q(Course.published_at(timezone.now()), enrolled)

    def with_staffing(self, user: Any) -> "CourseQuerySet":
        """Each course with `is_staffed`: whether the user is staff of it."""
        return self.annotate(is_staffed=Exists(self.model.objects.staffed_by(user).filter(pk=OuterRef("pk"))))

    def joinable_by(self, user: Any) -> "CourseQuerySet":
        """The open courses, published now, of the organizations a user is a member of: anyone of these may join."""
        if not user.is_authenticated:
            return self.none()
        member = Exists(Membership.objects.filter(organization=OuterRef("organization"), user=user))
        return self.filter(Course.published_at(timezone.now()) & Q(is_open=True) & member)


class Course(Publishable):
    """A course of an organization. Drafts are for its staff alone; archived ones stay, with their marks."""

    class LatePolicy(models.TextChoices):
        """What work received at or after its due date is worth."""

        NONE = "none"
        PER_DAY = "per_day"
        CUT_OFF = "cut_off"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="courses")
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80)
    description = models.TextField(blank=True)
    # Members of the organization may enroll themselves; others need an invitation code or staff.
    is_open = models.BooleanField(default=False)
    # How many students there may be; None: any number.
    capacity = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    late_policy = models.CharField(max_length=10, choices=LatePolicy.choices, default=LatePolicy.NONE)
    # With `per_day`: what part of the score each day begun after the due date takes, in percent.
    late_percent_per_day = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=Decimal(10),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    # Part of the key of all that is cached of this course; replaced in each transaction that changes what its students
    # see of it (law 5).
    content_token = TokenField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    # Only where `CourseQuerySet.with_staffing` told it.
    is_staffed: bool

    objects = CourseQuerySet.as_manager()

    class Meta:
        ordering = ["title", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "slug"], name="course_slug_unique"),
            *publishing_constraints("course"),
            models.CheckConstraint(condition=Q(capacity__isnull=True) | Q(capacity__gte=1), name="course_capacity_any"),
            models.CheckConstraint(
                condition=Q(late_policy__in=["none", "per_day", "cut_off"]), name="course_late_policy_known"
            ),
            models.CheckConstraint(
                condition=Q(late_percent_per_day__range=(0, 100)), name="course_late_percent_0_to_100"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class CourseGroupQuerySet(models.QuerySet["CourseGroup"]):
    def visible_to(self, user: Any) -> "CourseGroupQuerySet":
        """Those of the courses one is staff of."""
        return self.filter(course__in=Course.objects.staffed_by(user))


class CourseGroup(models.Model):
    """A section of a course: who sits in the same room, or has the same assistant."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=100)

    objects = CourseGroupQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["course", "name"], name="coursegroup_name_unique")]

    def __str__(self) -> str:
        return self.name


class EnrollmentQuerySet(models.QuerySet["Enrollment"]):
    def active(self) -> "EnrollmentQuerySet":
        """Those who are in their course now; the others left, and their history stays."""
        return self.filter(left_at__isnull=True)

    def seated(self) -> "EnrollmentQuerySet":
        """The active students: those whom a course's capacity counts."""
        return self.active().filter(role=Enrollment.Role.STUDENT)

    def visible_to(self, user: Any) -> "EnrollmentQuerySet":
        """One's own enrollments, and all of the courses one is staff of."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(user=user) | Q(course__in=Course.objects.staffed_by(user)))


class Enrollment(models.Model):
    """One user's place in one course. Who leaves keeps the row, and with it what they achieved."""

    class Role(models.TextChoices):
        STUDENT = "student"
        ASSISTANT = "assistant"
        INSTRUCTOR = "instructor"

    STAFF_ROLES = (Role.ASSISTANT, Role.INSTRUCTOR)

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="enrollments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrollments")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.STUDENT)
    group = models.ForeignKey(CourseGroup, on_delete=models.SET_NULL, related_name="enrollments", null=True, blank=True)
    # When they left; None while they are in the course.
    left_at = models.DateTimeField(null=True, blank=True)
    # Part of the key of all that is cached for this student in this course; replaced in each transaction that changes
    # what they see (law 5).
    cache_token = TokenField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["course", "user"], name="enrollment_unique"),
            models.CheckConstraint(
                condition=Q(role__in=["student", "assistant", "instructor"]), name="enrollment_role_known"
            ),
        ]
        indexes = [models.Index(fields=["course", "role", "id"], name="enrollment_of_course")]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} in {self.course_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        # One transaction, so that what hangs on this row's signals commits with it.
        with transaction.atomic():
            super().save(*args, **kwargs)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def visible_to(self, user: Any) -> "InvitationQuerySet":
        """Those of the courses one is staff of: a code is a key."""
        return self.filter(course__in=Course.objects.staffed_by(user))

    def usable_at(self, now: datetime) -> "InvitationQuerySet":
        """Those that let somebody in at a moment: neither revoked, expired nor used up, of a course published then."""
        return self.filter(
            Q(revoked_at__isnull=True)
            & (Q(expires_at__isnull=True) | Q(expires_at__gt=now))
            & (Q(uses_max__isnull=True) | Q(uses__lt=models.F("uses_max")))
            & Course.published_at(now, "course__")
        )


class Invitation(models.Model):
    """A code with which people enroll themselves as students."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="invitations")
    code = models.CharField(max_length=32, unique=True)
    # The section those who use it come into.
    group = models.ForeignKey(CourseGroup, on_delete=models.SET_NULL, related_name="+", null=True, blank=True)
    # None: any number.
    uses_max = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    uses = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(uses_max__isnull=True) | Q(uses__lte=models.F("uses_max")), name="invitation_uses_within"
            ),
            models.CheckConstraint(condition=~Q(code=""), name="invitation_code_present"),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk} to course {self.course_id}"


class JoinQuota(CountWindow):
    """How many invitation codes one user tried within the window."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="join_quota")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"user {self.user_id} tried {self.count} codes since {self.window_started_at}"
