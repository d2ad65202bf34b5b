"""The API's own description: every operation names the problem it may answer, and what an address may hold."""

from typing import Any

import pytest
from django.test import Client
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.problems import CONTENT_TYPE
from core.schema import ProblemAutoSchema


class ThingOutput(serializers.Serializer[Any]):
    name = serializers.CharField()


class ThingView(APIView):
    @extend_schema(responses=ThingOutput)
    def get(self, request: Request, number: int) -> Response:
        return Response({"name": "x"})


def schema_of(view: type[APIView]) -> Any:
    return SchemaGenerator(patterns=[path("api/v1/things/<id:number>/", view.as_view())]).get_schema(public=True)


class TestSchema:
    def test_an_operation_names_its_answer_and_the_problem(self) -> None:
        schema = schema_of(ThingView)
        operation = schema["paths"]["/api/v1/things/{number}/"]["get"]
        assert set(operation["responses"]) == {"200", "default"}
        assert operation["responses"]["default"]["content"] == {
            CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
        }
        problem = schema["components"]["schemas"]["ProblemDetails"]
        assert set(problem["required"]) == {"type", "title", "status", "detail", "code"}
        assert set(problem["properties"]) - set(problem["required"]) == {"request_id", "errors"}

    def test_a_number_in_an_address_is_an_integer(self) -> None:
        (parameter,) = schema_of(ThingView)["paths"]["/api/v1/things/{number}/"]["get"]["parameters"]
        assert parameter["schema"]["type"] == "integer"
        assert parameter["schema"]["format"] == "int64"

    def test_without_our_schema_class_the_problem_would_be_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(ProblemAutoSchema, "_get_response_bodies")
        operation = schema_of(ThingView)["paths"]["/api/v1/things/{number}/"]["get"]
        assert set(operation["responses"]) == {"200"}

    @pytest.mark.django_db
    def test_anybody_may_read_it(self, client: Client) -> None:
        response = client.get("/api/schema/?format=json")
        assert response.status_code == 200
        assert response.json()["openapi"].startswith("3.")
        assert "/api/v1/me/" in response.json()["paths"]
