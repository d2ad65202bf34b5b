import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from accounts.audit import audit_record
from accounts.models import AuditEvent, Membership, Organization, User
from tests.accounts.factories import MembershipFactory, OrganizationFactory, UserFactory
from tests.accounts.signing_in import PASSWORD


@pytest.mark.django_db
class TestUser:
    @pytest.mark.parametrize("field", ["username", "email"])
    def test_names_are_unique_without_case(self, ada: User, field: str) -> None:
        with pytest.raises(IntegrityError):
            UserFactory(**{field: getattr(ada, field).upper()})

    def test_an_email_is_required(self) -> None:
        with pytest.raises(IntegrityError):
            UserFactory(email="")

    def test_is_found_by_the_names_that_are_unique_and_no_others(self, ada: User) -> None:
        # U+0131 in upper case is "I": a comparison in upper case would find two.
        UserFactory(username="ivan")
        UserFactory(username="\u0131van")
        found = [User.objects.named(name) for name in ("IVAN", "\u0131van", "ADA@example.org", "ad", "", "a%", "_da")]
        assert [user and user.username for user in found] == ["ivan", "\u0131van", "ada", None, None, None, None]
        assert User.objects.get_by_natural_key("ADA") == ada

    def test_an_address_belongs_to_its_owner_and_not_to_whom_is_called_so(self, ada: User) -> None:
        UserFactory(username="ada@example.org", password=make_password("another one"))
        assert User.objects.named("ada@example.org") == ada
        assert authenticate(username="ada@example.org", password=PASSWORD) == ada
        assert authenticate(username="ada@example.org", password="another one") is None


@pytest.mark.django_db
class TestOrganizationVisibility:
    def test_by_membership(self) -> None:
        for role in Membership.Role:
            MembershipFactory(role=role, user__username=role.value)
        OrganizationFactory()
        for name, administers in (("owner", 1), ("admin", 1), ("member", 0)):
            user = User.objects.get(username=name)
            assert list(Organization.objects.visible_to(user)) == list(user.organizations.all())
            assert Organization.objects.administered_by(user).count() == administers

    def test_of_superusers_and_strangers(self) -> None:
        OrganizationFactory()
        root = UserFactory(is_superuser=True)
        for visible in (Organization.objects.visible_to, Organization.objects.administered_by):
            assert visible(root).count() == 1
            assert visible(UserFactory()).count() == 0
            assert visible(AnonymousUser()).count() == 0


@pytest.mark.django_db
class TestAuditEvent:
    def test_is_written_once(self, ada: User) -> None:
        organization = OrganizationFactory()
        event = audit_record(
            actor=ada, action="organization.rename", target=organization, organization_id=organization.pk
        )
        assert (event.target_type, event.target_id, event.changes) == (
            "accounts.organization",
            str(organization.pk),
            {},
        )
        event.action = "other"
        for change in (
            event.save,
            event.delete,
            AuditEvent.objects.all().delete,
            lambda: AuditEvent.objects.update(action="other"),
        ):
            with pytest.raises(ValidationError):
                change()
        assert AuditEvent.objects.get().action == "organization.rename"
