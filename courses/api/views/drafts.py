"""What students are writing, for themselves alone."""

from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from courses import services
from courses.api.given.drafts import DraftInputSerializer
from courses.api.shown.drafts import DraftSerializer, DraftSummarySerializer
from courses.api.views.base import CourseScopedView
from courses.models import CodeDraft, Problem
from courses.selectors.state import problem_require_open


class DraftView(CourseScopedView):
    permission_classes = (IsAuthenticated,)

    def open_problem(self) -> Problem:
        problem = self.problem()
        problem_require_open(user=self.user, problem=problem)
        return problem


class DraftListView(DraftView):
    @extend_schema(
        operation_id="draft_list", summary="Your drafts for a problem", responses=DraftSummarySerializer(many=True)
    )
    def get(self, request: Request, problem_id: int) -> Response:
        """One for each language at most, without the texts. 403 `problem_locked` where it is not open yet."""
        rows = CodeDraft.objects.filter(user=self.user, problem=self.open_problem()).exclude(code="")
        return self.page(rows.order_by("language"), DraftSummarySerializer)


class DraftDetailView(DraftView):
    @extend_schema(operation_id="draft_retrieve", summary="Your draft in one language", responses=DraftSerializer)
    def get(self, request: Request, problem_id: int, language: str) -> Response:
        """404 where you have none."""
        rows = CodeDraft.objects.filter(user=self.user, problem=self.open_problem()).exclude(code="")
        return Response(DraftSerializer(get_object_or_404(rows, language=language)).data)

    @extend_schema(
        operation_id="draft_save",
        summary="Save your draft in one language",
        request=DraftInputSerializer,
        responses=DraftSerializer,
    )
    def put(self, request: Request, problem_id: int, language: str) -> Response:
        """If it is based on what is stored. 409 `draft_conflict` where another window saved meanwhile: the members
        `current` and `yours` have both texts. Saving what is stored already changes nothing.
        """
        problem = self.open_problem()
        draft = services.draft_save(
            user=self.user, problem=problem, language=language, **self.body(DraftInputSerializer)
        )
        return Response(DraftSerializer(draft).data)

    @extend_schema(operation_id="draft_delete", summary="Delete your draft in one language", responses={204: None})
    def delete(self, request: Request, problem_id: int, language: str) -> Response:
        """Whether there is one or not."""
        services.draft_delete(user=self.user, problem=self.open_problem(), language=language)
        return Response(status=204)
