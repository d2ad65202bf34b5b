"""Tokens: replacing one makes all that is cached under it unreachable at once, whatever happens to the cache (law 5).

Each is replaced in the transaction that changes what is cached, so that a rollback leaves it, and once however many
changes that makes.
"""

import uuid
from collections.abc import Collection

from django.core.cache import cache

from core.once import once_per_transaction
from courses.models import Course, Enrollment
from courses.selectors.cached import CachePlace, cache_place, student_cache_key

# What is cached once per student and course. Its old keys are deleted; all others end by their time to live.
TIDIED_KINDS = ("outline",)
BATCH = 500


def enrollment_cache_replace(*, enrollment_id: int) -> None:
    """Forget what is cached for one student in one course."""
    former: list[CachePlace] = []

    def replace() -> None:
        if place := cache_place(enrollment_id):
            former.append(place)
        Enrollment.objects.filter(pk=enrollment_id).update(cache_token=uuid.uuid4())

    def tidy() -> None:
        cache.delete_many([student_cache_key(place, kind) for place in former for kind in TIDIED_KINDS])

    once_per_transaction(("courses.enrollment_token", enrollment_id), replace, after_commit=tidy)


def enrollments_cache_replace(*, enrollment_ids: Collection[int]) -> None:
    """Forget what is cached for many students, in one statement for each 500 of them.

    The caller holds their rows, or nobody else writes them: these statements lock them in no particular order.
    """
    ordered = sorted(enrollment_ids)
    for start in range(0, len(ordered), BATCH):
        # One token for a batch is enough: the enrollment is part of each key.
        Enrollment.objects.filter(pk__in=ordered[start : start + BATCH]).update(cache_token=uuid.uuid4())


def course_cache_replace(*, course_id: int) -> None:
    """Forget what is cached of a course for all of its students.

    It locks the course: whoever locks something inside of one locks the course before. Keys of thousands of students
    are not deleted; they end by their time to live.
    """

    def replace() -> None:
        Course.objects.filter(pk=course_id).update(content_token=uuid.uuid4())

    once_per_transaction(("courses.course_token", course_id), replace)
