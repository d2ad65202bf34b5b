"""Which languages can be used here."""

import time
from threading import Lock

from executor.engines.base import EngineUnavailable
from executor.judging.languages import LANGUAGES, Language
from executor.services.engines import default_engine

REMEMBERED_S = 60.0
_remembered: dict[tuple[str, str], tuple[float, str | None]] = {}
_lock = Lock()


def missing_for(language: Language) -> str | None:
    """None where the engine runs this language, or cannot be asked now; otherwise a sentence on what is missing.

    The answer is remembered for a minute, since submitting must not wait for an engine that is far away.
    """
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
