from django.apps import AppConfig
from django.urls import register_converter

from core.converters import IdConverter


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core.housekeeping import register_cleanup
        from core.idempotency import records_clean_up
        from core.metrics import metrics_files_tidy

        metrics_files_tidy()
        register_converter(IdConverter, "id")
        register_cleanup("idempotency", records_clean_up)
