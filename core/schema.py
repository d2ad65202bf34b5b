"""How views describe themselves in the OpenAPI document."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, OpenApiParameter, inline_serializer
from rest_framework import serializers

from core.problems import CONTENT_TYPE

PROBLEM = inline_serializer(
    "ProblemDetails",
    {
        "type": serializers.CharField(),
        "title": serializers.CharField(),
        "status": serializers.IntegerField(),
        "detail": serializers.CharField(),
        "code": serializers.CharField(help_text="Stable: programs may depend on it."),
        "request_id": serializers.CharField(required=False),
        "errors": inline_serializer(
            "ProblemFieldError",
            {
                "pointer": serializers.CharField(help_text="A JSON pointer into the request body."),
                "code": serializers.CharField(),
                "detail": serializers.CharField(),
            },
            many=True,
            required=False,
        ),
    },
)

# Of each operation that takes a key.
IDEMPOTENCY = [
    OpenApiParameter(
        "Idempotency-Key",
        {"type": "string", "pattern": "^[!-~]{1,200}$"},
        OpenApiParameter.HEADER,
        description=(
            "Makes it safe to send the request again: for 24 hours the same key, address and body get the result of "
            "the first, and nothing is done twice. 422 `idempotency_key_reused` for another request with a key of "
            "yours, 422 `invalid_idempotency_key`, 409 `idempotency_in_progress` (with `Retry-After`) while the first "
            "is not done. A request that was refused leaves its key free."
        ),
    ),
    OpenApiParameter(
        "Idempotency-Replayed",
        str,
        OpenApiParameter.HEADER,
        enum=["true"],
        response=[200, 201, 202],
        description="There where this is the result of an earlier request with the same key.",
    ),
]


class ProblemAutoSchema(AutoSchema):
    """drf-spectacular's schema, plus the problem+json answer that any operation may give."""

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        if direction == "response" and "default" not in responses:
            component = self.resolve_serializer(PROBLEM, direction)
            responses["default"] = {
                "description": "The request was refused; `code` says why.",
                "content": {CONTENT_TYPE: {"schema": component.ref}},
            }
        return responses
