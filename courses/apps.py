from importlib import import_module

from django.apps import AppConfig


class CoursesConfig(AppConfig):
    name = "courses"

    def ready(self) -> None:
        from core.consistency import register_recount
        from courses.consistency import ANSWERS, PROGRESS

        import_module("courses.signals")
        register_recount(PROGRESS)
        register_recount(ANSWERS.recount())
