"""Judging again over HTTP, for staff of the course alone."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import NotFound
from core.idempotency import done_once, made_once
from core.schema import IDEMPOTENCY
from courses.api.permissions import IsCourseStaff
from courses.api.views.base import CourseScopedView
from executor.api.queue_serializers import JudgementOutput, RejudgeInput, RejudgeOutput
from executor.api.serializers import SubmissionOutput
from executor.api.views.submissions import submission_body
from executor.models import Judgement, Submission
from executor.selectors import submissions_for, with_results
from executor.services.rejudging import problem_rejudge, submission_rejudge


class SubmissionRejudgeView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="submission_rejudge",
        summary="Judge a submission again",
        request=None,
        responses={202: SubmissionOutput},
        parameters=IDEMPOTENCY,
    )
    def post(self, request: Request, submission_id: int) -> Response:
        """For staff of the course, also where it is archived: on today's tests, and after all live work. What is shown
        stays until then. Where it waits to be judged anyway, nothing is added. 409 `problem_not_ready` where the
        problem has no tests, `verification_not_rejudged` for what verifies a reference solution.
        """
        pk = _submission_of(self).pk
        done = made_once(request, lambda: submission_rejudge(actor=self.user, submission_id=pk))
        shown = with_results(submissions_for(self.user)).get(pk=pk)
        return Response(
            SubmissionOutput(submission_body(shown)).data, status=status.HTTP_202_ACCEPTED, headers=done.headers
        )


class ProblemRejudgeView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="problem_rejudge",
        summary="Judge a problem's submissions again",
        request=RejudgeInput,
        responses={202: RejudgeOutput},
        parameters=IDEMPOTENCY,
    )
    def post(self, request: Request, problem_id: int) -> Response:
        """For staff of the course, also where it is archived: all of them, or those of certain statuses and languages,
        the oldest first, on today's tests, and after all live work. 409 `problem_not_ready` where there are no tests.
        """
        problem = self.problem()
        wanted = self.body(RejudgeInput)

        def rejudge() -> Any:
            return RejudgeOutput(problem_rejudge(actor=self.user, problem_id=problem.pk, **wanted)).data

        # In steps, each committed by itself; done twice it would change nothing more.
        done = done_once(request, rejudge)
        return Response(done.answer, status=status.HTTP_202_ACCEPTED, headers=done.headers)


class JudgementListView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="judgement_list",
        summary="The judgings of a submission",
        responses=JudgementOutput(many=True),
    )
    def get(self, request: Request, submission_id: int) -> Response:
        """For staff of the course: the newest first, with what each was judged with and what came of it."""
        submission = _submission_of(self)
        judgements = submission.judgements.select_related("test_set").order_by("-number")
        return self.page(
            judgements, JudgementOutput, prepare=lambda page: [_judgement_body(row, submission) for row in page]
        )


def _submission_of(view: CourseScopedView) -> Submission:
    """The submission that the address names, if the caller is staff of its course; who does not see it finds none."""
    visible = Submission.objects.visible_to(view.user).select_related("problem__course").defer("files")
    submission = visible.filter(pk=view.kwargs["submission_id"]).first()
    if submission is None:
        raise NotFound("There is no such submission.")
    view.check_object_permissions(view.request, submission.problem)
    return submission


def _judgement_body(judgement: Judgement, submission: Submission) -> dict[str, Any]:
    return {
        "number": judgement.number,
        "is_current": judgement.pk == submission.current_judgement_id,
        "lane": judgement.lane,
        "state": judgement.state,
        "verdict": judgement.verdict or None,
        "score": judgement.score,
        "test_set_version": judgement.test_set.version,
        "engine": judgement.engine or None,
        "tier": judgement.tier or None,
        "created_at": judgement.created_at,
        "started_at": judgement.started_at,
        "finished_at": judgement.finished_at,
        "fault": judgement.fault,
    }
