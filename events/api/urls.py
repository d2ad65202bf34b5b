"""The addresses of the events API, below `/api/v1/`."""

from django.urls import URLPattern, path

from events.api import views

urlpatterns: list[URLPattern] = [
    path("events/tickets/", views.StreamTicketListView.as_view(), name="stream-ticket-list"),
]
