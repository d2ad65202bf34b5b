"""Events as they go over the wire, and which one comes next. Pure.

Source: the HTML standard, 9.2 (server-sent events).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

# How long a client waits before it connects again.
RETRY = "retry: 2000\n\n"
KEEP_ALIVE = ": still here\n\n"
_ID = re.compile(r"(\d{1,10})\.(\d{1,10})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a listener knows: a version, and how many of its items. It is the id of the event that told it."""

    version: int = -1
    items: int = 0


NOTHING_SEEN = Seen()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a certain listener may be told now. A version's `items` only grow, at the end; data is told with them."""

    name: str
    version: int
    data: Mapping[str, Any]
    items: Sequence[Mapping[str, Any]]
    is_final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event, and what its reader has seen then."""

    text: str
    seen: Seen


def seen_of(last_event_id: str) -> Seen:
    """What the client says it has seen; nothing, where that is no id of ours."""
    found = _ID.fullmatch(last_event_id) if last_event_id.isascii() else None
    return Seen(version=int(found[1]), items=int(found[2])) if found else NOTHING_SEEN


def event_of(seen: Seen, shown: Shown) -> Event | None:
    """What to send to who has seen so much: everything (of a new version), the items that are new, or nothing."""
    now = Seen(version=shown.version, items=len(shown.items))
    if seen.version != now.version:
        text = event_text(shown.name, {**shown.data, "tests": shown.items}, seen=now)
        return Event(text=text, seen=now)
    if shown.is_final or now.items <= seen.items:
        return None
    return Event(text=event_text("progress", {"tests": shown.items[seen.items :]}, seen=now), seen=now)


def event_text(name: str, data: Mapping[str, Any], *, seen: Seen | None = None) -> str:
    """One event. JSON without line breaks, so that whatever a program printed stays inside its line."""
    number = "" if seen is None else f"id: {seen.version}.{seen.items}\n"
    body = json.dumps(data, cls=DjangoJSONEncoder, separators=(",", ":"), allow_nan=False)
    return f"event: {name}\n{number}data: {body}\n\n"
