"""Handing in programs under an idempotency key."""

from collections.abc import Callable

from rest_framework.request import Request

from core.idempotency import Once, made_once
from executor.judging.languages import LANGUAGES
from executor.services.languages import missing_for


def program_made_once(request: Request, language: str, make: Callable[[], int]) -> Once:
    """`core.idempotency.made_once`, for what takes a program in: the id of what was made of it.

    The engine is asked for the language before, and remembered: it must not be asked inside a transaction.
    """
    if language in LANGUAGES:
        missing_for(LANGUAGES[language])
    return made_once(request, make)
