"""Django over ASGI, for an application whose middlewares and views are all synchronous."""

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class SynchronousHandler(ASGIHandler):
    """Works a request off in its thread, from the first middleware to the last.

    Django's own handler goes back to the event loop in between, and from there to the thread again: some milliseconds
    of processor time a request, for the sake of asynchronous views, of which there are none.
    """

    def __init__(self) -> None:
        # Not Django's own: it would prepare the middlewares to be awaited.
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response)(request)


def synchronous_application() -> SynchronousHandler:
    """Set Django up, and the application that a server calls."""
    django.setup(set_prefix=False)
    return SynchronousHandler()
