"""`/admin/queue/`: how the queue stands. Operators turn its switch; staff of courses see what is theirs."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from core.errors import DomainError, NotFound
from courses.admin import site
from courses.admin.base import actor_of, told
from executor.queue.switch import queue_pause, queue_resume, queue_state
from executor.selectors.queue import QueueStatus, queue_overview
from executor.selectors.queue_rows import (
    BROKEN_DAYS,
    broken_lately,
    broken_submission_id,
    running_now,
    waiting_next,
    workers,
)
from executor.services.rejudging import submission_rejudge

REFRESH_S = 5
# No more digits than a key has.
NUMBER = re.compile(r"[0-9]{1,18}")


@require_http_methods(["GET", "HEAD", "POST"])
def queue_page(request: HttpRequest) -> HttpResponse:
    """The page, and what its buttons do. It loads itself anew, except with `?still`: there one can type."""
    if request.method == "POST":
        _act(request)
        return HttpResponseRedirect(reverse("admin:queue"))
    is_operator = request.user.is_superuser
    processes = workers() if is_operator else []
    names = {each["id"]: f"{each['kind']} process {each['process_id']} on {each['host']}" for each in processes}
    overview, now = queue_overview(), timezone.now()
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": "Judging queue",
        "refresh_s": None if "still" in request.GET else REFRESH_S,
        "is_operator": is_operator,
        "now": now,
        "overview": overview,
        "busy_from": round(overview.capacity * settings.EXECUTOR_QUEUE_BUSY_SHARE),
        "lanes": [
            ("live", overview.pending_live, overview.running_live, overview.oldest_live_s),
            ("rejudge", overview.pending_rejudge, overview.running_rejudge, overview.oldest_rejudge_s),
        ],
        "is_full": overview.status == QueueStatus.FULL,
        "state": queue_state(),
        "workers": processes,
        "lost_before": now - timedelta(seconds=settings.EXECUTOR_LEASE_S),
        "waiting": waiting_next(request.user),
        "running": [{**row, "worker": names.get(row["worker_id"], "")} for row in running_now(request.user)],
        "broken": broken_lately(request.user),
        "broken_days": BROKEN_DAYS,
    }
    return TemplateResponse(request, "admin/executor/queue.html", context)


def _act(request: HttpRequest) -> None:
    """What one button asks for; a refusal becomes a message. Raises PermissionDenied for who may not do it."""
    act = _ACTS.get(request.POST.get("act", ""))
    if act is None:
        messages.error(request, "There is no such button.")
        return
    try:
        done = act(request)
    except DomainError as error:
        messages.error(request, told(error))
    else:
        messages.success(request, done)


def _pause(request: HttpRequest) -> str:
    _require_operator(request)
    queue_pause(actor=actor_of(request), reason=request.POST.get("reason", ""))
    return "The queue is paused: no more work is taken. Submissions are accepted, and wait."


def _resume(request: HttpRequest) -> str:
    _require_operator(request)
    queue_resume(actor=actor_of(request))
    return "Work is taken again."


def _retry(request: HttpRequest) -> str:
    wanted = request.POST.get("submission", "")
    # The service asks for no rights: what is not on one's page is not found.
    submission_id = broken_submission_id(request.user, int(wanted)) if NUMBER.fullmatch(wanted) else None
    if submission_id is None:
        raise NotFound("There is no such submission that ended badly.")
    if not submission_rejudge(actor=actor_of(request), submission_id=submission_id):
        return f"Submission {submission_id} waits to be judged anyway."
    return f"Submission {submission_id} is judged again, after all live work."


_ACTS: dict[str, Callable[[HttpRequest], str]] = {"pause": _pause, "resume": _resume, "retry": _retry}


def _require_operator(request: HttpRequest) -> None:
    if not request.user.is_superuser:
        raise PermissionDenied
