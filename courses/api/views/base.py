"""What the views of courses share.

Objects are looked up among those visible to the caller (else 404), then the view's one permission class is asked
about them (else 403), then the body is read (else 422).
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from accounts.models import User
from core.errors import InvalidInput
from courses.models import Chapter, Course, Enrollment, Problem

ModelT = TypeVar("ModelT", bound=Model)


AS_STUDENT = OpenApiParameter(
    "as", str, enum=["student"], description="`student`: staff get what a student who has just come would get."
)


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
        """The course, which knows whether the caller `is_staffed` there."""
        return self.one_of(Course.objects.visible_to(self.user).with_staffing(self.user), self.kwargs["course_id"])

    def chapter(self) -> Chapter:
        visible = Chapter.objects.visible_to(self.user).select_related("course")
        return self.one_of(visible, self.kwargs["chapter_id"])

    def problem(self) -> Problem:
        visible = Problem.objects.visible_to(self.user).select_related("course", "algorithm", "choice", "fillblank")
        return self.one_of(visible, self.kwargs["problem_id"])

    def enrollment(self) -> Enrollment:
        visible = Enrollment.objects.visible_to(self.user).select_related("course")
        return self.one_of(visible, self.kwargs["enrollment_id"])

    def enrollment_in(self, course_id: int) -> Enrollment:
        """The caller's own, in a course that they see without being its staff."""
        return get_object_or_404(Enrollment.objects.active(), course=course_id, user=self.user)

    def is_as_student(self) -> bool:
        """Whether the query asks for what a student would get: `?as=student`.

        Raises:
            InvalidInput: it asks to be somebody else.
        """
        wanted = self.request.query_params.get("as")
        if wanted not in (None, "student"):
            raise InvalidInput.at("as", "invalid_choice", "Only the view of a student can be had: as=student.")
        return wanted is not None

    def body(self, serializer_class: type[BaseSerializer[Any]], *, partial: bool = False) -> Any:
        """The request's body, checked; with `partial` only the fields that are there."""
        serializer = serializer_class(data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def page(
        self,
        rows: QuerySet[Any],
        serializer_class: type[BaseSerializer[Any]],
        *,
        prepare: Callable[[Sequence[Any]], Sequence[Any]] = lambda page: page,
    ) -> Response:
        """One page of the rows; what `prepare` makes of them is shown."""
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        return self.get_paginated_response(serializer_class(prepare(page), many=True).data)
