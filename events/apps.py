from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "events"

    def ready(self) -> None:
        from core.housekeeping import register_cleanup
        from events.api import authentication  # noqa: F401 - registers itself with drf-spectacular
        from events.services.tickets import tickets_clean_up

        register_cleanup("stream_tickets", tickets_clean_up)
