"""Bodies are taken in whole and within bounds before Django begins."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun import freeze_time

from core.asgi import RECEIVED_AT, Receive, Scope, Send, with_whole_body

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Exchange:
    """One request through `with_whole_body`, with what Django got to see of it."""

    def __init__(
        self,
        chunks: Iterable[bytes],
        *,
        headers: list[tuple[bytes, bytes]] | None = None,
        leaves_early: bool = False,
        clock: Any = None,
    ) -> None:
        self.seen: dict[str, Any] | None = None
        self.body = b""
        self.taken = 0
        self.taken_before_django = 0
        self.after: str | None = None
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
        ]
        if messages and not leaves_early:
            messages[-1]["more_body"] = False
        remaining: Iterator[dict[str, Any]] = iter([*messages, {"type": "http.disconnect"}])

        async def receive() -> Mapping[str, Any]:
            if clock:
                clock.tick(timedelta(seconds=10))
            message = next(remaining)
            self.taken += message["type"] == "http.request"
            return message

        async def send(message: Mapping[str, Any]) -> None:
            raise AssertionError("nobody answers here")

        async def django(scope: Scope, receive: Receive, send: Send) -> None:
            self.seen = scope
            self.taken_before_django = self.taken
            message = await receive()
            assert message["more_body"] is False
            self.body = message["body"]
            self.after = (await receive())["type"]

        scope = {"type": "http", "headers": headers or []}
        asyncio.run(with_whole_body(django, limit_bytes=10, form_limit_bytes=20)(scope, receive, send))

    @property
    def length(self) -> bytes:
        assert self.seen is not None
        (length,) = [value for name, value in self.seen["headers"] if name == b"content-length"]
        assert isinstance(length, bytes)
        return length


class TestWholeBody:
    def test_a_chunked_body_arrives_whole_and_with_its_length(self) -> None:
        exchange = Exchange([b"12345", b"", b"67890"], headers=[(b"host", b"x"), (b"transfer-encoding", b"chunked")])
        assert (exchange.body, exchange.length, exchange.after) == (b"1234567890", b"10", "http.disconnect")
        assert exchange.seen is not None
        assert (b"host", b"x") in exchange.seen["headers"]

    def test_forms_have_a_limit_of_their_own(self) -> None:
        chunks = [b"12345678", b"12345678"]
        for content_type in (b"multipart/form-data; boundary=x", b"Multipart/Form-Data"):
            form = Exchange(chunks, headers=[(b"content-type", content_type)])
            assert (form.body, form.length) == (b"1234567812345678", b"16")
        for content_type in (b"application/json", b"multipart/mixed", b"text/plain; multipart/form-data"):
            other = Exchange(chunks, headers=[(b"content-type", content_type)])
            assert (other.body, int(other.length) > 10) == (b"", True)
        beyond = Exchange([b"x" * 12] * 3, headers=[(b"content-type", b"multipart/form-data")])
        assert (beyond.body, int(beyond.length) > 20) == (b"", True)

    def test_a_request_without_a_body(self) -> None:
        exchange = Exchange([b""])
        assert (exchange.body, exchange.length) == (b"", b"0")

    def test_a_body_that_states_too_much_is_not_read(self) -> None:
        exchange = Exchange([b"x"] * 100, headers=[(b"content-length", b"11")])
        assert (exchange.body, exchange.length, exchange.taken_before_django) == (b"", b"11", 0)

    def test_a_chunked_body_is_read_only_up_to_the_limit(self) -> None:
        exchange = Exchange([b"xxxx"] * 1000)
        assert (exchange.body, exchange.length, exchange.taken_before_django) == (b"", b"12", 3)
        # The rest is dropped while Django waits for the caller to leave; it must not meet it as a message.
        assert (exchange.taken, exchange.after) == (1000, "http.disconnect")

    def test_a_caller_who_leaves_half_way_is_not_served(self) -> None:
        assert Exchange([b"123", b"456"], leaves_early=True).seen is None

    def test_receipt_is_when_the_body_was_complete(self) -> None:
        """Else a request begun before a deadline could be dribbled in for an hour after it."""
        with freeze_time(NOON) as clock:
            exchange = Exchange([b"1", b"2", b"3"], clock=clock)
        assert exchange.seen is not None
        assert exchange.seen[RECEIVED_AT] == NOON + timedelta(seconds=30)

    def test_other_messages_pass_untouched(self) -> None:
        seen = []

        async def django(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope)

        async def never(*args: Any) -> Any:
            raise AssertionError

        asyncio.run(with_whole_body(django, limit_bytes=10)({"type": "websocket"}, never, never))
        assert seen == [{"type": "websocket"}]
