"""What a request may meet instead of the right answer. Each is a behaviour, or makes one."""

import json
from collections.abc import Callable
from typing import Any

from tests.executor.judge0.standin.server import Behaviour, Exchange, Reply

HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
LONG_S = 60.0


def reset(exchange: Exchange) -> None:
    """The connection is reset before anything was done."""
    exchange.reset()


def hung_up(exchange: Exchange) -> None:
    """The connection is closed without a word."""
    exchange.close()


def reset_after(exchange: Exchange) -> None:
    """It was done, and the answer never arrives (F-24)."""
    exchange.right_answer()
    exchange.reset()


def hang(exchange: Exchange) -> None:
    """Silence, for longer than anybody waits; nothing was done."""
    exchange.wait(LONG_S)
    exchange.close()


def hang_after(exchange: Exchange) -> None:
    """It was done, then silence."""
    exchange.right_answer()
    hang(exchange)


def drip(exchange: Exchange) -> None:
    """The right answer, a byte at a time: each within every read timeout, all together never."""
    reply = exchange.right_answer()
    exchange.send_raw(reply.head())
    for position in range(len(reply.body)):
        if not exchange.wait(0.05):
            return
        exchange.send_raw(reply.body[position : position + 1])


def slow(seconds: float) -> Behaviour:
    """The right answer, late."""

    def behave(exchange: Exchange) -> None:
        reply = exchange.right_answer()
        if exchange.wait(seconds):
            exchange.send(reply)

    return behave


def answers(status: int, body: bytes | str = b"", content_type: str = "text/html", **headers: str) -> Behaviour:
    """This, whatever was asked; nothing was done. Headers are given as Retry_After="5"."""
    content = body.encode() if isinstance(body, str) else body
    reply = Reply(status=status, body=content, content_type=content_type, headers=headers)
    return lambda exchange: exchange.send(reply)


bad_gateway = answers(502, HTML)
queue_full = answers(503, '{"error": "queue is full"}', "application/json; charset=utf-8")


def cut(share: float) -> Behaviour:
    """The right answer, its body cut after a share of it, though all was announced."""

    def behave(exchange: Exchange) -> None:
        reply = exchange.right_answer()
        exchange.send_raw(reply.head() + reply.body[: int(len(reply.body) * share)])
        exchange.close()

    return behave


def truncated(exchange: Exchange) -> None:
    """JSON that stops half-way, with a length that agrees."""
    reply = exchange.right_answer()
    exchange.send(Reply(status=reply.status, body=reply.body[: len(reply.body) // 2]))


def body(content: bytes) -> Behaviour:
    """It was done, and the answer is this, with the status of success."""

    def behave(exchange: Exchange) -> None:
        exchange.send(Reply(status=exchange.right_answer().status, body=content))

    return behave


def changed(change: Callable[[Any], Any]) -> Behaviour:
    """The right answer, its JSON changed: `change` gives the new one."""

    def behave(exchange: Exchange) -> None:
        reply = exchange.right_answer()
        exchange.send(Reply(status=reply.status, body=json.dumps(change(reply.json)).encode()))

    return behave


def changed_items(change: Callable[[list[Any]], list[Any]]) -> Behaviour:
    """The same, for the items of a created batch or of a poll."""
    return changed(
        lambda found: {"submissions": change(found["submissions"])} if isinstance(found, dict) else change(found)
    )


def each_item(**fields: object) -> Behaviour:
    """The right answer, with these fields in every item that has them; the bytes b"drop" take a field away."""

    def change(items: list[Any]) -> list[Any]:
        return [
            item
            if item is None
            else {name: fields.get(name, value) for name, value in item.items() if fields.get(name, value) != b"drop"}
            for item in items
        ]

    return changed_items(change)
