"""Organizations, and who has which role in them."""

from itertools import count

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts.audit import audit_record
from accounts.errors import AlreadyMember, LastOwner, OwnerRequired
from accounts.models import Membership, Organization, User
from core.errors import InvalidInput, NotFound, PermissionRefused

Role = Membership.Role


@transaction.atomic
def organization_create(*, name: str, owner: User, actor: User | None = None) -> Organization:
    """Create an organization with its first owner. Its slug comes of its name; `actor` None is the operator."""
    organization = _organization_insert(name)
    Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    audit_record(
        actor=actor,
        action="organization.create",
        target=organization,
        organization_id=organization.pk,
        changes={"name": [None, name], "owner_id": [None, owner.pk]},
    )
    return organization


def membership_add(*, actor: User, organization_id: int, name: str, role: Membership.Role) -> Membership:
    """Give the user with this e-mail address or username a role in an organization they have none in.

    Raises:
        NotFound, PermissionRefused, OwnerRequired: as `membership_set`.
        InvalidInput: `/user` is `user_unknown`.
        AlreadyMember: they have a role.
    """
    with transaction.atomic():
        acting_role = _lock_and_authorize(actor=actor, organization_id=organization_id)
        _refuse_unless_owner(acting_role, concerns_owner=role == Role.OWNER)
        user = User.objects.named(name)
        if user is None or not user.is_active:
            raise InvalidInput.at("user", "user_unknown", "There is no user with this e-mail address or username.")
        membership, is_new = Membership.objects.get_or_create(
            organization_id=organization_id, user=user, defaults={"role": role}
        )
        if not is_new:
            raise AlreadyMember
        _record(actor, "membership.add", membership, before=None, after=role)
    return membership


def membership_set(*, actor: User, organization_id: int, user_id: int, role: Membership.Role) -> Membership:
    """Change a member's role. Owners and admins may; only owners make owners, or make owners something else.

    Raises:
        NotFound: no such organization for the actor, or no such member in it.
        PermissionRefused: the actor is a plain member.
        OwnerRequired: the actor is an admin, and this concerns an owner.
        LastOwner: nobody else who can still sign in would be an owner.
    """
    with transaction.atomic():
        acting_role = _lock_and_authorize(actor=actor, organization_id=organization_id)
        membership = _member(organization_id, user_id)
        before = Role(membership.role)
        _refuse_unless_owner(acting_role, concerns_owner=Role.OWNER in (before, role))
        if before == role:
            return membership
        if before == Role.OWNER:
            _refuse_if_last_owner(membership)
        membership.role = role
        membership.save(update_fields=["role"])
        _record(actor, "membership.set", membership, before=before, after=role)
    return membership


def membership_remove(*, actor: User, organization_id: int, user_id: int) -> None:
    """Take a member out of an organization. Raises like `membership_set`."""
    with transaction.atomic():
        acting_role = _lock_and_authorize(actor=actor, organization_id=organization_id)
        membership = _member(organization_id, user_id)
        before = Role(membership.role)
        _refuse_unless_owner(acting_role, concerns_owner=before == Role.OWNER)
        if before == Role.OWNER:
            _refuse_if_last_owner(membership)
        _record(actor, "membership.remove", membership, before=before, after=None)
        membership.delete()


def _organization_insert(name: str) -> Organization:
    base = slugify(name)[:70].strip("-") or "organization"
    for number in count(1):
        slug = base if number == 1 else f"{base}-{number}"
        if Organization.objects.filter(slug=slug).exists():
            continue
        try:
            with transaction.atomic():
                return Organization.objects.create(name=name, slug=slug)
        except IntegrityError:
            continue  # somebody else took this slug since
    raise AssertionError("count() has no end")


def _lock_and_authorize(*, actor: User, organization_id: int) -> Membership.Role:
    """Make changes of one organization's members wait for each other, then say what the actor is in it by now.

    The lock comes first: roles read before it could be gone, and two owners could step down side by side.
    """
    organization_lock(organization_id)
    if not Organization.objects.visible_to(actor).filter(pk=organization_id).exists():
        raise NotFound
    if actor.is_superuser:
        return Role.OWNER
    role = Role(Membership.objects.get(organization_id=organization_id, user=actor).role)
    if role not in Membership.STAFF_ROLES:
        raise PermissionRefused("Only owners and admins of the organization may manage its members.")
    return role


def organization_lock(organization_id: int) -> None:
    """Hold the organization until the transaction ends. Rows that merely refer to it can still be added meanwhile."""
    list(Organization.objects.select_for_update(no_key=True).filter(pk=organization_id))


def _member(organization_id: int, user_id: int) -> Membership:
    members = Membership.objects.select_related("user").filter(organization_id=organization_id, user__id=user_id)
    membership = members.first()
    if membership is None:
        raise NotFound
    return membership


def _refuse_unless_owner(acting_role: Membership.Role, *, concerns_owner: bool) -> None:
    if concerns_owner and acting_role != Role.OWNER:
        raise OwnerRequired("Only an owner decides who is an owner.")


def _refuse_if_last_owner(membership: Membership) -> None:
    others = Membership.objects.filter(
        organization_id=membership.organization_id, role=Role.OWNER, user__is_active=True
    ).exclude(pk=membership.pk)
    if not others.exists():
        raise LastOwner("Make somebody else an owner first.")


def _record(
    actor: User, action: str, membership: Membership, *, before: Membership.Role | None, after: Membership.Role | None
) -> None:
    audit_record(
        actor=actor,
        action=action,
        target=membership,
        organization_id=membership.organization_id,
        changes={"user_id": [membership.user_id, membership.user_id], "role": [before, after]},
    )
