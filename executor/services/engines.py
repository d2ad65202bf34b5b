"""Which engine this process judges with."""

from functools import cache

from django.conf import settings

from executor.engines.base import Engine
from executor.judging.languages import LANGUAGES


def default_engine() -> Engine:
    """The engine that `EXECUTOR_ENGINE` names."""
    return engine_named(settings.EXECUTOR_ENGINE)


@cache
def engine_named(name: str) -> Engine:
    """One engine per name and process: its connections and what it learned of the machine are shared by all threads.

    Raises:
        ValueError: there is no engine of that name, or it lacks a setting.
    """
    # Imported by need: a process loads the libraries of the engine it judges with, and not the other's.
    if name == "sandbox":
        from executor.engines.sandbox import SandboxEngine

        return SandboxEngine(tiers=settings.EXECUTOR_TIERS, kit_directory=settings.EXECUTOR_KIT_DIRECTORY)
    if name == "judge0":
        if not settings.JUDGE0_URL:
            raise ValueError("JUDGE0_URL is not set: name the address of a Judge0.")
        from executor.engines.judge0 import Judge0Engine

        return Judge0Engine(
            base_url=settings.JUDGE0_URL,
            auth_token=settings.JUDGE0_AUTH_TOKEN,
            toolchains=[language.toolchain for language in LANGUAGES.values()],
        )
    raise ValueError(f"There is no engine {name!r}; there are sandbox and judge0.")
