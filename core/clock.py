"""The application's clock (law 6): what was received when. Leases use the database's clock instead."""

from datetime import datetime
from typing import cast

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request


def received_at(request: HttpRequest | Request) -> datetime:
    """When the server received this request: the moment the outermost middleware stamped on it, in UTC."""
    django_request = request._request if isinstance(request, Request) else request
    return cast(datetime, getattr(django_request, "received_at", None) or timezone.now())
