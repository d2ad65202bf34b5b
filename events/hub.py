"""Messages from whoever changes something to whoever watches it, in this process and, through Redis, in the others.

A message is a hint: it may be lost or come twice, and who acts on one reads the truth from the database.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog

from events.relay import KEPT_S, current_relay

logger = structlog.get_logger("assay.events")

Message = Mapping[str, Any]
Listener = Callable[[Message], None]

_lock = threading.Lock()
_listeners: dict[str, list[Listener]] = {}
_kept: dict[str, tuple[float, Message]] = {}


def publish(topic: str, message: Message, *, is_kept: bool = False) -> None:
    """Tell everybody who listens to the topic. From any thread; it never raises, and takes a moment at most.

    With `is_kept` it is the topic's `latest` for a minute or two.
    """
    try:
        if is_kept:
            _keep(topic, message)
        deliver(topic, message)
        if relay := current_relay():
            relay.send(topic, message, is_kept=is_kept)
    except Exception:
        logger.exception("publish_failed", topic=topic)


def deliver(topic: str, message: Message) -> None:
    """Tell those who listen in this process."""
    with _lock:
        listeners = list(_listeners.get(topic, ()))
    for listener in listeners:
        try:
            listener(message)
        except Exception:
            # One that is just ending must not cost the others their news.
            logger.warning("listener_failed", topic=topic, exc_info=True)


@contextmanager
def listening(topic: str, listener: Listener) -> Iterator[None]:
    """Call `listener` with each message to the topic, in the thread that publishes it: it has to be quick."""
    with _lock:
        _listeners.setdefault(topic, []).append(listener)
    try:
        yield
    finally:
        with _lock:
            _listeners[topic].remove(listener)
            if not _listeners[topic]:
                del _listeners[topic]


def latest(topic: str) -> Message | None:
    """The last message that was kept, for who comes later; None where there is none, or nobody knows."""
    with _lock:
        ends_s, message = _kept.get(topic, (0.0, None))
    if message is not None and time.monotonic() < ends_s:
        return message
    relay = current_relay()
    return relay.latest(topic) if relay else None


def _keep(topic: str, message: Message) -> None:
    now_s = time.monotonic()
    with _lock:
        # Moved to the end, so that those whose time is over are the first.
        _kept.pop(topic, None)
        _kept[topic] = (now_s + KEPT_S, message)
        while (oldest := next(iter(_kept))) != topic and _kept[oldest][0] <= now_s:
            del _kept[oldest]
