"""Answers to choices and blanks: having one checked, and looking at those given."""

from functools import partial

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.clock import received_at
from core.idempotency import made_once
from core.schema import IDEMPOTENCY
from courses import services
from courses.api.filters import AnswerFilter
from courses.api.given import answers as given
from courses.api.shown import answers as shown
from courses.api.views.base import CourseScopedView
from courses.models import PracticeAnswer


class AnswerCheckView(CourseScopedView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="problem_check",
        summary="Have an answer to a choice or to blanks checked",
        request=given.CheckSerializer,
        responses=shown.CheckedAnswerSerializer,
        parameters=IDEMPOTENCY,
    )
    def post(self, request: Request, problem_id: int) -> Response:
        """Graded at once, recorded, and counted for your progress. 409 `not_checkable` where a program is asked for,
        403 `problem_locked` where it is not open yet, 429 `check_quota_used` after too many in a minute.
        """
        problem = self.problem()
        answer = self.body(given.CheckSerializer)["answer"]
        check = partial(
            services.answer_check,
            user=self.user,
            problem_id=problem.pk,
            received_at=received_at(request),
            chosen=answer.get("chosen"),
            blanks=answer.get("blanks"),
        )
        made = made_once(request, lambda: shown.CheckedAnswerSerializer(check()).data)
        return Response(made.answer, headers=made.headers)


class AnswerListView(CourseScopedView):
    permission_classes = (IsAuthenticated,)
    filterset_class = AnswerFilter

    @extend_schema(
        operation_id="answer_list",
        summary="The answers given to a problem",
        responses=shown.PracticeAnswerSerializer(many=True),
    )
    def get(self, request: Request, problem_id: int) -> Response:
        """The newest first: your own, and as staff of the course everybody's."""
        rows = PracticeAnswer.objects.visible_to(self.user).filter(problem=self.problem())
        return self.page(rows, shown.PracticeAnswerSerializer)
