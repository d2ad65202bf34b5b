"""Problems of a course, and the versions of their tests."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import NotFound
from courses import services
from courses.answer_keys import ChoiceSpec, FillBlankSpec
from courses.api.filters import ProblemFilter
from courses.api.given import basics as given
from courses.api.permissions import IsCourseStaff, IsCourseStaffOrReadOnly
from courses.api.seen import problems_seen
from courses.api.shown import basics as shown
from courses.api.views.base import AS_STUDENT, CourseScopedView
from courses.authoring import AlgorithmSpec, CheckerProgram
from courses.models import Problem, TestSet
from courses.selectors import course_is_staff, is_seen_by_students, testsets_of
from courses.selectors.state import problem_require_open
from courses.testdata import TestCaseSpec
from courses.testgroups import GroupSpec

PROBLEM = PolymorphicProxySerializer(
    component_name="Problem",
    serializers=[shown.ProblemForStudentSerializer, shown.ProblemForStaffSerializer],
    resource_type_field_name=None,
)
PROBLEM_SUMMARIES = PolymorphicProxySerializer(
    component_name="ProblemSummary",
    serializers=[shown.ProblemSummaryForStudentSerializer, shown.ProblemSummaryForStaffSerializer],
    resource_type_field_name=None,
    many=True,
)

# What is given of each part when a problem is created.
SPECS: dict[str, Callable[..., Any]] = {
    "algorithm": AlgorithmSpec,
    "choice": ChoiceSpec,
    "fillblank": FillBlankSpec,
}


class ProblemListView(CourseScopedView):
    permission_classes = (IsCourseStaffOrReadOnly,)
    filterset_class = ProblemFilter

    @extend_schema(operation_id="problem_list", summary="The problems of a course", responses=PROBLEM_SUMMARIES)
    def get(self, request: Request, course_id: int) -> Response:
        """Those you may see: as staff all, as student the published ones that belong to no exam."""
        course = self.course()
        rows = Problem.objects.visible_to(self.user).filter(course=course)
        if course.is_staffed:
            return self.page(rows, shown.ProblemSummaryForStaffSerializer)
        enrollment = self.enrollment_in(course.pk)
        return self.page(
            rows,
            shown.ProblemSummaryForStudentSerializer,
            prepare=lambda page: problems_seen(page, course_id=course.pk, enrollment=enrollment),
        )

    @extend_schema(
        operation_id="problem_create",
        summary="Create a problem",
        request=given.ProblemCreateSerializer,
        responses={201: shown.ProblemForStaffSerializer},
    )
    def post(self, request: Request, course_id: int) -> Response:
        """For staff of the course, with exactly the part of its type. Tests of a program follow as a test set."""
        course = self.course()
        body = self.body(given.ProblemCreateSerializer)
        parts = {name: spec(**body.pop(name)) for name, spec in SPECS.items() if name in body}
        problem = services.problem_create(actor=self.user, course_id=course.pk, **parts, **body)
        return Response(shown.ProblemForStaffSerializer(problem).data, status=201)


class ProblemDetailView(CourseScopedView):
    permission_classes = (IsCourseStaffOrReadOnly,)

    @extend_schema(operation_id="problem_retrieve", summary="One problem", responses=PROBLEM, parameters=[AS_STUDENT])
    def get(self, request: Request, problem_id: int) -> Response:
        """The task, its limits and its sample tests; for staff also what authors decide. 403 where it is locked.

        With `as=student` staff get what a student who has just come gets, be it 403 or 404.
        """
        problem = self.problem()
        as_student = self.is_as_student()
        if course_is_staff(self.user, problem.course):
            if not as_student:
                return Response(shown.ProblemForStaffSerializer(problem).data)
            if not is_seen_by_students(problem):
                raise NotFound
        problem_require_open(user=self.user, problem=problem, as_student=as_student)
        return Response(shown.ProblemForStudentSerializer(problem).data)

    @extend_schema(
        operation_id="problem_update",
        summary="Change a problem",
        request=given.ProblemUpdateSerializer,
        responses=shown.ProblemForStaffSerializer,
    )
    def patch(self, request: Request, problem_id: int) -> Response:
        """For staff of the course. The status `archived` takes it out of its students' sight."""
        problem = self.problem()
        changed = services.problem_update(
            actor=self.user, problem_id=problem.pk, **self.body(given.ProblemUpdateSerializer, partial=True)
        )
        return Response(shown.ProblemForStaffSerializer(changed).data)

    @extend_schema(operation_id="problem_delete", summary="Delete a problem", responses={204: None})
    def delete(self, request: Request, problem_id: int) -> Response:
        """For staff of the course. 409 `problem_in_use` where anybody handed anything in: archive it instead."""
        services.problem_delete(actor=self.user, problem_id=self.problem().pk)
        return Response(status=204)


class TestSetListView(CourseScopedView):
    __test__ = False

    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="testset_list",
        summary="The versions of a problem's tests",
        responses=shown.TestSetSummarySerializer(many=True),
    )
    def get(self, request: Request, problem_id: int) -> Response:
        """For staff of the course: the newest, which is the current one, first."""
        return self.page(testsets_of(self.problem()), shown.TestSetSummarySerializer)

    @extend_schema(
        operation_id="testset_create",
        summary="Give a problem new tests",
        request=given.TestSetInputSerializer,
        responses={201: shown.TestSetSerializer},
    )
    def post(self, request: Request, problem_id: int) -> Response:
        """For staff of the course: the whole list in judging order, groups and checker, as the next version."""
        problem = self.problem()
        body = self.body(given.TestSetInputSerializer)
        source = body.get("checker_source")
        test_set = services.testset_create(
            actor=self.user,
            problem_id=problem.pk,
            test_cases=[TestCaseSpec(**case) for case in body["test_cases"]],
            groups=[GroupSpec(**group) for group in body.get("groups", ())],
            checker=CheckerProgram(language=body["checker_language"], source=source) if source else None,
        )
        return Response(shown.TestSetSerializer(test_set).data, status=201)


class TestSetDetailView(CourseScopedView):
    __test__ = False

    permission_classes = (IsCourseStaff,)

    @extend_schema(operation_id="testset_retrieve", summary="One version of tests", responses=shown.TestSetSerializer)
    def get(self, request: Request, test_set_id: int) -> Response:
        """For staff of the course: all its tests."""
        visible = TestSet.objects.visible_to(self.user).select_related("problem__course")
        test_set = self.one_of(visible.prefetch_related("test_cases"), test_set_id)
        return Response(shown.TestSetSerializer(test_set).data)
