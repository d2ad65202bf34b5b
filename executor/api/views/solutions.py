"""Reference solutions over HTTP, for staff of the course alone."""

from functools import partial
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import NotFound
from core.idempotency import made_once
from core.schema import IDEMPOTENCY
from courses.api.permissions import IsCourseStaff
from courses.api.views.base import CourseScopedView
from executor.api.filters import SolutionFilter
from executor.api.once import program_made_once
from executor.api.solution_serializers import SolutionInput, SolutionOutput, SolutionRowOutput
from executor.models import ReferenceSolution
from executor.selectors.solutions import solution_report, with_verifications
from executor.services.reference_solutions import (
    referencesolution_create,
    referencesolution_delete,
    referencesolution_update,
    referencesolution_verify,
)

NO_SUCH_SOLUTION = "There is no such reference solution."


class SolutionListView(CourseScopedView):
    permission_classes = (IsCourseStaff,)
    filterset_class = SolutionFilter

    @extend_schema(
        operation_id="solution_list",
        summary="The reference solutions of a problem",
        responses=SolutionRowOutput(many=True),
    )
    def get(self, request: Request, problem_id: int) -> Response:
        """For staff of the course, with what came of the last verification of each."""
        solutions = with_verifications(self.problem().reference_solutions.defer("files"))
        return self.page(solutions, SolutionRowOutput, prepare=lambda page: [_row(solution) for solution in page])

    @extend_schema(
        operation_id="solution_create",
        summary="Add a reference solution",
        request=SolutionInput,
        responses={201: SolutionOutput},
        parameters=IDEMPOTENCY,
    )
    def post(self, request: Request, problem_id: int) -> Response:
        """For staff of the course. It is judged at once, and again whenever the tests change. 409 `takes_no_code` where
        the problem is not answered with a program, `solutions_full` where it has as many as it may.
        """
        problem = self.problem()
        body = self.body(SolutionInput)
        create = partial(referencesolution_create, actor=self.user, problem_id=problem.pk, **body)
        made = program_made_once(request, body["language"], lambda: create().pk)
        return Response(_shown(made.answer), status=status.HTTP_201_CREATED, headers=made.headers)


class SolutionDetailView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(operation_id="solution_retrieve", summary="One reference solution", responses=SolutionOutput)
    def get(self, request: Request, solution_id: int) -> Response:
        """For staff of the course: its code, and what came of its last verification; `results` leads to each test."""
        return Response(_shown(_solution_id(self)))

    @extend_schema(
        operation_id="solution_update",
        summary="Change a reference solution",
        request=SolutionInput,
        responses=SolutionOutput,
    )
    def patch(self, request: Request, solution_id: int) -> Response:
        """For staff of the course. Without `code` and `files` the program stays; another one is judged at once."""
        pk = _solution_id(self)
        referencesolution_update(actor=self.user, solution_id=pk, **self.body(SolutionInput, partial=True))
        return Response(_shown(pk))

    @extend_schema(operation_id="solution_delete", summary="Delete a reference solution", responses={204: None})
    def delete(self, request: Request, solution_id: int) -> Response:
        """For staff of the course."""
        referencesolution_delete(actor=self.user, solution_id=_solution_id(self))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SolutionVerifyView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="solution_verify",
        summary="Judge a reference solution again",
        request=None,
        responses={202: SolutionOutput},
        parameters=IDEMPOTENCY,
    )
    def post(self, request: Request, solution_id: int) -> Response:
        """For staff of the course, also where it is archived: on today's tests. 409 `problem_not_ready` without any."""
        pk = _solution_id(self)
        made = made_once(request, lambda: referencesolution_verify(actor=self.user, solution_id=pk).pk)
        return Response(_shown(made.answer), status=status.HTTP_202_ACCEPTED, headers=made.headers)


def _solution_id(view: CourseScopedView) -> int:
    """The key of the solution that the address names, if the caller is staff of its course; to others there is none."""
    visible = ReferenceSolution.objects.visible_to(view.user).select_related("problem__course").defer("files")
    solution = visible.filter(pk=view.kwargs["solution_id"]).first()
    if solution is None:
        raise NotFound(NO_SUCH_SOLUTION)
    view.check_object_permissions(view.request, solution.problem)
    return solution.pk


def _shown(solution_id: int) -> dict[str, Any]:
    solution = with_verifications(ReferenceSolution.objects.all()).filter(pk=solution_id).first()
    if solution is None:
        # Deleted since it was made; the request that made it is sent again with its key.
        raise NotFound(NO_SUCH_SOLUTION)
    body = {**_row(solution), "files": solution.files, "fault": solution_report(solution).fault}
    return dict(SolutionOutput(body).data)


def _row(solution: ReferenceSolution) -> dict[str, Any]:
    report = solution_report(solution)
    submission_id = solution.submission_id
    return {
        "id": solution.pk,
        "problem": solution.problem_id,
        "name": solution.name,
        "language": solution.language,
        "expected_verdict": solution.expected_verdict,
        "author": solution.author_id,
        "status": report.status,
        "verdict": report.verdict,
        "as_expected": report.as_expected,
        "test_set_version": report.test_set_version,
        "is_stale": report.is_stale,
        "score": report.score,
        "time_ms": report.time_ms,
        "memory_kib": report.memory_kib,
        "submission": submission_id,
        "results": None if submission_id is None else reverse("submission-detail", args=[submission_id]),
        "created_at": solution.created_at,
        "updated_at": solution.updated_at,
    }
