"""The addresses of the benchmark's own server: those of Assay, and two that exist nowhere else."""

from collections.abc import Iterable
from datetime import timedelta
from statistics import fmean

from django.db.models import F
from django.urls import include, path
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from executor.models import Judgement


class StagesView(APIView):
    """Where the time of the newest `?last=` judgements went, as means in milliseconds."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        newest = Judgement.objects.filter(state=Judgement.State.DONE).order_by("-pk")
        spans = newest.values_list(
            F("created_at") - F("submission__received_at"),
            F("started_at") - F("created_at"),
            F("finished_at") - F("started_at"),
        )
        accepting, waiting, judging = zip(*spans[: int(request.query_params["last"])], strict=True)
        return Response(
            {"accepting_ms": _mean_ms(accepting), "waiting_ms": _mean_ms(waiting), "judging_ms": _mean_ms(judging)}
        )


class UnfinishedView(APIView):
    """How many submissions are not judged yet."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        return Response({"unfinished": Judgement.objects.exclude(state=Judgement.State.DONE).count()})


def _mean_ms(spans: Iterable[timedelta]) -> float:
    return fmean(span / timedelta(milliseconds=1) for span in spans)


urlpatterns = [
    path("bench/stages/", StagesView.as_view()),
    path("bench/unfinished/", UnfinishedView.as_view()),
    path("", include("config.urls")),
]
