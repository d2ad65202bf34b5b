from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from django.db import connection

from accounts.errors import LastOwner
from accounts.models import Membership, Organization
from accounts.services import membership_remove, membership_set, organizations
from core.errors import DomainError, PermissionRefused
from tests.accounts.factories import MembershipFactory, OrganizationFactory
from tests.parallel import at_once, meeting_point


@pytest.mark.django_db(transaction=True)
class TestTwoOwnersStepDown:
    @pytest.fixture
    def owners(self) -> list[Membership]:
        organization: Organization = OrganizationFactory()
        return [MembershipFactory(organization=organization, role="owner") for _ in range(2)]

    @pytest.fixture(autouse=True)
    def both_check_before_either_writes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As close as they can come: where a lock keeps one away, the other does not wait forever."""
        real, meet = organizations._refuse_if_last_owner, meeting_point(2)

        def check_then_meet(membership: Membership) -> None:
            real(membership)
            meet()

        monkeypatch.setattr(organizations, "_refuse_if_last_owner", check_then_meet)

    def step_down(self, owner: Membership) -> str:
        try:
            membership_set(
                actor=owner.user,
                organization_id=owner.organization_id,
                user_id=owner.user_id,
                role=Membership.Role.ADMIN,
            )
        except DomainError as error:
            return error.code
        return "stepped down"

    def owners_left(self, owners: list[Membership]) -> int:
        return Membership.objects.filter(organization=owners[0].organization, role="owner").count()

    def test_one_stays(self, owners: list[Membership]) -> None:
        answers = at_once([lambda owner=owner: self.step_down(owner) for owner in owners])
        assert sorted(answers) == [LastOwner.code, "stepped down"]
        assert self.owners_left(owners) == 1

    def test_control_without_the_lock_none_would(
        self, owners: list[Membership], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(organizations, "organization_lock", lambda organization_id: None)
        if connection.vendor == "sqlite":  # where a transaction takes the database's one write lock as it begins
            monkeypatch.setattr(organizations, "transaction", SimpleNamespace(atomic=nullcontext))
        answers = at_once([lambda owner=owner: self.step_down(owner) for owner in owners])
        assert answers == ["stepped down"] * 2
        assert self.owners_left(owners) == 0

    def test_one_who_was_demoted_meanwhile_removes_nobody(self, owners: list[Membership]) -> None:
        first, second = owners
        membership_set(
            actor=first.user,
            organization_id=first.organization_id,
            user_id=second.user_id,
            role=Membership.Role.MEMBER,
        )
        with pytest.raises(PermissionRefused):
            membership_remove(actor=second.user, organization_id=first.organization_id, user_id=first.user_id)
