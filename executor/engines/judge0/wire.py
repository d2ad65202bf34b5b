"""HTTP to a Judge0: one exchange at a time, bounded in time and size, its failures named.

Nothing outside this module sees `requests`. No exception raised here carries a URL, a header, a token or the
exception of a library (whose text holds them): they would end in logs.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import NoReturn
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from executor.engines.base import EngineError, EngineProtocolError, EngineRejected, EngineUnavailable
from executor.engines.judge0.breaker import Breaker
from executor.engines.judge0.faults import (
    BodyTooLarge,
    fault_of_status,
    fault_of_transport,
    reasons_in,
    retry_after_s,
)
from executor.engines.judge0.watchdog import WatchedAdapter, cut_after

POOL_SIZE = 32
CHUNK_BYTES = 65_536
EXPLANATION_BYTES = 65_536
EXPLANATION_CHARACTERS = 300
TOKEN_LIKE = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: to connect, between two bytes, for one whole exchange, and what a run may wait in Judge0's queue."""

    connect_s: float = 3.0
    read_s: float = 10.0
    exchange_s: float = 30.0
    queue_allowance_s: float = 60.0


class _HidesTokens(logging.Filter):
    """Judge0 takes job tokens in the URL, and urllib3 logs URLs at DEBUG; a token reads a whole submission (J-12)."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "tokens=" not in record.getMessage()


_hides_tokens = _HidesTokens()


class Judge0Wire:
    """JSON in and out of one Judge0. Shared by all threads: the pool is, and no cookie is ever kept."""

    def __init__(
        self,
        *,
        base_url: str,
        auth_token: str,
        timeouts: Timeouts,
        ca_file: str | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises ValueError for an address or a key that can never work; the message never holds the key."""
        address = urlsplit(base_url)
        if address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment:
            raise ValueError("The address of Judge0 must be like https://judge0.example:2358.")
        if address.username or address.password:
            raise ValueError("The address of Judge0 must hold no user name or password.")
        if not auth_token.isascii() or not auth_token.isprintable() or auth_token != auth_token.strip():
            raise ValueError("The key of Judge0 may hold only printable ASCII characters.")
        self.place = f"{address.hostname}:{address.port}" if address.port else address.hostname
        self.timeouts = timeouts
        self.breaker = Breaker(clock=clock)
        self._base_url = base_url.rstrip("/")
        self._auth_token = auth_token
        self._session = requests.Session()
        # Neither a proxy nor a .netrc of the environment may come to know the key.
        self._session.trust_env = False
        self._session.verify = ca_file or True
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # Compressed answers could be tiny on the wire and huge in memory.
        self._session.headers = requests.structures.CaseInsensitiveDict(
            {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "assay"}
        )
        if auth_token:
            self._session.headers["X-Auth-Token"] = auth_token
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, WatchedAdapter(pool_maxsize=POOL_SIZE, max_retries=0))
        logging.getLogger("urllib3.connectionpool").addFilter(_hides_tokens)

    def get(
        self, path: str, *, query: Mapping[str, str] | None = None, max_bytes: int, budget_s: float | None = None
    ) -> object:
        """The parsed answer to a GET; `budget_s` shortens the exchange's own time.

        Raises:
            EngineUnavailable, EngineRejected, EngineProtocolError: as the package's table says.
        """
        return self._exchange("GET", path, query, None, 200, max_bytes, budget_s)

    def post(
        self, path: str, *, query: Mapping[str, str], body: object, max_bytes: int, budget_s: float | None = None
    ) -> object:
        """The parsed answer to a POST that created something (201).

        Raises:
            ConnectionRefused: nothing was sent.
            EngineUnavailable, EngineRejected, EngineProtocolError: as the package's table says.
        """
        return self._exchange("POST", path, query, body, 201, max_bytes, budget_s)

    def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object,
        expected_status: int,
        max_bytes: int,
        budget_s: float | None,
    ) -> object:
        where = f"Judge0, {method} {path}"
        budget_s = min(self.timeouts.exchange_s, self.timeouts.exchange_s if budget_s is None else budget_s)
        if budget_s <= 0:
            raise EngineUnavailable(f"{where}: no time is left.")
        answer: object = None
        fault: EngineError | None = None
        era = self.breaker.admit(where)
        try:
            content, fault, is_cut, wish_s = self._talk(method, path, query, body, expected_status, max_bytes, budget_s)
            if fault is None:
                answer, fault = _parse(content, where)
            if fault is None or isinstance(fault, EngineRejected | BodyTooLarge):
                # It answered, and what it says is about this request.
                self.breaker.passed(era)
            elif is_cut and budget_s < min(self.timeouts.read_s, self.timeouts.exchange_s):
                # A server is not slow because a caller was in a hurry.
                self.breaker.neither(era)
            else:
                self.breaker.failed(era, str(fault), wish_s=wish_s)
        except BaseException:
            self.breaker.neither(era)
            raise
        if fault is not None:
            raise fault
        return answer

    def _talk(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object,
        expected_status: int,
        max_bytes: int,
        budget_s: float,
    ) -> tuple[bytes, EngineError | None, bool, float | None]:
        """The body, the fault if there is one, whether it took too long, and the pause that the server asked for."""
        where = f"Judge0, {method} {path}"
        timeout = (min(self.timeouts.connect_s, budget_s), min(self.timeouts.read_s, budget_s))
        content, is_late, wish_s = b"", False, None
        # Handed back, not raised: a chained library exception would carry the URL and its tokens.
        fault: EngineError | None = None
        with cut_after(budget_s) as is_over:
            try:
                response = self._session.request(
                    method,
                    f"{self._base_url}{path}",
                    params=query,
                    json=body,
                    timeout=timeout,
                    allow_redirects=False,
                    stream=True,
                )
                with response:
                    if response.status_code == expected_status:
                        content = _read(response, max_bytes, where)
                        if is_over.is_set():
                            # Cut by the watchdog, a body that only its connection's end delimits looks complete.
                            fault = EngineUnavailable(f"{where}: the exchange took too long and was cut.")
                    else:
                        wish_s = retry_after_s(response.headers.get("Retry-After"))
                        fault = self._fault_of(response, where)
            except EngineError as error:
                fault = error
            except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
                fault = fault_of_transport(error, where, is_over=is_over.is_set())
                is_late = isinstance(error, requests.Timeout)
        return content, fault, is_late or is_over.is_set(), wish_s

    def _fault_of(self, response: requests.Response, where: str) -> EngineError:
        status, reasons = response.status_code, ""
        if 400 <= status < 500 or status == 503:
            # Without a readable reason the status has to do; a reason is for people only.
            with suppress(EngineProtocolError):
                reasons = reasons_in(_parse(_read(response, EXPLANATION_BYTES, where), where)[0])
        retry_after = response.headers.get("Retry-After")
        return fault_of_status(status, where, retry_after=retry_after, reasons=self.quoted(reasons))

    def quoted(self, text: str) -> str:
        """What the server said, fit for a log: short, one line, plain characters, without key and tokens."""
        if self._auth_token:
            text = text.replace(self._auth_token, "***")
        text = TOKEN_LIKE.sub("***", text)
        plain = "".join(character if " " <= character <= "~" else " " for character in text)
        return plain[:EXPLANATION_CHARACTERS]


def _read(response: requests.Response, max_bytes: int, where: str) -> bytes:
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise EngineProtocolError(f"{where}: answered compressed, which was not asked for.")
    content = bytearray()
    for chunk in response.iter_content(CHUNK_BYTES):
        content += chunk
        if len(content) > max_bytes:
            raise BodyTooLarge(f"{where}: answered more than {max_bytes} bytes.")
    return bytes(content)


def _parse(content: bytes, where: str) -> tuple[object, EngineProtocolError | None]:
    """What the JSON says, or the fault. The library's exception is left behind: it holds the whole document."""
    with suppress(ValueError, RecursionError):
        return json.loads(content, parse_constant=_refuse_constant), None
    return None, EngineProtocolError(f"{where}: answered something other than JSON ({len(content)} bytes).")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
