"""Judge0's API in types: what it offers, creating jobs, asking for their results."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence

from executor.engines.base import EngineProtocolError, EngineRejected, EngineUnavailable
from executor.engines.judge0.capabilities import LanguageCommands, parse_commands
from executor.engines.judge0.faults import BodyTooLarge, reasons_in
from executor.engines.judge0.results import FIELDS, Job, parse_job, parse_token
from executor.engines.judge0.wire import Judge0Wire

SMALL_ANSWER_BYTES = 1024 * 1024
# Two full outputs of the largest size Judge0 allows and a compiler's, in base64, with room to spare.
RESULTS_BYTES = 32 * 1024 * 1024
REMEMBERED_TOKENS = 10_000


class Judge0Client:
    """One Judge0, shared by all threads."""

    def __init__(self, wire: Judge0Wire, *, results_bytes: int = RESULTS_BYTES) -> None:
        self.wire = wire
        self._results_bytes = results_bytes
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._seen_in_order: deque[str] = deque()

    def version(self, *, budget_s: float | None = None) -> str:
        """The server's version; asking takes the key, like everything else on a server that has one."""
        answer = self.wire.get("/about", max_bytes=SMALL_ANSWER_BYTES, budget_s=budget_s)
        version = answer.get("version") if isinstance(answer, dict) else None
        if not isinstance(version, str):
            raise EngineProtocolError("Judge0's /about names no version.")
        return self.wire.quoted(version)

    def config_info(self, *, budget_s: float | None = None) -> object:
        """The server's limits and switches as it states them; `parse_capabilities` reads them."""
        return self.wire.get("/config_info", max_bytes=SMALL_ANSWER_BYTES, budget_s=budget_s)

    def languages(self, *, budget_s: float | None = None) -> object:
        """The server's active languages as it lists them; `parse_capabilities` reads them."""
        return self.wire.get("/languages", max_bytes=SMALL_ANSWER_BYTES, budget_s=budget_s)

    def commands(self, language_id: int) -> LanguageCommands:
        """How the server itself runs one of its languages."""
        return parse_commands(self.wire.get(f"/languages/{language_id}", max_bytes=SMALL_ANSWER_BYTES))

    def create(self, submissions: Sequence[Mapping[str, object]], *, budget_s: float) -> list[str]:
        """Create one job per submission and return their tokens in the same order.

        Raises:
            ConnectionRefused: nothing was created.
            EngineUnavailable: something may have been created; its tokens are lost.
            EngineRejected: at least one submission was refused.
            EngineProtocolError: the answer does not say which job is which.
        """
        answer = self.wire.post(
            "/submissions/batch",
            query={"base64_encoded": "true"},
            body={"submissions": list(submissions)},
            max_bytes=SMALL_ANSWER_BYTES,
            budget_s=budget_s,
        )
        if not isinstance(answer, list) or len(answer) != len(submissions):
            raise EngineProtocolError("Judge0 did not answer a batch with one item per submission.")
        refused = [item for item in answer if isinstance(item, dict) and item and "token" not in item]
        if refused:
            raise EngineRejected(f"Judge0 refused a submission of a batch: {self.wire.quoted(reasons_in(refused))}")
        tokens = [parse_token(item) for item in answer]
        self._remember(tokens)
        return tokens

    def results(self, tokens: Sequence[str], *, budget_s: float) -> dict[str, Job | None]:
        """The jobs of a batch by token; None for those not finished yet.

        Raises:
            EngineUnavailable: among others, where the server does not know a token.
            EngineRejected, EngineProtocolError.
        """
        is_too_large = False
        try:
            answer = self.wire.get(
                "/submissions/batch",
                query={"tokens": ",".join(tokens), "base64_encoded": "true", "fields": FIELDS},
                max_bytes=self._results_bytes,
                budget_s=budget_s,
            )
        except BodyTooLarge:
            if len(tokens) == 1:
                raise
            is_too_large = True
        if is_too_large:
            half = len(tokens) // 2
            first = self.results(tokens[:half], budget_s=budget_s)
            return first | self.results(tokens[half:], budget_s=budget_s)
        return _by_token(answer, tokens)

    def _remember(self, tokens: Sequence[str]) -> None:
        """Refuse a token answered before, to whichever run: its result would be another program's."""
        with self._lock:
            if len(set(tokens)) < len(tokens) or not self._seen.isdisjoint(tokens):
                raise EngineProtocolError("Judge0 answered the same token twice.")
            self._seen.update(tokens)
            self._seen_in_order.extend(tokens)
            while len(self._seen_in_order) > REMEMBERED_TOKENS:
                self._seen.discard(self._seen_in_order.popleft())


def _by_token(answer: object, tokens: Sequence[str]) -> dict[str, Job | None]:
    items = answer.get("submissions") if isinstance(answer, dict) else None
    if not isinstance(items, list) or len(items) != len(tokens):
        raise EngineProtocolError("Judge0 did not answer a poll with one item per token.")
    if any(item is None for item in items):
        raise EngineUnavailable("Judge0 does not know a job that it created.")
    jobs: dict[str, Job | None] = {}
    for item in items:
        token = parse_token(item)
        if token not in tokens:
            raise EngineProtocolError("Judge0 answered a job that was not asked for.")
        if token in jobs:
            raise EngineProtocolError("Judge0 answered the same job twice.")
        jobs[token] = parse_job(item)
    return jobs
