"""Who there is: users, the organizations they belong to, their signed-in devices, and the record of staff acts."""

from datetime import datetime
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower

from core.windows import CountWindow


class AssayUserManager(UserManager["User"]):
    """Finds people by e-mail or username, without regard to case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.alias(username_ci=Lower("username")).get(username_ci=(username or "").lower())

    def named(self, name: str) -> "User | None":
        """The user with this e-mail address or username.

        An e-mail address always holds "@", which a username made by hand may too: the address's owner wins.
        """
        # Compared as the unique constraints compare (`iexact` would compare upper case, which is not the same and
        # has no index), so that exactly one spelling in lower case leads to each user.
        wanted = name_folded(name)
        candidates = self.alias(email_ci=Lower("email"), username_ci=Lower("username")).filter(
            models.Q(email_ci=wanted) | models.Q(username_ci=wanted)
        )
        return min(candidates, key=lambda found: found.email.lower() != wanted, default=None)


def name_folded(name: str) -> str:
    """The one spelling that stands for all spellings of a name to sign in with."""
    return User.normalize_username(name.strip()).lower()


class User(AbstractUser):
    """A person. E-mail and username are each unique without regard to case."""

    # AbstractUser's own e-mail may be blank and repeated.
    email = models.EmailField("e-mail address", max_length=254)
    display_name = models.CharField(max_length=150, blank=True)

    objects: ClassVar[AssayUserManager] = AssayUserManager()

    REQUIRED_FIELDS = ["email"]

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique_ci"),
            models.UniqueConstraint(Lower("username"), name="user_username_unique_ci"),
            models.CheckConstraint(condition=~models.Q(email=""), name="user_email_present"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username


class OrganizationQuerySet(models.QuerySet["Organization"]):
    def visible_to(self, user: Any) -> "OrganizationQuerySet":
        """The organizations a user is a member of; all for a superuser, none for a stranger."""
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(memberships__user=user)

    def administered_by(self, user: Any) -> "OrganizationQuerySet":
        """The visible organizations whose members a user may manage: as owner, as admin, or as superuser."""
        if not user.is_authenticated or user.is_superuser:
            return self.visible_to(user)
        return self.filter(memberships__user=user, memberships__role__in=Membership.STAFF_ROLES)


class Organization(models.Model):
    """A university, a department, a company: what owns courses, and the wall between tenants."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="organizations")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One user's place in one organization. Owners and admins are staff of every course in it."""

    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        MEMBER = "member"

    # Roles that make someone staff of all of the organization's courses.
    STAFF_ROLES = (Role.OWNER, Role.ADMIN)

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_unique"),
            models.CheckConstraint(
                condition=models.Q(role__in=["owner", "admin", "member"]), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} of {self.organization_id}"


class TokenFamily(models.Model):
    """One sign-in and all tokens that came of it.

    Each refresh replaces `current_jti`; a refresh token that is not the current one has been copied, and using it
    revokes the whole family. Access tokens name their family too, so that signing out takes effect at once.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="token_families")
    current_jti = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "token families"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"sign-in {self.pk} of user {self.user_id}"

    def stands_at(self, moment: datetime) -> bool:
        """Whether tokens of this sign-in are still honored: not ended, not run out, its user not disabled."""
        return self.revoked_at is None and moment < self.expires_at and self.user.is_active


class LoginFailure(CountWindow):
    """How many wrong passwords were given for one name within the window."""

    # A hash: people type passwords and other secrets into the wrong field.
    name_hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.count} since {self.window_started_at}"


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise ValidationError("Audit events are never changed.")

    def delete(self) -> NoReturn:
        raise ValidationError("Audit events are never deleted.")


class AuditEvent(models.Model):
    """One act of staff: who did what to which object, and what it was before. Written once, never changed."""

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="audit_events", null=True, blank=True
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="audit_events", null=True, blank=True
    )
    action = models.CharField(max_length=80)  # "course.update"
    target_type = models.CharField(max_length=80)  # "courses.course"
    target_id = models.CharField(max_length=64)
    # {field: [before, after]}; secrets and hidden tests are named, not quoted.
    changes = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["organization", "-id"], name="audit_by_organization"),
            models.Index(fields=["target_type", "target_id", "-id"], name="audit_by_target"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target_type} {self.target_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise ValidationError("Audit events are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ValidationError("Audit events are never deleted.")
