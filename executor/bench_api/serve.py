"""`python -m executor.bench_api.serve STUDENTS TESTS`: the real server with its own workers, and a problem to solve.

It prints one line of JSON (`port`, `tokens`, `problem_id`) once it listens, and serves until it is ended.
"""

import secrets
import sys
from collections.abc import Mapping
from typing import Any

from courses.bench.serve import serve


def _seed() -> Mapping[str, Any]:
    from accounts.services import token_obtain
    from executor.bench_api.course import seed

    password = secrets.token_urlsafe()
    seeded = seed(students=int(sys.argv[1]), tests=int(sys.argv[2]), password=password)
    tokens = [token_obtain(name=name, password=password).access for name in seeded.usernames]
    return {"tokens": tokens, "problem_id": seeded.problem_id}


if __name__ == "__main__":
    serve(_seed, urls="executor.bench_api.urls")
