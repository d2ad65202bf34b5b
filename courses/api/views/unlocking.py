"""What chapters and problems wait for, and who has more time for them: for staff of the course."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from courses import services
from courses.api.given import unlocking as given
from courses.api.permissions import IsCourseStaff
from courses.api.shown import unlocking as shown
from courses.api.views.base import CourseScopedView
from courses.models import DueExtension
from courses.rules.unlocking import Node


class ChapterUnlockingView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="chapter_unlocking_retrieve",
        summary="What a chapter waits for",
        responses=shown.UnlockingSerializer,
    )
    def get(self, request: Request, chapter_id: int) -> Response:
        """For staff of the course."""
        return Response(shown.UnlockingSerializer(self.chapter()).data)

    @extend_schema(
        operation_id="chapter_unlocking_update",
        summary="Say what a chapter waits for",
        request=given.UnlockingInputSerializer,
        responses=shown.UnlockingSerializer,
    )
    def put(self, request: Request, chapter_id: int) -> Response:
        """For staff of the course. It counts at once; 422 `requirement_cycle` where nobody could ever get there."""
        chapter = self.chapter()
        changed = services.chapter_unlocking_update(
            actor=self.user, chapter_id=chapter.pk, **_unlocking(self.body(given.UnlockingInputSerializer))
        )
        return Response(shown.UnlockingSerializer(changed).data)


class ProblemUnlockingView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="problem_unlocking_retrieve",
        summary="What a problem waits for",
        responses=shown.UnlockingSerializer,
    )
    def get(self, request: Request, problem_id: int) -> Response:
        """For staff of the course."""
        return Response(shown.UnlockingSerializer(self.problem()).data)

    @extend_schema(
        operation_id="problem_unlocking_update",
        summary="Say what a problem waits for",
        request=given.UnlockingInputSerializer,
        responses=shown.UnlockingSerializer,
    )
    def put(self, request: Request, problem_id: int) -> Response:
        """For staff of the course. It counts at once; 422 `requirement_cycle` where nobody could ever get there."""
        problem = self.problem()
        changed = services.problem_unlocking_update(
            actor=self.user, problem_id=problem.pk, **_unlocking(self.body(given.UnlockingInputSerializer))
        )
        return Response(shown.UnlockingSerializer(changed).data)


class ExtensionListView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="extension_list",
        summary="A student's extensions",
        responses=shown.ExtensionSerializer(many=True),
    )
    def get(self, request: Request, enrollment_id: int) -> Response:
        """For staff of the course."""
        return self.page(DueExtension.objects.filter(enrollment=self.enrollment()), shown.ExtensionSerializer)

    @extend_schema(
        operation_id="extension_create",
        summary="Give a student more time",
        request=given.ExtensionInputSerializer,
        responses={201: shown.ExtensionSerializer},
    )
    def post(self, request: Request, enrollment_id: int) -> Response:
        """For staff of the course. What the student has handed in counts by it at once."""
        enrollment = self.enrollment()
        body = self.body(given.ExtensionInputSerializer)
        target: Node = ("chapter", body.pop("chapter")) if "chapter" in body else ("problem", body.pop("problem"))
        extension = services.dueextension_create(actor=self.user, enrollment_id=enrollment.pk, target=target, **body)
        return Response(shown.ExtensionSerializer(extension).data, status=201)


class ExtensionDetailView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(operation_id="extension_delete", summary="Take an extension back", responses={204: None})
    def delete(self, request: Request, extension_id: int) -> Response:
        """For staff of the course. The regular date counts again."""
        visible = DueExtension.objects.visible_to(self.user).select_related("enrollment__course")
        services.dueextension_delete(actor=self.user, extension_id=self.one_of(visible, extension_id).pk)
        return Response(status=204)


def _unlocking(body: dict[str, Any]) -> dict[str, Any]:
    """The body as the services take it: each requirement as a kind and an id."""
    return body | {"requires": [next(iter(each.items())) for each in body["requires"]]}
