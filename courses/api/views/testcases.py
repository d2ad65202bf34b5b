"""The current tests of a problem, changed one by one or from an archive; each change is a new version of them."""

from functools import partial

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.idempotency import done_once, made_once
from core.parsers import StrictFormParser
from core.schema import IDEMPOTENCY
from courses import services
from courses.api.given import testcases as given
from courses.api.given.basics import TestCaseInputSerializer
from courses.api.permissions import IsCourseStaff
from courses.api.shown.basics import TestCaseSerializer, TestSetSummarySerializer
from courses.api.shown.testcases import ImportReportSerializer
from courses.api.views.base import CourseScopedView
from courses.models import TestSet
from courses.selectors import current_tests, testsets_of
from courses.testdata import TestCaseSpec


class TestCaseListView(CourseScopedView):
    __test__ = False

    permission_classes = (IsCourseStaff,)

    @extend_schema(operation_id="testcase_list", summary="The current tests", responses=TestCaseSerializer(many=True))
    def get(self, request: Request, problem_id: int) -> Response:
        """For staff of the course: those of the newest version, in judging order."""
        return self.page(current_tests(self.problem()), TestCaseSerializer)

    @extend_schema(
        operation_id="testcase_create",
        summary="Add a test",
        request=TestCaseInputSerializer,
        responses={201: TestSetSummarySerializer},
        parameters=IDEMPOTENCY,
    )
    def post(self, request: Request, problem_id: int) -> Response:
        """For staff of the course: after all others, as a new version. Of two added at once both are kept."""
        problem = self.problem()
        test_case = TestCaseSpec(**self.body(TestCaseInputSerializer))
        add = partial(services.testcase_add, actor=self.user, problem_id=problem.pk, test_case=test_case)
        made = made_once(request, lambda: _summary(add()))
        return Response(made.answer, status=201, headers=made.headers)


class TestCaseDetailView(CourseScopedView):
    __test__ = False

    permission_classes = (IsCourseStaff,)

    def based_on(self) -> int | None:
        """The version that the query names; what it says else is refused."""
        query = given.TestVersionSerializer(data=self.request.query_params.dict())
        query.is_valid(raise_exception=True)
        version: int | None = query.validated_data.get("version")
        return version

    @extend_schema(
        operation_id="testcase_update",
        summary="Change a test",
        parameters=[given.TestVersionSerializer],
        request=TestCaseInputSerializer,
        responses=TestSetSummarySerializer,
    )
    def patch(self, request: Request, problem_id: int, order: int) -> Response:
        """For staff of the course: the test at this place of the newest version, as a new version."""
        problem = self.problem()
        test_set = services.testcase_update(
            actor=self.user,
            problem_id=problem.pk,
            order=order,
            based_on=self.based_on(),
            **self.body(TestCaseInputSerializer, partial=True),
        )
        return Response(_summary(test_set))

    @extend_schema(
        operation_id="testcase_delete",
        summary="Remove a test",
        parameters=[given.TestVersionSerializer],
        responses=TestSetSummarySerializer,
    )
    def delete(self, request: Request, problem_id: int, order: int) -> Response:
        """For staff of the course: the newest version without the test at this place, as a new version."""
        test_set = services.testcase_remove(
            actor=self.user, problem_id=self.problem().pk, order=order, based_on=self.based_on()
        )
        return Response(_summary(test_set))


class TestArchiveView(CourseScopedView):
    __test__ = False

    permission_classes = (IsCourseStaff,)
    parser_classes = (StrictFormParser,)

    @extend_schema(
        operation_id="testset_import",
        summary="Give a problem the tests of a ZIP archive",
        request=given.TestArchiveSerializer,
        responses=ImportReportSerializer,
        parameters=IDEMPOTENCY,
    )
    def post(self, request: Request, problem_id: int) -> Response:
        """For staff of the course: pairs NAME.in and NAME.ans (or NAME.out), as a new version; all of them or none.

        Those in a folder `sample`, or whose name begins with `sample`, are samples; those in a folder `secret` never.
        """
        problem = self.problem()
        body = self.body(given.TestArchiveSerializer)
        unpack = partial(
            services.testset_import,
            actor=self.user,
            problem_id=problem.pk,
            data=body["file"].read(),
            is_appending=body["mode"] == "append",
            is_dry_run=body["dry_run"],
        )
        # Unpacking must not hold a transaction open.
        done = done_once(request, lambda: ImportReportSerializer(unpack()).data)
        return Response(done.answer, headers=done.headers)


def _summary(test_set: TestSet) -> object:
    return TestSetSummarySerializer(testsets_of(test_set.problem).get(pk=test_set.pk)).data
