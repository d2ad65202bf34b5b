"""The application's clock (law 6): what was received when. Leases use the database's clock instead."""

from datetime import datetime
from typing import cast

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request


def received_at(request: HttpRequest | Request) -> datetime:
    """When the server had received this request in full, in UTC, as the outermost middleware stamped it.

    A request that passed no middleware (built by hand, in a test of one view) is received now.
    """
    django_request = request._request if isinstance(request, Request) else request
    stamp = getattr(django_request, "received_at", None)
    return timezone.now() if stamp is None else cast(datetime, stamp)
