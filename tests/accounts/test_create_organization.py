from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from accounts.models import AuditEvent, Membership, Organization, User
from accounts.services import organization_create
from tests.accounts.factories import UserFactory
from tests.parallel import at_once


def create(*arguments: str) -> str:
    out = StringIO()
    call_command("create_organization", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
class TestCreateOrganization:
    @pytest.mark.parametrize("owner", ["ada", "ADA@example.org"])
    def test_gives_it_to_an_existing_user(self, ada: User, owner: str) -> None:
        assert "(university-of-ulm) is owned by ada" in create("University of Ulm", "--owner", owner)
        membership = Membership.objects.get()
        assert (membership.user, membership.role, membership.organization.name) == (ada, "owner", "University of Ulm")
        event = AuditEvent.objects.get()
        assert (event.action, event.actor, event.organization) == ("organization.create", None, membership.organization)

    def test_creates_the_owner_too_who_cannot_sign_in_yet(self, anonymous_api: APIClient) -> None:
        out = create("Ulm", "--owner", "grace", "--create-owner", "--email", "grace@example.org")
        assert "manage.py changepassword grace" in out
        user = User.objects.get()
        assert (user.email, user.has_usable_password()) == ("grace@example.org", False)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            pytest.param(["Ulm", "--owner", "who"], "There is no user 'who'", id="unknown owner"),
            pytest.param(["Ulm", "--owner", "x", "--create-owner"], "belong together", id="no e-mail"),
            pytest.param(["Ulm", "--owner", "x", "--email", "x@example.org"], "belong together", id="e-mail alone"),
            pytest.param(
                ["Ulm", "--owner", "ADA", "--create-owner", "--email", "x@example.org"], "taken", id="name taken"
            ),
            pytest.param(
                ["Ulm", "--owner", "x@y.z", "--create-owner", "--email", "x@example.org"],
                "username",
                id="e-mail as name",
            ),
            pytest.param(["", "--owner", "ada"], "1 to 200", id="no name"),
            pytest.param(["x" * 201, "--owner", "ada"], "1 to 200", id="long name"),
        ],
    )
    def test_says_what_is_wrong_and_creates_nothing(self, ada: User, arguments: list[str], message: str) -> None:
        with pytest.raises(CommandError, match=message):
            create(*arguments)
        assert (User.objects.count(), Organization.objects.count()) == (1, 0)

    def test_help_teaches(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            call_command("create_organization", "--help")
        assert '  manage.py create_organization "University of Ulm" --owner ada\n' in capsys.readouterr().out


@pytest.mark.django_db
class TestSlug:
    def test_is_made_of_the_name_and_unique(self) -> None:
        owner = UserFactory()
        slugs = [
            organization_create(name=name, owner=owner).slug for name in ("Ulm", "ulm!", "東京", "京都", "x" * 200)
        ]
        assert slugs == ["ulm", "ulm-2", "organization", "organization-2", "x" * 70]


@pytest.mark.django_db(transaction=True)
class TestParallelSlugs:
    def test_organizations_of_one_name_do_not_get_in_each_others_way(self) -> None:
        owner = UserFactory()
        made = at_once([lambda: organization_create(name="Ulm", owner=owner).slug for _ in range(4)])
        assert sorted(made) == ["ulm", "ulm-2", "ulm-3", "ulm-4"]
