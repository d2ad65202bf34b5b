"""Addresses that exist only in the tests of core: views that fail, echo and list in every way core has to deal with."""

from typing import Any

import django_filters
import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from rest_framework import exceptions, serializers
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from config.urls import handler400, handler403, handler404, handler500
from core.clock import received_at
from core.errors import Conflict, TooManyRequests
from core.serializers import StrictSerializer

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

FAILURES: dict[str, Exception] = {
    "bug": RuntimeError("a bug of ours with a secret in it"),
    "conflict": Conflict("It is over.", retry_after_s=3),
    "throttled": TooManyRequests(retry_after_s=7),
    "drf-throttled": exceptions.Throttled(wait=1.2),
    "http404": Http404("which table and why"),
    "forbidden": PermissionDenied("why"),
    "suspicious": SuspiciousOperation("why"),
    "empty-validation": exceptions.ValidationError([]),
    "database": OperationalError("connection to secret.host failed"),
    "object-detail": exceptions.AuthenticationFailed({"detail": "inner", "code": "inner_code", "messages": ["x"]}),
}


class PartInput(StrictSerializer):
    name = serializers.CharField()


class EchoInput(StrictSerializer):
    id = serializers.IntegerField(read_only=True)
    owner = serializers.HiddenField(default="nobody")
    name = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    message = serializers.IntegerField(required=False)
    code = serializers.IntegerField(required=False)
    count = serializers.IntegerField(required=False)
    counts = serializers.ListField(child=serializers.IntegerField(), required=False)
    ratio = serializers.FloatField(required=False)
    anything = serializers.JSONField(required=False)
    parts = PartInput(many=True, required=False)


class LooseEchoInput(serializers.Serializer[Any]):
    """The same without our strictness, for controls."""

    name = serializers.CharField(required=False)
    count = serializers.IntegerField(required=False)
    ratio = serializers.FloatField(required=False)
    anything = serializers.JSONField(required=False)


class FailView(APIView):
    permission_classes = (AllowAny,)

    def get(self, request: Request, how: str) -> Response:
        structlog.get_logger("tests.view").info("about_to_fail", how=how)
        raise FAILURES[how]


class EchoView(APIView):
    permission_classes = (AllowAny,)

    def post(self, request: Request) -> Response:
        body = EchoInput(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"got": body.validated_data, "received_at": received_at(request)})


class LooseEchoView(APIView):
    permission_classes = (AllowAny,)
    parser_classes = (JSONParser,)

    def post(self, request: Request) -> Response:
        body = LooseEchoInput(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"got": body.validated_data})


class PeopleFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(field_name="username")
    state = django_filters.MultipleChoiceFilter(field_name="is_active", choices=[("True", "on"), ("False", "off")])
    id = django_filters.NumberFilter(field_name="id")

    class Meta:
        model = User
        fields: list[str] = []


class PeopleView(GenericAPIView[User]):
    permission_classes = (AllowAny,)
    queryset = User.objects.order_by("pk")
    filterset_class = PeopleFilter

    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([user.username for user in page])


class PrivateView(APIView):
    def get(self, request: Request) -> Response:
        return Response({})


def plain_fail(request: HttpRequest, how: str) -> HttpResponse:
    raise FAILURES[how]


def plain_ok(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return JsonResponse({**kwargs, "received_at": received_at(request)})


def own_policy(request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={"Content-Security-Policy": "default-src 'none'", "Cache-Control": "max-age=5"})


urlpatterns = [
    path("", include("core.urls")),
    path("api/v1/fail/<str:how>/", FailView.as_view()),
    path("api/v1/echo/", EchoView.as_view()),
    path("api/v1/loose-echo/", LooseEchoView.as_view()),
    path("api/v1/people/", PeopleView.as_view()),
    path("api/v1/private/", PrivateView.as_view()),
    path("api/v1/things/<id:number>/", plain_ok),
    path("api/v1/unbounded/<int:number>/", plain_ok),
    path("api/v1/own-policy/", own_policy),
    path("plain/", plain_ok),
    path("plain/fail/<str:how>/", plain_fail),
]
