"""Tickets open one stream, once, soon, and for whom they were issued."""

from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.utils import timezone
from freezegun import freeze_time
from rest_framework.test import APIClient

from accounts.models import TokenFamily, User
from core.housekeeping import clean_up
from events.models import StreamTicket
from events.rights import Credential
from events.services.tickets import TICKETS_MAX, TicketRefused, ticket_issue, ticket_redeem
from executor.models import Submission
from tests.accounts.factories import UserFactory
from tests.events.listeners import signed_in
from tests.executor.factories import SubmissionFactory
from tests.parallel import at_once

TICKETS = "/api/v1/events/tickets/"


@pytest.fixture
def submission() -> Submission:
    return SubmissionFactory()


def bearer(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {signed_in(user)}")
    return client


def issued(user: User) -> str:
    response = bearer(user).post(TICKETS)
    assert response.status_code == 201
    ticket: str = response.json()["ticket"]
    return ticket


def status_with(ticket: str, submission: Submission) -> tuple[int, str]:
    response = Client().get(f"/api/v1/submissions/{submission.pk}/events/?ticket={ticket}")
    return response.status_code, response.json()["code"] if response.status_code >= 400 else ""


REFUSED = (401, "ticket_refused")


@pytest.mark.django_db
class TestTickets:
    def test_it_opens_one_stream_and_is_not_kept_as_it_is(self, submission: Submission) -> None:
        ticket = issued(submission.user)
        assert ticket not in str(StreamTicket.objects.values())
        assert status_with(ticket, submission) == (200, "")
        assert not StreamTicket.objects.exists()
        assert status_with(ticket, submission) == REFUSED

    @pytest.mark.parametrize("ticket", ["", "x", "\ud800", "a" * 10_000])
    def test_what_is_no_ticket_is_refused(self, submission: Submission, ticket: str) -> None:
        assert (
            Client()
            .get(f"/api/v1/submissions/{submission.pk}/events/", {"ticket": ticket.encode("utf-8", "surrogatepass")})
            .status_code
            == 401
        )

    def test_it_is_good_for_a_minute(self, submission: Submission) -> None:
        with freeze_time(timezone.now()) as clock:
            early, late = issued(submission.user), issued(submission.user)
            clock.tick(timedelta(seconds=59))
            assert status_with(early, submission) == (200, "")
            clock.tick(timedelta(seconds=1))
            assert status_with(late, submission) == REFUSED

    def test_it_falls_with_its_sign_in_and_its_user(self, submission: Submission) -> None:
        ticket = issued(submission.user)
        TokenFamily.objects.update(revoked_at=timezone.now())
        assert status_with(ticket, submission) == REFUSED
        ticket = issued(submission.user)
        User.objects.update(is_active=False)
        assert status_with(ticket, submission) == REFUSED

    def test_a_sessions_ticket_falls_with_the_session(self, submission: Submission) -> None:
        browser = Client()
        browser.force_login(submission.user)
        tickets = [browser.post(TICKETS).json()["ticket"] for _ in range(2)]
        assert status_with(tickets[0], submission) == (200, "")
        browser.logout()
        assert status_with(tickets[1], submission) == REFUSED

    def test_it_is_leave_for_what_its_user_may_see_only(self, submission: Submission) -> None:
        assert status_with(issued(UserFactory()), submission) == (404, "not_found")

    def test_it_opens_nothing_else(self, submission: Submission) -> None:
        ticket = issued(submission.user)
        assert Client().get(f"/api/v1/submissions/{submission.pk}/?ticket={ticket}").status_code == 401
        assert Client().post(f"{TICKETS}?ticket={ticket}").status_code == 401
        assert status_with(ticket, submission) == (200, "")

    def test_a_session_needs_a_csrf_token_to_ask_for_one(self, submission: Submission) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(submission.user)
        assert browser.post(TICKETS).status_code == 403

    def test_one_may_have_so_many(self) -> None:
        client = bearer(UserFactory())
        assert {client.post(TICKETS).status_code for _ in range(TICKETS_MAX)} == {201}
        response = client.post(TICKETS)
        assert (response.status_code, response.json()["code"]) == (429, "too_many_tickets")
        with freeze_time(timezone.now() + timedelta(seconds=61)):
            assert client.post(TICKETS).status_code == 201

    def test_those_that_are_over_are_thrown_away(self) -> None:
        user = UserFactory()
        ticket_issue(credential=Credential(user_id=user.pk))
        with freeze_time(timezone.now() + timedelta(seconds=61)):
            ticket_issue(credential=Credential(user_id=user.pk))
            assert clean_up()["stream_tickets"] == 1
        assert StreamTicket.objects.count() == 1


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def redeem(self, text: str) -> bool:
        try:
            ticket_redeem(text=text)
        except TicketRefused:
            return False
        return True

    def test_of_many_at_once_one_gets_in(self) -> None:
        user = UserFactory()
        for _ in range(5):
            text, _ = ticket_issue(credential=Credential(user_id=user.pk))
            assert sorted(at_once([partial(self.redeem, text)] * 6)) == [False] * 5 + [True]

    def test_control_without_deleting_it_all_would(self, monkeypatch: pytest.MonkeyPatch) -> None:
        text, _ = ticket_issue(credential=Credential(user_id=UserFactory().pk))
        monkeypatch.setattr("django.db.models.query.QuerySet.delete", lambda self: (1, {}))
        assert at_once([partial(self.redeem, text)] * 6) == [True] * 6
