"""`python -m tests.reliability.world STUDENTS`: a course with one problem, and students who are signed in.

Prints JSON: {"problem": id, "tokens": [...]}, a bearer token for each student.
"""

import json
import os
import sys

import django


def make_world(students: int) -> dict[str, object]:
    """Make everything, in the database that the settings name."""
    from django.utils import timezone

    from accounts.models import TokenFamily
    from accounts.tokens import token_pair_write
    from tests.courses.factories import AlgorithmProblemFactory, EnrollmentFactory
    from tests.reliability.programs import TESTS

    problem = AlgorithmProblemFactory(tests=TESTS, is_partial_credit=True).problem
    tokens = []
    for _ in range(students):
        user = EnrollmentFactory(course=problem.course).user
        family = TokenFamily.objects.create(user=user, current_jti="", expires_at=timezone.now())
        pair = token_pair_write(family_id=family.pk, user_id=user.pk)
        family.current_jti, family.expires_at = pair.refresh_jti, pair.refresh_expires_at
        family.save(update_fields=["current_jti", "expires_at"])
        tokens.append(pair.access)
    return {"problem": problem.pk, "tokens": tokens}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.reliability.settings")
    django.setup()
    sys.stdout.write(json.dumps(make_world(int(sys.argv[1]))))
