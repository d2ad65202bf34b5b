"""Which languages can be used here."""

import time
from threading import Lock

from django.conf import settings
from django.core.cache import cache

from executor.engines.base import EngineUnavailable
from executor.judging.languages import LANGUAGES, Language
from executor.services.engines import default_engine

REMEMBERED_S = 60.0
# What the sandboxes of a fleet's workers lack; a web process has none to ask.
FLEET_KEY = "executor.missing_languages"
FLEET_KEPT_S = 600
_remembered: dict[tuple[str, str], tuple[float, str | None]] = {}
_lock = Lock()


def missing_for(language: Language) -> str | None:
    """None where the engine runs this language, or cannot be asked now; otherwise a sentence on what is missing.

    The answer is remembered for a minute, since submitting must not wait for an engine that is far away. Where the
    sandboxes are those of other machines, it is what their workers last told.
    """
    if settings.CELERY_BROKER_URL and settings.EXECUTOR_ENGINE == "sandbox":
        return _missing_in_the_fleet().get(language.key)
    return _missing_here(language)


def languages_tell() -> None:
    """Tell the web processes of a fleet which languages this worker's sandbox lacks."""
    if settings.EXECUTOR_ENGINE == "sandbox":
        lacking = {language.key: missing for language in LANGUAGES.values() if (missing := _missing_here(language))}
        cache.set(FLEET_KEY, lacking, FLEET_KEPT_S)


def _missing_in_the_fleet() -> dict[str, str]:
    told = cache.get(FLEET_KEY)
    return told if isinstance(told, dict) else {}


def _missing_here(language: Language) -> str | None:
    engine = default_engine()
    key = (engine.name, language.key)
    with _lock:
        asked_at, answer = _remembered.get(key, (-REMEMBERED_S, None))
        if time.monotonic() - asked_at < REMEMBERED_S:
            return answer
    try:
        answer = engine.missing_for(language.toolchain)
    except EngineUnavailable:
        # A submission is accepted while its engine is away, and judged when it is back.
        answer = None
    with _lock:
        _remembered[key] = (time.monotonic(), answer)
    return answer


def available_languages() -> list[Language]:
    """The languages that can be used here now."""
    return [language for language in LANGUAGES.values() if missing_for(language) is None]
