"""How a lock is told: in outlines, in lists, and where something locked is refused."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from courses.rules.unlocking import LockState, Node, Reason


def lock_as_json(lock: LockState, titles: Mapping[Node, str]) -> dict[str, Any] | None:
    """A lock as it is told: None where nothing is locked, else `{"reasons": [{"code", "missing", "opens_at"}]}`.

    `missing`: `[{"type": "chapter" or "problem", "id", "title"}]`.
    """
    if lock.is_unlocked:
        return None
    return {"reasons": [_reason_as_json(reason, titles) for reason in lock.reasons]}


def moment_as_json(moment: datetime | None) -> str | None:
    """A moment as the API writes them."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _reason_as_json(reason: Reason, titles: Mapping[Node, str]) -> dict[str, Any]:
    missing = [{"type": node[0], "id": node[1], "title": titles[node]} for node in reason.missing]
    return {"code": reason.code.value, "missing": missing, "opens_at": moment_as_json(reason.opens_at)}
