"""Messages between processes, through Redis where there is one. Without it, or while it is away, each process polls."""

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import redis
import redis.asyncio
import structlog
from django.conf import settings
from redis.exceptions import DataError, RedisError, ResponseError

from core.cache_breaker import breaker_of

logger = structlog.get_logger("assay.events")

# How long the last message to a topic is there for who comes later.
KEPT_S = 120
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 10.0
# How often the waiting connection is asked whether it still stands.
ALIVE_S = 10.0
# Its own messages come back to each process too.
_ORIGIN = uuid.uuid4().hex

Deliver = Callable[[str, Mapping[str, Any]], None]


class Relay:
    """One Redis, as a way between processes. A call that fails is skipped, and so are those right after it."""

    def __init__(self, location: str, prefix: str, timeout_s: float) -> None:
        self._location = location
        self._client = redis.Redis.from_url(
            location, protocol=2, driver_info=None, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
        )
        # A channel spans the databases of a server; other installations may use them.
        number = self._client.connection_pool.connection_kwargs.get("db", 0)
        self._channel = f"{prefix}:{number}:events"

    def send(self, topic: str, message: Mapping[str, Any], *, is_kept: bool) -> None:
        """Pass a message on to the other processes."""
        text = json.dumps({"origin": _ORIGIN, "topic": topic, "message": message})

        def call() -> None:
            pipeline = self._client.pipeline(transaction=False)
            if is_kept:
                pipeline.set(self._key(topic), text, ex=KEPT_S)
            pipeline.publish(self._channel, text)
            pipeline.execute()

        self._ask(call)

    def latest(self, topic: str) -> Mapping[str, Any] | None:
        """The last message that was kept for a topic."""
        _, kept_topic, message = _read(self._ask(lambda: self._client.get(self._key(topic))))
        return message if kept_topic == topic else None

    async def pass_on(self, deliver: Deliver) -> None:
        """Deliver what other processes send, for ever, over one connection; a lost one is made anew, after a pause."""
        pause_s = BACKOFF_FIRST_S
        while True:
            client = redis.asyncio.Redis.from_url(
                self._location, protocol=2, driver_info=None, socket_connect_timeout=1, health_check_interval=ALIVE_S
            )
            try:
                async with client, client.pubsub(ignore_subscribe_messages=True) as messages:
                    await messages.subscribe(self._channel)
                    while True:
                        arrived = await messages.get_message(timeout=ALIVE_S)
                        pause_s = BACKOFF_FIRST_S
                        origin, topic, message = _read(arrived and arrived["data"])
                        if message is not None and origin != _ORIGIN:
                            deliver(topic, message)
            except (RedisError, OSError) as error:
                logger.warning("relay_away", fault=type(error).__name__, pause_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(BACKOFF_MAX_S, 2 * pause_s)

    def _key(self, topic: str) -> str:
        return f"{self._channel}:{topic}"

    def _ask(self, call: Callable[[], Any]) -> Any:
        breaker = breaker_of(self._location)
        ticket = breaker.admit()
        if ticket is None:
            return None
        try:
            answer = call()
        except (ResponseError, DataError):
            answer = None  # it did answer: a full memory, a replica that takes no writes
        except (RedisError, OSError) as error:
            breaker.failed(ticket, type(error).__name__)
            return None
        breaker.passed(ticket)
        return answer


def current_relay() -> Relay | None:
    """The way through the Redis that the settings name; None where they name none."""
    cache = settings.CACHES["default"]
    location = str(cache.get("LOCATION", ""))
    if not location.startswith(("redis:", "rediss:", "unix:")):
        return None
    return _relay(location, str(cache.get("KEY_PREFIX", "")), float(cache["OPTIONS"]["SOCKET_TIMEOUT"]))


@lru_cache(maxsize=4)
def _relay(location: str, prefix: str, timeout_s: float) -> Relay:
    return Relay(location, prefix, timeout_s)


def _read(text: Any) -> tuple[str, str, Mapping[str, Any] | None]:
    """Origin, topic and message; what is not ours is no message."""
    try:
        envelope = json.loads(text)
        origin, topic, message = envelope["origin"], envelope["topic"], envelope["message"]
    except (TypeError, ValueError, KeyError, RecursionError):
        return "", "", None
    return str(origin), str(topic), message if isinstance(message, dict) else None
