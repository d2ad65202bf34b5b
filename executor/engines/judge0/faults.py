"""What a failed exchange means: transport faults and refusals turned into the engine's own errors."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

from executor.engines.base import EngineBusy, EngineError, EngineProtocolError, EngineRejected, EngineUnavailable

TRANSIENT_STATUSES = frozenset({408, 425})
# These speak of the address or the key, not of what was sent.
MISDIRECTED_STATUSES = frozenset({401, 403, 404, 405})
LONGEST_RETRY_AFTER_S = 3600.0
# A person has to act; until then it is enough to look now and then.
MISDIRECTED_PAUSE_S = 30.0


class ConnectionRefused(EngineUnavailable):
    """Nobody listened, so nothing was created: even a POST may be repeated."""


class Misdirected(EngineUnavailable):
    """Our address or key is wrong, or a proxy stands in the way: every program would meet it, so none is to blame."""


class BodyTooLarge(EngineProtocolError):
    """The answer is larger than the cap; asking for less may help."""


def fault_of_status(status: int, where: str, *, retry_after: str | None, reasons: str) -> EngineError:
    """What an unexpected HTTP status means; `retry_after` is the header, `reasons` what the body gave as such."""
    said = f"{where}: answered {status}"
    wish_s = retry_after_s(retry_after)
    if status == 429 or (status == 503 and (reasons or wish_s is not None)):
        # A server that gives its reasons, or a time, is alive. A bare 503 can be a proxy whose server died of this.
        return EngineBusy(f"{said}: {reasons or 'it is asked too much.'}", retry_after_s=wish_s)
    if status in TRANSIENT_STATUSES or status >= 500:
        return EngineUnavailable(f"{said}.", retry_after_s=wish_s)
    if 300 <= status < 400:
        hint = "a redirect, which is not followed: is JUDGE0_URL right?"
    elif status in (401, 403):
        hint = "it refuses our key. Is JUDGE0_AUTH_TOKEN right?"
    else:
        hint = "is JUDGE0_URL the address of a Judge0?"
    if 300 <= status < 400 or status in MISDIRECTED_STATUSES:
        return Misdirected(f"{said}: {hint}", retry_after_s=MISDIRECTED_PAUSE_S)
    if status == 413:
        return EngineRejected(f"{said}: the request is larger than it or a proxy before it accepts.")
    if 400 <= status < 500:
        return EngineRejected(f"{said}: {reasons or 'no reason given.'}")
    return EngineProtocolError(f"{said}, which was not to be expected.")


def reasons_in(answer: object) -> str:
    """The reasons in an error's body: `{"error": text}`, `{field: [texts]}`, or a list with one of these; else ""."""
    if isinstance(answer, list):
        return next((reasons for item in answer if (reasons := reasons_in_object(item))), "")
    return reasons_in_object(answer)


def reasons_in_object(answer: object) -> str:
    """The reasons in one error object. Only texts are taken, so that nothing deep is ever walked."""
    if not isinstance(answer, dict):
        return ""
    reasons = []
    for field, texts in answer.items():
        given = [text for text in (texts if isinstance(texts, list) else [texts]) if isinstance(text, str)]
        reasons += [f"{field}: {', '.join(given)}"] if given else []
    return "; ".join(reasons)


def retry_after_s(value: str | None) -> float | None:
    """The seconds a Retry-After asks for, given as a number or a date, at most an hour; None where it says nothing."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:10]), LONGEST_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_RETRY_AFTER_S)


def fault_of_transport(error: Exception, where: str, *, is_over: bool) -> EngineError:
    """What a library's exception means; its text is left behind, since it holds the URL with the tokens."""
    if is_over:
        return EngineUnavailable(f"{where}: the exchange took too long and was cut.")
    if _is_refused(error):
        return ConnectionRefused(f"{where}: the connection was refused.")
    if isinstance(error, requests.exceptions.SSLError):
        return EngineUnavailable(f"{where}: TLS failed. Is its certificate valid?")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return EngineUnavailable(f"{where}: no connection in time.")
    if isinstance(error, requests.Timeout):
        return EngineUnavailable(f"{where}: no answer in time.")
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader):
        return EngineRejected(f"{where}: the address or the key cannot be sent. Is JUDGE0_URL right?")
    return EngineUnavailable(f"{where}: the connection failed ({type(error).__name__}).")


def _is_refused(error: BaseException) -> bool:
    """Whether a refused connection lies at the bottom; requests and urllib3 wrap it in several ways."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if isinstance(current, ConnectionRefusedError):
            return True
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            waiting += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]
    return False
