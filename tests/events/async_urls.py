"""What a stream would be as a plain asynchronous view of Django; for the control of what ours cost."""

import asyncio
from collections.abc import AsyncIterator

from django.http import HttpRequest, StreamingHttpResponse
from django.urls import path

from config import urls


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    async def events() -> AsyncIterator[str]:
        while True:
            yield "event: submission\ndata: {}\n\n"
            await asyncio.sleep(3600)

    return StreamingHttpResponse(events(), content_type="text/event-stream")


urlpatterns = [path("plain-stream/", stream), *urls.urlpatterns]
