"""What has to be thrown away from time to time: each app registers its own, and the sweeper runs them all."""

from collections.abc import Callable

import structlog

logger = structlog.get_logger("assay.housekeeping")

_cleanups: dict[str, Callable[[], int]] = {}


def register_cleanup(name: str, clean: Callable[[], int]) -> None:
    """Let housekeeping call `clean`, which deletes what is over and tells how much that was, in bounded steps.

    For `AppConfig.ready()`; what has its name already is replaced.
    """
    _cleanups[name] = clean


def clean_up() -> dict[str, int]:
    """Run every cleanup; how much each threw away. One that fails is logged, and costs the others nothing."""
    done: dict[str, int] = {}
    for name, clean in _cleanups.items():
        try:
            done[name] = clean()
        except Exception:
            logger.exception("cleanup_failed", cleanup=name)
    return done
