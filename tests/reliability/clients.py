"""Students who hand programs in over HTTP, and do not let go before each is acknowledged."""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import requests

from tests.reliability.programs import KINDS, source_of
from tests.reliability.records import Records

TIMEOUT_S = (5.0, 30.0)
RETRY_AFTER_MOST_S = 5.0
RETRY_AFTER_S = 0.2
GO_ON_S, GO_ON_AFTER_S = 0.1, 10.0
# Much longer than any server here may be away: a machine that is busy with other things is no fault of theirs.
PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to hand in, and as whom."""

    url: str
    problem: int
    tokens: Sequence[str]


@dataclass(slots=True)
class Tally:
    """What clients did so far."""

    acknowledged: int = 0
    retries: int = 0
    # Seconds from when a submission was due until it was acknowledged.
    waits_s: list[float] = field(default_factory=list)
    # Answers that were no promise, by status; 0 is a connection that broke.
    others: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Clients:
    """So many at a time; each waits until its submission is acknowledged and it may go on, then makes the next."""

    def __init__(
        self,
        target: Target,
        history: Records,
        *,
        at_once: int,
        per_second: float,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self._target, self._history, self._at_once, self._per_second = target, history, at_once, per_second
        self._may_go_on = may_go_on
        self._stopped = threading.Event()
        self.tally = Tally()
        self._number = 0
        self._lock = threading.Lock()
        self._local = threading.local()

    def stop(self) -> None:
        """Let go of everything: the run is over, or broke off."""
        self._stopped.set()

    def run(self, is_over: Callable[[int], bool]) -> None:
        """Hand in, evenly in time, until `is_over(how many were begun)`; returns once the last is acknowledged."""
        started_s = time.monotonic()
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="client") as pool:
            for task in [pool.submit(self._work, started_s, is_over) for _ in range(self._at_once)]:
                task.result()

    def _work(self, started_s: float, is_over: Callable[[int], bool]) -> None:
        while True:
            with self._lock:
                if self._stopped.is_set() or is_over(self._number):
                    return
                number = self._number
                self._number += 1
            due_s = started_s + number / self._per_second
            self._stopped.wait(max(0.0, due_s - time.monotonic()))
            self._wait_to_go_on()
            self._hand_in(number, due_s)

    def _wait_to_go_on(self) -> None:
        """Not for ever: what was lost is never judged, and a run without a protection has to come to its end."""
        until_s = time.monotonic() + GO_ON_AFTER_S
        while not self._may_go_on() and time.monotonic() < until_s and not self._stopped.is_set():
            time.sleep(GO_ON_S)

    def _hand_in(self, number: int, due_s: float) -> None:
        """One submission, over and over under one key, until it is acknowledged."""
        key, kind = str(uuid.uuid4()), KINDS[number % len(KINDS)]
        token = self._target.tokens[number % len(self._target.tokens)]
        body = {"problem": self._target.problem, "language": "python", "code": source_of(kind, key)}
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        give_up_at_s = time.monotonic() + PATIENCE_S
        self._history.add("sent", key=key, kind=kind, number=number)
        while True:
            status, answer, pause_s, why = self._ask(body, headers)
            if status in (200, 201, 202):
                self._history.add("acknowledged", key=key, id=answer.get("id"), status=status)
                with self.tally.lock:
                    self.tally.acknowledged += 1
                    self.tally.waits_s.append(time.monotonic() - due_s)
                return
            with self.tally.lock:
                self.tally.retries += 1
                self.tally.others[status] = self.tally.others.get(status, 0) + 1
            if 400 <= status < 500 and status not in (409, 429):
                self._history.add("refused", key=key, why=why)
                return
            if time.monotonic() >= give_up_at_s:
                self._history.add("given_up", key=key, why=why)
                return
            self._history.add("failed", key=key, why=why)
            if self._stopped.wait(pause_s):
                return

    def _ask(self, body: dict[str, object], headers: dict[str, str]) -> tuple[int, dict[str, object], float, str]:
        """Status (0: nobody knows what became of it), answer, the pause before asking again, and what happened."""
        try:
            answer = self._session().post(
                f"{self._target.url}/api/v1/submissions/", json=body, headers=headers, timeout=TIMEOUT_S
            )
            found = answer.json()
        except (requests.RequestException, ValueError) as error:
            return 0, {}, RETRY_AFTER_S, type(error).__name__
        try:
            pause_s = float(answer.headers.get("Retry-After", RETRY_AFTER_S))
        except ValueError:
            pause_s = RETRY_AFTER_S
        why = f"{answer.status_code} {found.get('code', '')}"
        return answer.status_code, found, min(pause_s, RETRY_AFTER_MOST_S), why

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        session: requests.Session = self._local.session
        return session
