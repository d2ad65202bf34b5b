"""How commands name a course."""

from django.core.management.base import CommandError

from courses.models import Course


def course_named(name: str) -> Course:
    """The course of this number, or of `ORGANIZATION/COURSE` by their slugs.

    Raises:
        CommandError: there is none.
    """
    courses = Course.objects.all()
    organization, slash, slug = name.partition("/")
    if slash:
        course = courses.filter(organization__slug=organization, slug=slug).first()
    else:
        course = courses.filter(pk=int(name)).first() if name.isdecimal() and len(name) < 19 else None
    if course is None:
        raise CommandError(f"There is no course {name!r}: give its number, or ORGANIZATION/COURSE by their slugs.")
    return course
