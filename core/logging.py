"""Logs: one JSON object a line (or colours on a terminal), each with the request id it belongs to."""

import logging
from collections.abc import Mapping, MutableMapping
from math import isfinite
from typing import Any, Literal

import structlog

# No text in a line is longer: a token of a megabyte must not bury what stands around it (O-05).
TEXT_MAX = 8000


def _tame(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Values of any origin become what fits in a line and is JSON: `NaN` is not."""
    return {name: _tamed(value, keep_end=name == "exception") for name, value in event.items()}


def _tamed(value: Any, *, keep_end: bool = False) -> Any:
    if isinstance(value, str) and len(value) > TEXT_MAX:
        # A traceback says most at its end.
        return f"{value[-TEXT_MAX:] if keep_end else value[:TEXT_MAX]}… ({len(value)} characters)"
    if isinstance(value, float) and not isfinite(value):
        return repr(value)
    if isinstance(value, Mapping):
        return {str(name): _tamed(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_tamed(inner) for inner in value]
    return value


def _escape_controls(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """For terminals: line breaks and escape sequences in what others wrote are shown, not obeyed (O-03)."""
    for name, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[name] = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in value)
    return event


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]

# One list however often it is configured: loggers that were used before go on with the list they found.
_PROCESSORS: list[Any] = [
    structlog.stdlib.filter_by_level,
    *_SHARED,
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
]


def logging_settings(*, log_format: str | Literal["json", "console"]) -> dict[str, Any]:
    """Django's `LOGGING`, and structlog set up to feed it. Library loggers and warnings are treated alike."""
    logging.captureWarnings(True)
    structlog.configure(
        processors=_PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: list[Any] = (
        [structlog.processors.format_exc_info, _tame, structlog.processors.JSONRenderer()]
        if log_format == "json"
        else [_escape_controls, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *renderer,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            # Libraries that bring handlers of their own would write lines of their own.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "uvicorn": {"handlers": [], "level": "INFO", "propagate": True},
            "uvicorn.error": {"handlers": [], "level": "INFO", "propagate": True},
            # Our own request line replaces these two.
            "uvicorn.access": {"handlers": [], "level": "WARNING", "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # A 4xx is the caller's affair and stands in the request line already; so does a foreign Host header.
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
        },
    }
