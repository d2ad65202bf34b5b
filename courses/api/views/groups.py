"""The groups of a course, and the invitations to it: for its staff."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from courses import services
from courses.api.given import enrollment as given
from courses.api.permissions import IsCourseStaff
from courses.api.shown import enrollment as shown
from courses.api.views.base import CourseScopedView
from courses.models import CourseGroup, Invitation
from courses.selectors.joining import groups_of


class CourseGroupListView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="group_list",
        summary="The groups of a course",
        responses=shown.CourseGroupWithSizeSerializer(many=True),
    )
    def get(self, request: Request, course_id: int) -> Response:
        """For staff of the course, by name."""
        return self.page(groups_of(self.course()), shown.CourseGroupWithSizeSerializer)

    @extend_schema(
        operation_id="group_create",
        summary="Make a group",
        request=given.CourseGroupInputSerializer,
        responses={201: shown.CourseGroupSerializer},
    )
    def post(self, request: Request, course_id: int) -> Response:
        """For staff of the course."""
        course = self.course()
        group = services.coursegroup_create(
            actor=self.user, course_id=course.pk, **self.body(given.CourseGroupInputSerializer)
        )
        return Response(shown.CourseGroupSerializer(group).data, status=201)


class CourseGroupDetailView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    def group(self) -> CourseGroup:
        visible = CourseGroup.objects.visible_to(self.user).select_related("course")
        return self.one_of(visible, self.kwargs["group_id"])

    @extend_schema(operation_id="group_retrieve", summary="One group", responses=shown.CourseGroupSerializer)
    def get(self, request: Request, group_id: int) -> Response:
        """For staff of the course. Who is in it: the list of enrollments, filtered by `group`."""
        return Response(shown.CourseGroupSerializer(self.group()).data)

    @extend_schema(
        operation_id="group_update",
        summary="Rename a group",
        request=given.CourseGroupInputSerializer,
        responses=shown.CourseGroupSerializer,
    )
    def patch(self, request: Request, group_id: int) -> Response:
        """For staff of the course."""
        group = self.group()
        changed = services.coursegroup_update(
            actor=self.user, group_id=group.pk, **self.body(given.CourseGroupInputSerializer)
        )
        return Response(shown.CourseGroupSerializer(changed).data)

    @extend_schema(operation_id="group_delete", summary="Delete a group", responses={204: None})
    def delete(self, request: Request, group_id: int) -> Response:
        """For staff of the course. Those in it stay in the course."""
        services.coursegroup_delete(actor=self.user, group_id=self.group().pk)
        return Response(status=204)


class InvitationListView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    @extend_schema(
        operation_id="invitation_list",
        summary="The invitations to a course",
        responses=shown.InvitationSerializer(many=True),
    )
    def get(self, request: Request, course_id: int) -> Response:
        """For staff of the course, the revoked ones too."""
        return self.page(Invitation.objects.filter(course=self.course()), shown.InvitationSerializer)

    @extend_schema(
        operation_id="invitation_create",
        summary="Make an invitation",
        request=given.InvitationCreateSerializer,
        responses={201: shown.InvitationSerializer},
    )
    def post(self, request: Request, course_id: int) -> Response:
        """For staff of the course. Whoever has the code may join as a student."""
        course = self.course()
        invitation = services.invitation_create(
            actor=self.user, course_id=course.pk, **self.body(given.InvitationCreateSerializer)
        )
        return Response(shown.InvitationSerializer(invitation).data, status=201)


class InvitationDetailView(CourseScopedView):
    permission_classes = (IsCourseStaff,)

    def invitation(self) -> Invitation:
        visible = Invitation.objects.visible_to(self.user).select_related("course")
        return self.one_of(visible, self.kwargs["invitation_id"])

    @extend_schema(operation_id="invitation_retrieve", summary="One invitation", responses=shown.InvitationSerializer)
    def get(self, request: Request, invitation_id: int) -> Response:
        """For staff of the course."""
        return Response(shown.InvitationSerializer(self.invitation()).data)

    @extend_schema(operation_id="invitation_delete", summary="Revoke an invitation", responses={204: None})
    def delete(self, request: Request, invitation_id: int) -> Response:
        """For staff of the course. Those whom it let in stay."""
        services.invitation_revoke(actor=self.user, invitation_id=self.invitation().pk)
        return Response(status=204)
