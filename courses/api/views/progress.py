"""How far students are."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from courses.api.filters import ProgressFilter
from courses.api.permissions import IsCourseStaffOrReadOnly
from courses.api.shown.progress import ProgressSerializer
from courses.api.views.base import CourseScopedView
from courses.selectors.progresslist import progress_of_course


class ProgressListView(CourseScopedView):
    permission_classes = (IsCourseStaffOrReadOnly,)
    filterset_class = ProgressFilter

    @extend_schema(
        operation_id="progress_list",
        summary="Progress on the problems of a course",
        responses=ProgressSerializer(many=True),
    )
    def get(self, request: Request, course_id: int) -> Response:
        """Problems that have been begun: your own, and as staff those of all students. The rest is not started."""
        return self.page(progress_of_course(self.user, self.course()), ProgressSerializer)
