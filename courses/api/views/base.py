"""What the views of courses share.

Objects are looked up among those visible to the caller (else 404), then the view's one permission class is asked
about them (else 403), then the body is read (else 422).
"""

from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.models import User
from courses.models import Chapter, Course, Enrollment, Problem

ModelT = TypeVar("ModelT", bound=Model)


class CourseScopedView(GenericAPIView[Any]):
    """Who calls, the object an address names, a checked body, and lists in pages."""

    queryset = Course.objects.none()
    # The input of a view differs by method, which the framework's OPTIONS answer cannot tell; the schema does.
    metadata_class = None

    @property
    def user(self) -> User:
        return cast(User, self.request.user)

    def one_of(self, visible: QuerySet[ModelT], pk: int) -> ModelT:
        found = get_object_or_404(visible, pk=pk)
        self.check_object_permissions(self.request, found)
        return found

    def course(self) -> Course:
        return self.one_of(Course.objects.visible_to(self.user), self.kwargs["course_id"])

    def chapter(self) -> Chapter:
        visible = Chapter.objects.visible_to(self.user).select_related("course")
        return self.one_of(visible, self.kwargs["chapter_id"])

    def problem(self) -> Problem:
        visible = Problem.objects.visible_to(self.user).select_related("course", "algorithm")
        return self.one_of(visible, self.kwargs["problem_id"])

    def enrollment(self) -> Enrollment:
        visible = Enrollment.objects.visible_to(self.user).select_related("course")
        return self.one_of(visible, self.kwargs["enrollment_id"])

    def body(self, serializer_class: type[BaseSerializer[Any]], *, partial: bool = False) -> Any:
        """The request's body, checked; with `partial` only the fields that are there."""
        serializer = serializer_class(data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def page(self, rows: QuerySet[Any], serializer_class: type[BaseSerializer[Any]]) -> Response:
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        return self.get_paginated_response(serializer_class(page, many=True).data)
