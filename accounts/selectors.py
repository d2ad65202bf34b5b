"""What is read of accounts across models."""

from django.db.models import F, OuterRef, QuerySet, Subquery

from accounts.models import Membership, Organization, User


def memberships_of(*, user: User) -> QuerySet[Membership]:
    """A user's own roles, by organization name, the organizations with them."""
    return Membership.objects.filter(user=user).select_related("organization").order_by("organization__name", "pk")


def organizations_visible_to(*, user: User) -> QuerySet[Organization]:
    """The organizations a user may see, each with the user's own `role` in it (None for a superuser from outside)."""
    own_role = Membership.objects.filter(organization=OuterRef("pk"), user_id=user.pk).values("role")[:1]
    return Organization.objects.visible_to(user).annotate(role=Subquery(own_role))


def members_of(*, organization_id: int) -> QuerySet[Membership]:
    """The members of one organization by username, the users with them."""
    members = Membership.objects.filter(organization__id=organization_id).select_related("user")
    return members.order_by(F("user__username"), "pk")
