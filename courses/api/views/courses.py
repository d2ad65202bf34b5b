"""Courses, their chapters, and the problems placed in these."""

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import NotFound
from courses import services
from courses.api.filters import ChapterFilter, CourseFilter
from courses.api.given import basics as given
from courses.api.permissions import IsCourseStaff, IsCourseStaffOrReadOnly
from courses.api.seen import chapters_seen
from courses.api.shown import basics as shown
from courses.api.views.base import AS_STUDENT, CourseScopedView
from courses.models import Chapter, Course
from courses.selectors import chapters_with_problems, course_is_staff, is_seen_by_students

CHAPTER = PolymorphicProxySerializer(
    component_name="ChapterWithProblems",
    serializers=[shown.ChapterForStudentSerializer, shown.ChapterForStaffSerializer],
    resource_type_field_name=None,
)
CHAPTER_SUMMARIES = PolymorphicProxySerializer(
    component_name="ChapterSummary",
    serializers=[shown.ChapterSummaryForStudentSerializer, shown.ChapterSerializer],
    resource_type_field_name=None,
    many=True,
)


class CourseListView(CourseScopedView):
    permission_classes = (IsAuthenticated,)
    filterset_class = CourseFilter

    @extend_schema(operation_id="course_list", summary="My courses", responses=shown.CourseSummarySerializer(many=True))
    def get(self, request: Request) -> Response:
        """The courses you are staff of, and the published ones you are enrolled in, by title."""
        return self.page(Course.objects.visible_to(self.user), shown.CourseSummarySerializer)

    @extend_schema(
        operation_id="course_create",
        summary="Create a course",
        request=given.CourseCreateSerializer,
        responses={201: shown.CourseSerializer},
    )
    def post(self, request: Request) -> Response:
        """For owners and admins of the organization."""
        body = self.body(given.CourseCreateSerializer)
        course = services.course_create(actor=self.user, organization_id=body.pop("organization"), **body)
        return Response(shown.CourseSerializer(course).data, status=201)


class CourseDetailView(CourseScopedView):
    permission_classes = (IsCourseStaffOrReadOnly,)

    @extend_schema(operation_id="course_retrieve", summary="One course", responses=shown.CourseSerializer)
    def get(self, request: Request, course_id: int) -> Response:
        """A course you may see."""
        return Response(shown.CourseSerializer(self.course()).data)

    @extend_schema(
        operation_id="course_update",
        summary="Change a course",
        request=given.CourseUpdateSerializer,
        responses=shown.CourseSerializer,
    )
    def patch(self, request: Request, course_id: int) -> Response:
        """For staff of the course. The status `archived` takes it out of its students' sight."""
        course = self.course()
        changed = services.course_update(
            actor=self.user, course_id=course.pk, **self.body(given.CourseUpdateSerializer, partial=True)
        )
        return Response(shown.CourseSerializer(changed).data)


class ChapterListView(CourseScopedView):
    permission_classes = (IsCourseStaffOrReadOnly,)
    filterset_class = ChapterFilter

    @extend_schema(operation_id="chapter_list", summary="The chapters of a course", responses=CHAPTER_SUMMARIES)
    def get(self, request: Request, course_id: int) -> Response:
        """In order, without their problems; for students the published ones, with what keeps them locked."""
        course = self.course()
        rows = Chapter.objects.visible_to(self.user).filter(course=course)
        if course.is_staffed:
            return self.page(rows, shown.ChapterSerializer)
        enrollment = self.enrollment_in(course.pk)
        return self.page(
            rows,
            shown.ChapterSummaryForStudentSerializer,
            prepare=lambda page: chapters_seen(page, course=course, enrollment=enrollment),
        )

    @extend_schema(
        operation_id="chapter_create",
        summary="Add a chapter",
        request=given.ChapterInputSerializer,
        responses={201: shown.ChapterSerializer},
    )
    def post(self, request: Request, course_id: int) -> Response:
        """For staff of the course."""
        course = self.course()
        chapter = services.chapter_create(
            actor=self.user, course_id=course.pk, **self.body(given.ChapterInputSerializer)
        )
        return Response(shown.ChapterSerializer(chapter).data, status=201)


class ChapterDetailView(CourseScopedView):
    permission_classes = (IsCourseStaffOrReadOnly,)

    @extend_schema(operation_id="chapter_retrieve", summary="One chapter", responses=CHAPTER, parameters=[AS_STUDENT])
    def get(self, request: Request, chapter_id: int) -> Response:
        """A chapter with those of its problems that you may see, in order.

        With `as=student` staff get what a student who has just come gets, be it 404.
        """
        chapter = self.one_of(chapters_with_problems(self.user), chapter_id)
        as_student = self.is_as_student()
        enrollment = None
        if not course_is_staff(self.user, chapter.course):
            enrollment = self.enrollment_in(chapter.course_id)
        elif not as_student:
            return Response(shown.ChapterForStaffSerializer(chapter).data)
        elif not is_seen_by_students(chapter):
            raise NotFound
        seen = chapters_seen([chapter], course=chapter.course, enrollment=enrollment)
        if not seen:
            raise NotFound
        return Response(shown.ChapterForStudentSerializer(seen[0]).data)

    @extend_schema(
        operation_id="chapter_update",
        summary="Change a chapter",
        request=given.ChapterInputSerializer,
        responses=shown.ChapterSerializer,
    )
    def patch(self, request: Request, chapter_id: int) -> Response:
        """For staff of the course."""
        chapter = self.chapter()
        changed = services.chapter_update(
            actor=self.user, chapter_id=chapter.pk, **self.body(given.ChapterInputSerializer, partial=True)
        )
        return Response(shown.ChapterSerializer(changed).data)

    @extend_schema(operation_id="chapter_delete", summary="Delete a chapter", responses={204: None})
    def delete(self, request: Request, chapter_id: int) -> Response:
        """For staff of the course. Its problems stay in the course."""
        services.chapter_delete(actor=self.user, chapter_id=self.chapter().pk)
        return Response(status=204)


class ChapterMoveView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="chapter_move",
        summary="Move a chapter within its course",
        request=given.MoveSerializer,
        responses=shown.ChapterSerializer,
    )
    def post(self, request: Request, chapter_id: int) -> Response:
        """For staff of the course."""
        chapter = self.chapter()
        moved = services.chapter_move(actor=self.user, chapter_id=chapter.pk, **self.body(given.MoveSerializer))
        return Response(shown.ChapterSerializer(moved).data)


class PlacementListView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="placement_create",
        summary="Place a problem in a chapter",
        request=given.PlacementCreateSerializer,
        responses={201: shown.PlacementSerializer},
    )
    def post(self, request: Request, chapter_id: int) -> Response:
        """For staff of the course. The problem belongs to the same course as the chapter."""
        chapter = self.chapter()
        body = self.body(given.PlacementCreateSerializer)
        placement = services.chapterproblem_place(
            actor=self.user, chapter_id=chapter.pk, problem_id=body.pop("problem"), **body
        )
        return Response(shown.PlacementSerializer(placement).data, status=201)


class PlacementDetailView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="placement_update",
        summary="Move a problem within a chapter",
        request=given.MoveSerializer,
        responses=shown.PlacementSerializer,
    )
    def patch(self, request: Request, chapter_id: int, problem_id: int) -> Response:
        """For staff of the course."""
        chapter = self.chapter()
        placement = services.chapterproblem_move(
            actor=self.user,
            chapter_id=chapter.pk,
            problem_id=problem_id,
            **self.body(given.MoveSerializer),
        )
        return Response(shown.PlacementSerializer(placement).data)

    @extend_schema(operation_id="placement_delete", summary="Take a problem out of a chapter", responses={204: None})
    def delete(self, request: Request, chapter_id: int, problem_id: int) -> Response:
        """For staff of the course. The problem stays in the course."""
        services.chapterproblem_remove(actor=self.user, chapter_id=self.chapter().pk, problem_id=problem_id)
        return Response(status=204)
