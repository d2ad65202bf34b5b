"""The append-only record of what staff did."""

import json
from collections.abc import Mapping
from typing import Any

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from accounts.models import AuditEvent, User


def audit_record(
    *,
    actor: User | None,
    action: str,
    target: models.Model,
    organization_id: int | None,
    changes: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Write down one act of staff, in the transaction that does it, so that neither is there without the other.

    `action` reads `<entity>.<verb>`; `changes` is `{field: [before, after]}`; moments and decimal numbers are
    written as texts.
    """
    return AuditEvent.objects.create(
        actor=actor,
        organization_id=organization_id,
        action=action,
        target_type=target._meta.label_lower,
        target_id=str(target.pk),
        changes=json.loads(json.dumps(dict(changes or {}), cls=DjangoJSONEncoder)),
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
    )
