"""Problems of a course, and the versions of their tests."""

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from courses import services
from courses.api import representations as shown
from courses.api import serializers as given
from courses.api.filters import ProblemFilter
from courses.api.permissions import IsCourseStaff, IsCourseStaffOrReadOnly
from courses.api.views.base import CourseScopedView
from courses.authoring import AlgorithmSpec, CheckerProgram
from courses.models import Problem, TestSet
from courses.selectors import course_is_staff, testsets_of
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


class ProblemListView(CourseScopedView):
    permission_classes = (IsCourseStaffOrReadOnly,)
    filterset_class = ProblemFilter

    @extend_schema(operation_id="problem_list", summary="The problems of a course", responses=PROBLEM_SUMMARIES)
    def get(self, request: Request, course_id: int) -> Response:
        """Those you may see: as staff all, as student the published ones that belong to no exam."""
        course = self.course()
        rows = Problem.objects.visible_to(self.user).filter(course=course)
        if course_is_staff(self.user, course):
            return self.page(rows, shown.ProblemSummaryForStaffSerializer)
        return self.page(rows, shown.ProblemSummaryForStudentSerializer)

    @extend_schema(
        operation_id="problem_create",
        summary="Create a problem",
        request=given.ProblemCreateSerializer,
        responses={201: shown.ProblemForStaffSerializer},
    )
    def post(self, request: Request, course_id: int) -> Response:
        """For staff of the course. Its tests follow as a test set."""
        course = self.course()
        body = self.body(given.ProblemCreateSerializer)
        problem = services.problem_create(
            actor=self.user, course_id=course.pk, algorithm=AlgorithmSpec(**body.pop("algorithm")), **body
        )
        return Response(shown.ProblemForStaffSerializer(problem).data, status=201)


class ProblemDetailView(CourseScopedView):
    permission_classes = (IsCourseStaffOrReadOnly,)

    @extend_schema(operation_id="problem_retrieve", summary="One problem", responses=PROBLEM)
    def get(self, request: Request, problem_id: int) -> Response:
        """The task, its limits and its sample tests; for staff also what authors decide."""
        problem = self.problem()
        if course_is_staff(self.user, problem.course):
            return Response(shown.ProblemForStaffSerializer(problem).data)
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
