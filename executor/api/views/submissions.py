"""Submissions over HTTP: handing in, and reading what came of it."""

from functools import partial
from typing import Any, cast

from django.conf import settings
from django.http import QueryDict
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from core.clock import received_at
from core.errors import InvalidInput, NotFound
from core.schema import IDEMPOTENCY
from executor.api.filters import SubmissionFilter
from executor.api.once import program_made_once
from executor.api.serializers import SubmissionInput, SubmissionOutput, SubmissionRowOutput
from executor.api.waiting import wait_for_verdict
from executor.models import Submission
from executor.selectors import submission_report, submissions_for, with_results
from executor.selectors.queue import estimated_wait_seconds, queue_position
from executor.services.submissions import submission_create

WAIT = OpenApiParameter(
    "wait", OpenApiTypes.INT, description="Wait up to so many seconds for the verdict; 200 if it came, else 202."
)


class SubmissionListView(GenericAPIView[Submission]):
    permission_classes = [IsAuthenticated]
    serializer_class = SubmissionRowOutput
    filterset_class = SubmissionFilter
    queryset = Submission.objects.none()

    def get_queryset(self) -> Any:
        return submissions_for(cast(User, self.request.user)).defer("files")

    @extend_schema(
        operation_id="submissions_list",
        summary="The submissions I may see",
        responses=SubmissionRowOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        """The newest first: your own, and as staff of a course all of its problems."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        rows = [_row(submission) for submission in page]
        return self.get_paginated_response(SubmissionRowOutput(rows, many=True).data)

    @extend_schema(
        operation_id="submissions_create",
        summary="Hand in a program",
        request=SubmissionInput,
        responses={200: SubmissionOutput, 202: SubmissionOutput},
        parameters=[WAIT, *IDEMPOTENCY],
    )
    def post(self, request: Request) -> Response:
        """It is on disk before the answer comes, and judged soon after. 409 `problem_not_ready` where a problem has no
        tests or is archived. 429 with `Retry-After`, and nothing stored, where the queue is full (`queue_full`) or you
        have handed in as much as you may (`too_many_pending`, `submission_rate_exceeded`, `problem_rate_exceeded`).
        """
        wait_s = _wait_seconds(request.query_params)
        body = SubmissionInput(data=request.data)
        body.is_valid(raise_exception=True)
        create = partial(
            submission_create,
            user=cast(User, request.user),
            problem_id=body.validated_data["problem"],
            language=body.validated_data["language"],
            code=body.validated_data.get("code"),
            files=body.source_files,
            received_at=received_at(request),
        )
        made = program_made_once(request, body.validated_data["language"], lambda: create().pk)
        if wait_s:
            wait_for_verdict(made.answer, wait_s)
        user = cast(User, request.user)
        own = submissions_for(user, among=Submission.objects.filter(user=user))
        shown = (with_results(own) if wait_s or made.is_replayed else own).get(pk=made.answer)
        is_judged = shown.status not in Submission.UNFINISHED
        return Response(
            SubmissionOutput(submission_body(shown)).data,
            status=status.HTTP_200_OK if is_judged else status.HTTP_202_ACCEPTED,
            headers={"Location": reverse("submission-detail", args=[shown.pk]), **made.headers},
        )


class SubmissionDetailView(APIView):
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="submissions_retrieve", summary="One submission", responses=SubmissionOutput)
    def get(self, request: Request, submission_id: int) -> Response:
        """Its code, its place in the queue while it waits, and what you may see of its result."""
        submission = with_results(submissions_for(cast(User, request.user))).filter(pk=submission_id).first()
        if submission is None:
            raise NotFound("There is no such submission.")
        return Response(SubmissionOutput(submission_body(submission)).data)


def _row(submission: Submission, *, has_tests: bool = False) -> dict[str, Any]:
    # `is_staff` and `is_rejudging` are annotations of submissions_for.
    report = submission_report(submission, is_staff=submission.is_staff, has_tests=has_tests)  # type: ignore[attr-defined]
    return {
        "id": submission.pk,
        "is_rejudging": submission.is_rejudging if submission.is_staff else None,  # type: ignore[attr-defined]
        "problem": submission.problem_id,
        "user": submission.user_id,
        "language": submission.language,
        "purpose": submission.purpose,
        "received_at": submission.received_at,
        "status": report.status,
        "score": report.score,
        "time_ms": report.time_ms,
        "memory_kib": report.memory_kib,
        "compile_output": report.compile_output,
        "tests": report.tests,
    }


def submission_body(submission: Submission) -> dict[str, Any]:
    """What `SubmissionOutput` shows of a submission that comes from `submissions_for` and `with_results`."""
    position = queue_position(submission)
    return {
        **_row(submission, has_tests=True),
        "files": submission.files,
        "queue_position": position,
        "estimated_wait_seconds": None if position is None else estimated_wait_seconds(position),
    }


def _wait_seconds(parameters: QueryDict) -> int:
    text = parameters.get("wait", "0")
    if not text.isascii() or not text.isdigit() or int(text) > settings.EXECUTOR_WAIT_MAX_S:
        detail = f"wait must be a whole number of seconds from 0 to {settings.EXECUTOR_WAIT_MAX_S}."
        raise InvalidInput.at("wait", "invalid_wait", detail)
    return int(text)
