"""`/metrics` in Prometheus' text format: what processes counted, and what apps read when somebody asks.

Where several processes share a machine, each writes what it counts into files of `PROMETHEUS_MULTIPROC_DIR`, and
whichever of them answers adds them up. No label holds anything that callers choose.
"""

import os
import threading
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from core.problems import method_not_allowed, not_found, problem_response

logger = structlog.get_logger("assay.metrics")

SAFE = ("GET", "HEAD")
METHODS = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"))
# Whoever sends one of these came through a proxy: the address that is seen is not the caller's.
FORWARDING = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")

# When each counter began is a figure more for each, and asked for by nobody.
disable_created_metrics()

HTTP_REQUESTS = Counter("assay_http_requests", "Requests answered.", ["method", "route", "status"])
HTTP_SECONDS = Histogram(
    "assay_http_request_seconds",
    "From a request's arrival to its answer's head.",
    ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
HTTP_IN_PROGRESS = Gauge(
    "assay_http_requests_in_progress", "Requests that are being worked on.", multiprocess_mode="livesum"
)

_read = CollectorRegistry()
_parts: dict[str, Collector] = {}


class _Part(Collector):
    """What one app reads for a scrape. Its failure is told by a figure and a log line, and costs the others nothing."""

    def __init__(self, name: str, read: Callable[[], Iterable[Metric]]) -> None:
        self._name = name
        self._read = read

    def collect(self) -> Iterable[Metric]:
        try:
            metrics = list(self._read())
        except Exception:
            logger.warning("metrics_failed", part=self._name, exc_info=True)
            metrics = []
        readable = GaugeMetricFamily(f"assay_{self._name}_readable", "Whether these could be read for this answer.")
        readable.add_metric([], float(bool(metrics)))
        return [readable, *metrics]


def register_metrics(name: str, read: Callable[[], Iterable[Metric]]) -> None:
    """Let every scrape of `/metrics` call `read`, in a constant number of queries.

    For `AppConfig.ready()`; what has its name already is replaced.
    """
    if before := _parts.get(name):
        _read.unregister(before)
    _parts[name] = _Part(name, read)
    _read.register(_parts[name])


def request_count(request: HttpRequest, response: HttpResponse, *, duration_s: float) -> None:
    """Count one answer by its route's name, never by its path: that has ids, and anything callers think of."""
    match = request.resolver_match
    route = match.view_name if match else "unmatched"
    method = request.method if request.method in METHODS else "other"
    HTTP_REQUESTS.labels(method, route, f"{response.status_code // 100}xx").inc()
    HTTP_SECONDS.labels(route).observe(duration_s)


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For who sends `METRICS_TOKEN`. Where none is set, for callers on this machine; in production for nobody."""
    if settings.METRICS_TOKEN:
        if not _has_token(request.headers.get("Authorization", "")):
            return problem_response(
                status=401,
                code="not_authenticated",
                detail="Send the metrics token as a bearer token.",
                headers={"WWW-Authenticate": "Bearer"},
            )
    elif settings.ASSAY_PRODUCTION or not _is_direct_loopback(request):
        return not_found(request, ObjectDoesNotExist())
    if request.method not in SAFE:
        return method_not_allowed(SAFE)
    return HttpResponse(_counted_on_this_machine() + generate_latest(_read), content_type=CONTENT_TYPE_LATEST)


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """A scrape every few seconds is no news."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def metrics_serve(*, address: str, port: int) -> Callable[[], None]:
    """Answer `/metrics` at a port of its own with what this machine's processes counted; call the result to end it.

    For processes that serve nothing else. Where `METRICS_TOKEN` is set, it is asked for here too.

    Raises:
        OSError: the port is taken, or the address is not this machine's.
    """
    server = make_server(address, port, _wsgi_application, server_class=_Server, handler_class=_QuietHandler)
    thread = threading.Thread(target=server.serve_forever, name="assay-metrics", daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop


def metrics_files_tidy() -> None:
    """Remove what processes of before left in `PROMETHEUS_MULTIPROC_DIR`, unless one of them still lives.

    While one does, what its dead companions counted stays: sums that fall would look like counters that began anew.
    """
    files = _files()
    alive = {pid for pid in set(files.values()) if _is_alive(pid)}
    if alive <= {os.getpid()}:
        for file, pid in files.items():
            if pid != os.getpid():
                file.unlink(missing_ok=True)


def _wsgi_application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    if settings.METRICS_TOKEN and not _has_token(environ.get("HTTP_AUTHORIZATION", "")):
        start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer")])
        return []
    if environ["PATH_INFO"] != "/metrics" or environ["REQUEST_METHOD"] not in SAFE:
        start_response("404 Not Found", [])
        return []
    body = _counted_on_this_machine()
    start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST), ("Content-Length", str(len(body)))])
    return [body] if environ["REQUEST_METHOD"] == "GET" else []


def _counted_on_this_machine() -> bytes:
    if settings.METRICS_DIR is None:
        return generate_latest()
    # A process that was killed could not say that its requests are not going on any more.
    for pid in set(_files("gauge_live*.db").values()):
        if not _is_alive(pid):
            mark_process_dead(pid, str(settings.METRICS_DIR))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(settings.METRICS_DIR))
    # Of the process that answers.
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def _files(pattern: str = "*.db") -> dict[Path, int]:
    """The files that processes count in, each with the id of its process: `counter_123.db`."""
    if settings.METRICS_DIR is None:
        return {}
    named = {file: file.stem.rpartition("_")[2] for file in settings.METRICS_DIR.glob(pattern)}
    return {file: int(pid) for file, pid in named.items() if pid.isdecimal()}


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _has_token(header: str) -> bool:
    scheme, _, token = header.partition(" ")
    return scheme.lower() == "bearer" and constant_time_compare(token.strip(), settings.METRICS_TOKEN)


def _is_direct_loopback(request: HttpRequest) -> bool:
    if any(name in request.headers for name in FORWARDING):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
