"""Which courses one may come into, and the groups of those one teaches."""

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from courses.models import Course, CourseGroup, Enrollment


def catalog_for(user: User) -> QuerySet[Course]:
    """The courses a user may join by themselves, by title, each with `student_count` and their own `is_enrolled`."""
    of_course = Enrollment.objects.filter(course=OuterRef("pk"))
    students = of_course.filter(left_at__isnull=True, role=Enrollment.Role.STUDENT).order_by().values("course")
    counted = Subquery(students.annotate(number=Count("pk")).values("number"), output_field=IntegerField())
    return (
        Course.objects.joinable_by(user)
        .annotate(
            student_count=Coalesce(counted, 0),
            is_enrolled=Exists(of_course.filter(left_at__isnull=True, user=user)),
        )
        .order_by("title", "pk")
    )


def courses_known_to(user: User) -> QuerySet[Course]:
    """The courses a user knows of: those they may see, and those they may join."""
    return Course.objects.filter(
        Q(pk__in=Course.objects.visible_to(user).values("pk")) | Q(pk__in=Course.objects.joinable_by(user).values("pk"))
    )


def groups_of(course: Course) -> QuerySet[CourseGroup]:
    """A course's groups by name, each with its `member_count`."""
    active = Count("enrollments", filter=Q(enrollments__left_at__isnull=True))
    return course.groups.annotate(member_count=active).order_by(F("name"), "pk")
