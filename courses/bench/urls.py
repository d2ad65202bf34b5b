"""The addresses of the benchmark's own server: those of Assay, and two that exist nowhere else."""

from typing import cast

from django.urls import include, path
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from courses.models import Enrollment
from courses.services import enrollment_cache_replace


class EmptyView(APIView):
    """The baseline: signed in, and nothing done."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response({})


class ForgetView(APIView):
    """Forgets what is cached for the caller, so that what they ask next is computed."""

    permission_classes = (IsAuthenticated,)

    def post(self, request: Request) -> Response:
        own = Enrollment.objects.filter(user=cast(User, request.user))
        for enrollment_id in own.values_list("pk", flat=True):
            enrollment_cache_replace(enrollment_id=enrollment_id)
        return Response(status=204)


urlpatterns = [
    path("bench/empty/", EmptyView.as_view()),
    path("bench/forget/", ForgetView.as_view()),
    path("", include("config.urls")),
]
