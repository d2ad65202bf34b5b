"""Asks whether a container is well: `healthcheck.py URL` for a web process, `healthcheck.py FILE` for a worker.

A URL must answer 200; a file must have been touched within the last half minute (`manage.py judge_worker --heartbeat`).
Standard library only, so that it starts fast.
"""

import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

TIMEOUT_S = 4
HEARTBEAT_MAX_AGE_S = 30


def trouble(target: str) -> str | None:
    """What is wrong, as a sentence; None where all is well."""
    if target.startswith("http://"):
        try:
            with urllib.request.urlopen(target, timeout=TIMEOUT_S) as answer:  # noqa: S310 - http only, as just seen
                return None if answer.status == 200 else f"{target} answered {answer.status}."
        except (urllib.error.URLError, OSError) as error:
            return f"{target} gave no good answer: {error}"
    try:
        age_s = time.time() - Path(target).stat().st_mtime
    except OSError as error:
        return f"There is no sign of life: {error}"
    return None if age_s <= HEARTBEAT_MAX_AGE_S else f"The last sign of life is {age_s:.0f} s old."


if __name__ == "__main__":
    sys.exit(trouble(sys.argv[1]))
