"""So many requests are worked on at a time; the others wait in order, and nobody can hold a place by being slow."""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from freezegun import freeze_time
from pytest_django import Settings

from core.asgi import RECEIVED_AT, Application, Receive, Scope, Send, with_whole_body
from core.places import requests_at_once, with_places

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
START: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}


class Caller:
    """One request, and what came back."""

    def __init__(self, application: Application, address: str = "/", number: int = 0) -> None:
        self.leaves = asyncio.Event()
        self.answers: list[Mapping[str, Any]] = []
        scope = {"type": "http", "path": address, "headers": [], "number": number, "method": "GET", "query_string": b""}
        self._has_body = True
        self.task = asyncio.ensure_future(application(scope, self._receive, self._send))

    async def _receive(self) -> Mapping[str, Any]:
        if self._has_body:
            self._has_body = False
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        self.answers.append(message)

    @property
    def status(self) -> int:
        return int(self.answers[0]["status"])


class Work:
    """An application whose requests stay inside until they are let out, all or one by one."""

    def __init__(self) -> None:
        self.inside: list[int] = []
        self.order: list[int] = []
        self.most = 0
        self.ends: dict[int, asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = scope["number"]
        await receive()
        self.order.append(number)
        self.inside.append(number)
        self.most = max(self.most, len(self.inside))
        self.ends[number] = asyncio.Event()
        await self.ends[number].wait()
        self.inside.remove(number)
        await send(START)
        await send({"type": "http.response.body", "body": b""})

    async def is_inside(self, *numbers: int) -> None:
        async with asyncio.timeout(20):
            while not set(numbers) <= set(self.inside):
                await asyncio.sleep(0)


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


async def turns() -> None:
    """Let everything that can go on, go on."""
    for _ in range(20):
        await asyncio.sleep(0)


class TestLine:
    def test_no_more_than_that_are_inside_and_the_others_come_in_order(self) -> None:
        async def story() -> None:
            work = Work()
            application = with_places(work, at_once=3)
            callers = [Caller(application, number=number) for number in range(10)]
            for number in range(10):
                await work.is_inside(number)
                work.ends[number].set()
                await turns()
            await asyncio.gather(*(caller.task for caller in callers))
            assert (work.most, work.order) == (3, list(range(10)))
            assert {caller.status for caller in callers} == {200}

        run(story)

    def test_control_without_places_all_are_inside(self) -> None:
        async def story() -> None:
            work = Work()
            callers = [Caller(work, number=number) for number in range(10)]
            await work.is_inside(*range(10))
            for end in work.ends.values():
                end.set()
            await asyncio.gather(*(caller.task for caller in callers))
            assert work.most == 10

        run(story)

    @pytest.mark.parametrize("address", ["/healthz", "/readyz"])
    def test_probes_are_never_kept_waiting(self, address: str) -> None:
        async def story() -> None:
            work = Work()
            application = with_places(work, at_once=1)
            first, probe = Caller(application, number=1), Caller(application, address, number=2)
            await work.is_inside(1, 2)
            for end in work.ends.values():
                end.set()
            await asyncio.gather(first.task, probe.task)

        run(story)

    def test_who_leaves_the_line_is_not_worked_for(self) -> None:
        async def story() -> None:
            work = Work()
            application = with_places(work, at_once=1)
            first, leaving, third = (Caller(application, number=number) for number in range(3))
            await work.is_inside(0)
            leaving.leaves.set()
            await leaving.task
            work.ends[0].set()
            await work.is_inside(2)
            work.ends[2].set()
            await asyncio.gather(first.task, third.task)
            assert (work.order, leaving.answers) == ([0, 2], [])

        run(story)

    def test_who_is_cancelled_gives_the_place_back(self) -> None:
        async def story() -> None:
            work = Work()
            application = with_places(work, at_once=1)
            first, cancelled = Caller(application, number=0), Caller(application, number=1)
            await work.is_inside(0)
            await turns()
            work.ends[0].set()
            await first.task
            cancelled.task.cancel()
            with suppress(asyncio.CancelledError):
                await cancelled.task
            last = Caller(application, number=2)
            await work.is_inside(2)
            work.ends[2].set()
            await last.task

        run(story)

    def test_a_line_that_is_full_refuses(self) -> None:
        async def story() -> None:
            work = Work()
            application = with_places(work, at_once=1, waiting_max=1)
            first, second, third = (Caller(application, number=number) for number in range(3))
            await third.task
            assert third.status == 503
            assert dict(third.answers[0]["headers"])[b"retry-after"] == b"5"
            problem = json.loads(third.answers[1]["body"])
            assert (problem["code"], problem["status"]) == ("service_unavailable", 503)
            for number in range(2):
                await work.is_inside(number)
                work.ends[number].set()
            await asyncio.gather(first.task, second.task)

        run(story)

    def test_patience_ends(self) -> None:
        async def story() -> None:
            work = Work()
            application = with_places(work, at_once=1, patience_s=0.05)
            first, second = Caller(application, number=0), Caller(application, number=1)
            await second.task
            assert second.status == 503
            work.ends[0].set()
            await first.task
            assert work.order == [0]

        run(story)

    def test_receipt_is_before_the_wait(self) -> None:
        """Else whoever hands in a second before a deadline would be late because the server is busy."""
        seen: dict[int, datetime] = {}

        async def story() -> None:
            work = Work()

            async def django(scope: Scope, receive: Receive, send: Send) -> None:
                seen[scope["number"]] = scope[RECEIVED_AT]
                await work(scope, receive, send)

            with freeze_time(NOON) as clock:
                application = with_whole_body(with_places(django, at_once=1), limit_bytes=10)
                callers = [Caller(application, number=number) for number in range(2)]
                await work.is_inside(0)
                clock.tick(timedelta(seconds=10))
                work.ends[0].set()
                await work.is_inside(1)
                work.ends[1].set()
                await asyncio.gather(*(caller.task for caller in callers))

        run(story)
        assert seen == {0: NOON, 1: NOON}


class TestSlowCallers:
    def test_who_reads_slowly_holds_no_place(self) -> None:
        async def story() -> None:
            reads = asyncio.Event()

            async def answering(scope: Scope, receive: Receive, send: Send) -> None:
                await receive()
                await send(START)
                await reads.wait()  # as a server does while its buffer is full

            application = with_places(answering, at_once=1)
            callers = [Caller(application) for _ in range(3)]
            await turns()
            assert [len(caller.answers) for caller in callers] == [1, 1, 1]
            reads.set()
            await asyncio.gather(*(caller.task for caller in callers))

        run(story)


class View:
    """A synchronous view of Django that stays inside until it is let out."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self.lock = threading.Lock()
        self.out = threading.Event()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.out.wait(20)
        with self.lock:
            self.inside -= 1
        return HttpResponse()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.01)


class Urls:
    def __init__(self, view: View) -> None:
        self.urlpatterns = [path("", view)]


class TestCallersWhoLeave:
    def test_their_place_is_free_when_their_thread_has_ended(self, settings: Settings) -> None:
        """Django drops the request; what it began in a thread runs on, and counts as long."""
        view = View()
        settings.ROOT_URLCONF = Urls(view)
        settings.MIDDLEWARE = []
        settings.ALLOWED_HOSTS = ["*"]

        async def story() -> None:
            application = with_places(get_asgi_application(), at_once=1)
            leaving = Caller(application)
            await view.until(lambda: view.inside == 1)
            leaving.leaves.set()
            second = Caller(application)
            await turns()
            assert not leaving.task.done()
            view.out.set()
            await asyncio.gather(leaving.task, second.task)

        run(story)
        assert view.most == 1


class TestHowMany:
    def test_never_more_than_the_pool_has_connections(self, settings: Settings) -> None:
        settings.CORE_REQUESTS_AT_ONCE = 16
        for options, expected in (({"pool": {"max_size": 8}}, 8), ({"pool": {"max_size": 50}}, 16), ({}, 16)):
            settings.DATABASES["default"]["OPTIONS"], before = options, settings.DATABASES["default"].get("OPTIONS", {})
            try:
                assert requests_at_once() == expected
            finally:
                settings.DATABASES["default"]["OPTIONS"] = before
