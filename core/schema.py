"""How views describe themselves in the OpenAPI document."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction, inline_serializer
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
