"""The accounts API: parse, call one service or selector, answer."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services
from accounts.api import serializers
from accounts.api.permissions import IsOrganizationAdmin
from accounts.authentication import CHALLENGE
from accounts.models import Membership, Organization, User
from accounts.selectors import members_of, organizations_visible_to
from accounts.tokens import TokenPair


class CredentialsView(APIView):
    """Takes what proves somebody in the body: a stale token in the header must not stand in its way."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        if response.status_code == 401:
            response["WWW-Authenticate"] = CHALLENGE
        return response


class TokenObtainView(CredentialsView):
    @extend_schema(
        operation_id="token_obtain",
        summary="Sign in",
        request=serializers.TokenObtainSerializer,
        responses=serializers.TokenPairSerializer,
    )
    def post(self, request: Request) -> Response:
        """Give a username or e-mail address and a password. Too many wrong ones for a name answer 429 for a while."""
        given = _validated(serializers.TokenObtainSerializer(data=request.data))
        return _pair_response(services.token_obtain(name=given["username"], password=given["password"]))


class TokenRefreshView(CredentialsView):
    @extend_schema(
        operation_id="token_refresh",
        summary="Stay signed in",
        request=serializers.RefreshSerializer,
        responses=serializers.TokenPairSerializer,
    )
    def post(self, request: Request) -> Response:
        """Exchange the refresh token for a new pair. Each works once; a second use ends the sign-in."""
        given = _validated(serializers.RefreshSerializer(data=request.data))
        return _pair_response(services.token_refresh(refresh=given["refresh"]))


class LogoutView(CredentialsView):
    @extend_schema(
        operation_id="logout", summary="Sign out", request=serializers.RefreshSerializer, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        """End the sign-in this refresh token belongs to, at once, its access tokens too. Twice does no harm."""
        services.token_logout(**_validated(serializers.RefreshSerializer(data=request.data)))
        return Response(status=204)


class RegisterView(CredentialsView):
    @extend_schema(
        operation_id="register",
        summary="Become a user",
        request=serializers.RegisterSerializer,
        responses={201: serializers.MeSerializer},
    )
    def post(self, request: Request) -> Response:
        """Where registration is closed the answer is 403 `registration_closed`."""
        user = services.user_register(**_validated(serializers.RegisterSerializer(data=request.data)))
        return Response(serializers.MeSerializer(user).data, status=201)


class MeView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="me_retrieve", summary="Who am I", responses=serializers.MeSerializer)
    def get(self, request: Request) -> Response:
        """Your profile, and your role in each of your organizations."""
        return Response(serializers.MeSerializer(request.user).data)

    @extend_schema(
        operation_id="me_update",
        summary="Change my profile",
        request=serializers.MeUpdateSerializer,
        responses=serializers.MeSerializer,
    )
    def patch(self, request: Request) -> Response:
        """Change the display name, or, with the current password, the e-mail address."""
        given = _validated(serializers.MeUpdateSerializer(data=request.data))
        user = services.user_update(user=_user(request), **given)
        return Response(serializers.MeSerializer(user).data)


class MePasswordView(APIView):
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="me_password",
        summary="Change my password",
        request=serializers.PasswordChangeSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Needs the current password, and ends all sign-ins, this one too."""
        given = _validated(serializers.PasswordChangeSerializer(data=request.data))
        services.user_change_password(user=_user(request), **given)
        return Response(status=204)


@extend_schema_view(get=extend_schema(operation_id="organization_list", summary="My organizations"))
class OrganizationListView(generics.ListAPIView[Organization]):
    """The organizations you belong to, by name."""

    permission_classes = (IsAuthenticated,)
    serializer_class = serializers.OrganizationSerializer
    queryset = Organization.objects.none()

    def get_queryset(self) -> QuerySet[Organization]:
        return organizations_visible_to(user=_user(self.request))


@extend_schema_view(get=extend_schema(operation_id="organization_retrieve", summary="One organization"))
class OrganizationDetailView(generics.RetrieveAPIView[Organization]):
    """An organization you belong to."""

    permission_classes = (IsAuthenticated,)
    serializer_class = serializers.OrganizationSerializer
    lookup_url_kwarg = "organization_id"
    queryset = Organization.objects.none()

    def get_queryset(self) -> QuerySet[Organization]:
        return organizations_visible_to(user=_user(self.request))


class MemberListView(generics.ListAPIView[Membership]):
    permission_classes = (IsOrganizationAdmin,)
    serializer_class = serializers.MemberSerializer
    queryset = Membership.objects.none()

    def get_queryset(self) -> QuerySet[Membership]:
        return members_of(organization_id=self.kwargs["organization_id"])

    @extend_schema(operation_id="member_list", summary="The members of an organization")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """For its owners and admins: who belongs to the organization, by username."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="member_add",
        summary="Add a member",
        request=serializers.MemberAddSerializer,
        responses={201: serializers.MemberSerializer},
    )
    def post(self, request: Request, organization_id: int) -> Response:
        """Give a user a role in the organization. Only owners add owners."""
        given = _validated(serializers.MemberAddSerializer(data=request.data))
        membership = services.membership_add(
            actor=_user(request), organization_id=organization_id, name=given["user"], role=given["role"]
        )
        return Response(serializers.MemberSerializer(membership).data, status=201)


class MemberDetailView(APIView):
    permission_classes = (IsOrganizationAdmin,)

    @extend_schema(
        operation_id="member_update",
        summary="Change a member's role",
        request=serializers.MemberUpdateSerializer,
        responses=serializers.MemberSerializer,
    )
    def patch(self, request: Request, organization_id: int, user_id: int) -> Response:
        """Only owners make owners, or make owners something else; the last owner stays one."""
        given = _validated(serializers.MemberUpdateSerializer(data=request.data))
        membership = services.membership_set(
            actor=_user(request), organization_id=organization_id, user_id=user_id, role=given["role"]
        )
        return Response(serializers.MemberSerializer(membership).data)

    @extend_schema(operation_id="member_remove", summary="Remove a member", responses={204: None})
    def delete(self, request: Request, organization_id: int, user_id: int) -> Response:
        """Take a member out of the organization; the last owner stays."""
        services.membership_remove(actor=_user(request), organization_id=organization_id, user_id=user_id)
        return Response(status=204)


def _user(request: Request) -> User:
    """The caller; the view's permission class has let in nobody who is not signed in."""
    return cast(User, request.user)


def _validated(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _pair_response(pair: TokenPair) -> Response:
    return Response(serializers.TokenPairSerializer(pair).data)
