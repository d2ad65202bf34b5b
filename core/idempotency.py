"""`Idempotency-Key`: a request that is sent again under its key is not done again, and gets its first result.

What makes rows is `made_once`: they and the record of the key are committed together, so that a crash leaves both or
neither. What runs something, and leaves no rows, is `done_once`: the key is claimed for as long as that may take.
"""

import hashlib
import json
import re
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now
from django.http import QueryDict
from django.utils import timezone
from rest_framework.request import Request

from core.errors import Conflict, InvalidInput
from core.models import IdempotencyRecord

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
VALID_KEY = re.compile(r"[!-~]{1,200}")

# How long a request waits for another one that is making the same; that takes a few milliseconds.
WAIT_S = 2.0
POLL_S = 0.05
RETRY_S = 2
# How long a run may take: afterwards its process is taken for lost, and the key is free.
LEASE_S = 120
CLEANUP_STEP_ROWS = 1000
CLEANUP_STEPS_MAX = 100


class InvalidIdempotencyKey(InvalidInput):
    code = "invalid_idempotency_key"
    title = "The Idempotency-Key cannot be used"


class IdempotencyKeyReused(InvalidInput):
    code = "idempotency_key_reused"
    title = "The Idempotency-Key was used for another request"


class IdempotencyInProgress(Conflict):
    code = "idempotency_in_progress"
    title = "The first request with this Idempotency-Key is still in progress"

    def __init__(self) -> None:
        super().__init__("It is not done yet; ask again with the same key in a moment.", retry_after_s=RETRY_S)


@dataclass(frozen=True, slots=True)
class Once:
    """What came of a request: plain JSON, and whether that is the result of an earlier one."""

    answer: Any
    is_replayed: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """What the response says about it."""
        return {REPLAYED_HEADER: "true"} if self.is_replayed else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A key, whose it is, and the hash of what is asked for under it."""

    user_id: int
    key: str
    fingerprint: str


def made_once(request: Request, make: Callable[[], Any]) -> Once:
    """What `make` returns, plain JSON; under a key that has its result already, that result, and nothing is made.

    With a key, `make` runs in a transaction of ours, and what it raises leaves no trace, of the key neither. It may
    be called a second time where the database took back the first at the commit. Without a key it is just called.

    Raises:
        InvalidIdempotencyKey, IdempotencyKeyReused: nothing was made.
        IdempotencyInProgress: another request is making it; this one waited `WAIT_S` seconds for that.
    """
    asked = _asked(request)
    if asked is None:
        return Once(make())
    polls_left, is_taken_back = round(WAIT_S / POLL_S), False
    while True:
        try:
            return _make(asked, make)
        except IdempotencyInProgress:
            if not polls_left:
                raise
            polls_left -= 1
        except IntegrityError:
            # At the commit: a row that was referred to went meanwhile, and the second try will say so.
            if is_taken_back:
                raise
            is_taken_back = True
        if not connection.in_atomic_block:
            # A connection held while asleep would be one less for those who work.
            connection.close_if_unusable_or_obsolete()
        time.sleep(POLL_S)


@transaction.atomic
def _make(asked: _Asked, make: Callable[[], Any]) -> Once:
    record = _record_of(asked)
    if record is not None:
        return Once(record.answer, is_replayed=True)
    answer = make()
    _record(asked, answer=answer)
    return Once(answer)


def done_once(request: Request, work: Callable[[], Any]) -> Once:
    """What `work` returns, plain JSON; under a key that has its result already, that result, and nothing is done.

    For what must not run in a transaction and may be done twice if it must: where the process dies the key is free
    again after `LEASE_S` seconds. What `work` raises frees it at once.

    Raises:
        InvalidIdempotencyKey, IdempotencyKeyReused, IdempotencyInProgress: nothing was done.
    """
    asked = _asked(request)
    if asked is None:
        return Once(work())
    claim_id = uuid.uuid4()
    with transaction.atomic():
        record = _record_of(asked)
        if record is not None:
            return Once(record.answer, is_replayed=True)
        leased_until = ExpressionWrapper(Now() + timedelta(seconds=LEASE_S), output_field=DateTimeField())
        _record(asked, claim_id=claim_id, leased_until=leased_until)
    claimed = IdempotencyRecord.objects.filter(user_id=asked.user_id, key=asked.key, claim_id=claim_id)
    try:
        answer = work()
    except BaseException:
        # Where the database is away too, the lease frees the key.
        with suppress(DatabaseError):
            claimed.delete()
        raise
    # Whose lease ran out may find the key taken by another; then that one's answer is kept.
    claimed.update(answer=answer, claim_id=None, leased_until=None)
    return Once(answer)


def records_clean_up() -> int:
    """Delete the records that are over, in steps that hold no lock for long; how many there were."""
    deleted = 0
    for _ in range(CLEANUP_STEPS_MAX):
        over = IdempotencyRecord.objects.filter(created_at__lte=_kept_since()).order_by("created_at")
        step = list(over.values_list("pk", flat=True)[:CLEANUP_STEP_ROWS])
        deleted += IdempotencyRecord.objects.filter(pk__in=step).delete()[0]
        if len(step) < CLEANUP_STEP_ROWS:
            break
    return deleted


def _asked(request: Request) -> _Asked | None:
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not VALID_KEY.fullmatch(key):
        raise InvalidIdempotencyKey(f"{HEADER} is 1 to 200 visible ASCII characters, without spaces.")
    # The query is left out: it says how to answer (`?wait`), never what to do.
    what = json.dumps([request.method, request.path, _body(request.data)], sort_keys=True)
    assert request.user.pk is not None  # whoever posts what takes a key is signed in
    return _Asked(user_id=request.user.pk, key=key, fingerprint=hashlib.sha256(what.encode()).hexdigest())


def _body(data: Any) -> Any:
    """The body as JSON, whatever the order of its members; of a file, its name and the hash of its content."""
    if not isinstance(data, QueryDict):
        return data
    return {name: [_part(part) for part in data.getlist(name)] for name in data}


def _part(part: Any) -> Any:
    if not isinstance(part, UploadedFile):
        return part
    digest = hashlib.sha256()
    # From its beginning, wherever it was read to.
    for chunk in part.chunks():
        digest.update(chunk)
    part.seek(0)
    return {"name": part.name, "sha256": digest.hexdigest()}


def _record_of(asked: _Asked) -> IdempotencyRecord | None:
    """The answered record of this key; None where the key is new, or new again. In a transaction only.

    Raises:
        IdempotencyKeyReused, IdempotencyInProgress
    """
    _key_lock(asked)
    record = _records(asked).annotate(is_leased=Q(leased_until__gt=Now())).first()
    if record is None:
        return None
    is_over = record.created_at <= _kept_since()
    if is_over or (record.claim_id is not None and not record.is_leased):
        record.delete()
        return None
    if record.fingerprint != asked.fingerprint:
        raise IdempotencyKeyReused("Another address or body was sent with this key before; take a new key.")
    if record.claim_id is not None:
        raise IdempotencyInProgress
    return record


def _key_lock(asked: _Asked) -> None:
    """Let no other transaction look at this key until ours ends; where one does already, say so instead of waiting.

    SQLite has one writer at a time, from the beginning of its transaction. The table's constraint holds without it.

    Raises:
        IdempotencyInProgress
    """
    if connection.vendor != "postgresql":
        return
    digest = hashlib.sha256(f"idempotency:{asked.user_id}:{asked.key}".encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], byteorder="big", signed=True)]
        )
        (is_ours,) = cursor.fetchone()
    if not is_ours:
        raise IdempotencyInProgress


def _record(asked: _Asked, **columns: Any) -> None:
    try:
        IdempotencyRecord.objects.create(
            user_id=asked.user_id,
            key=asked.key,
            fingerprint=asked.fingerprint,
            created_at=timezone.now(),
            **columns,
        )
    except IntegrityError as error:
        # Somebody else was first with this key. What we made goes with our transaction.
        raise IdempotencyInProgress from error


def _records(asked: _Asked) -> QuerySet[IdempotencyRecord]:
    return IdempotencyRecord.objects.filter(user_id=asked.user_id, key=asked.key)


def _kept_since() -> datetime:
    return timezone.now() - timedelta(seconds=settings.CORE_IDEMPOTENCY_KEPT_S)
