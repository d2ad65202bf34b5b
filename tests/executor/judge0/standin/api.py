"""Judge0's API as far as Assay uses it: what it offers, what it refuses and in which words, its jobs."""

import base64
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.executor.judge0.support import COMMANDS, JOBS, SERVER, b64

Item = dict[str, Any]
# Takes a submission as it was sent, and answers with a function that gives the job's fields as they are now.
Judge = Callable[[Item], Callable[[], Item | None]]
UNFINISHED_FIELDS: Item = dict(JOBS["queued"]["item"])
MULTI_FILE_ID = 89
# field: lower bound, upper bound's setting
BOUNDS: Mapping[str, tuple[float, str]] = {
    "cpu_time_limit": (0, "max_cpu_time_limit"),
    "wall_time_limit": (1, "max_wall_time_limit"),
    "memory_limit": (2048, "max_memory_limit"),
    "stack_limit": (0, "max_stack_limit"),
    "max_processes_and_or_threads": (1, "max_max_processes_and_or_threads"),
    "max_file_size": (0, "max_max_file_size"),
    "number_of_runs": (1, "max_number_of_runs"),
}


def finished(stdout: bytes, **changes: object) -> Item:
    """The fields of a job that ended well, as recorded, but for its stdout and `changes`."""
    return {**JOBS["accepted"]["item"], "stdout": b64(stdout) + "\n" if stdout else None, **changes}


def state(number: int) -> Item:
    """The fields of a job in queue (1) or processing (2)."""
    return dict(JOBS["queued" if number == 1 else "processing"]["item"])


def in_turn_states(states: Sequence[Item | None]) -> Callable[[], Item | None]:
    """Each state for one poll; the last one stays."""
    left = list(states)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def replaying(item: Item) -> Judge:
    """Every job has this recorded end, after having been queued and processed."""
    return lambda _submission: in_turn_states([state(1), state(2), item])


def printing(output_of: Callable[[Item, bytes], bytes], *, polls: int = 1) -> Judge:
    """Every job prints what `output_of` says of the submission and its stdin, after so many polls."""

    def judge(submission: Item) -> Callable[[], Item | None]:
        stdin = base64.b64decode(submission.get("stdin") or "")
        waiting = [state(1 + number % 2) for number in range(polls)]
        return in_turn_states([*waiting, finished(output_of(submission, stdin))])

    return judge


class Judge0Api:
    """Answers as (status, JSON); None for an empty body."""

    def __init__(self, judge: Judge, *, auth_token: str = "") -> None:
        self.judge = judge
        self.auth_token = auth_token
        self.about: Item = dict(SERVER["about"])
        self.config: Item = dict(SERVER["config_info"])
        self.languages: list[Item] = list(SERVER["languages"])
        self.commands: dict[int, Item] = {71: dict(SERVER["language_71"])}
        for number, (compile_cmd, run_cmd) in COMMANDS.items():
            self.commands[number] = {"id": number, "compile_cmd": compile_cmd, "run_cmd": run_cmd}
        # In the order of their creation; a test may take some away.
        self.jobs: dict[str, Callable[[], Item | None]] = {}
        self.submissions: list[Item] = []
        self._lock = threading.Lock()

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any, key: str) -> tuple[int, Any]:
        """What Judge0 would answer; creating jobs, where that was asked."""
        if key != self.auth_token:
            return 401, None
        if method == "GET":
            known = {"/about": self.about, "/config_info": self.config, "/languages": self.languages}
            if path in known:
                return 200, known[path]
            number = path.removeprefix("/languages/")
            if number.isdigit() and int(number) in self.commands:
                return 200, self.commands[int(number)]
        if path == "/submissions/batch":
            if not self.config["enable_batched_submissions"]:
                return 400, {"error": "batched submissions are not allowed"}
            return self._create(body) if method == "POST" else self._poll(query)
        return 404, {"status": 404, "error": "Not Found"}

    def _create(self, body: Any) -> tuple[int, Any]:
        sent = body.get("submissions") if isinstance(body, dict) else None
        if not isinstance(sent, list) or not sent:
            return 400, {"error": "there should be at least one submission in a batch"}
        if fault := self._too_many(sent):
            return fault
        answers: list[Item] = []
        for submission in sent:
            errors = self.errors_of(submission)
            if errors:
                answers.append(errors)
                continue
            token = str(uuid.uuid4())
            with self._lock:
                self.submissions.append(submission)
                self.jobs[token] = self.judge(submission)
            answers.append({"token": token})
        return (201 if any("token" in answer for answer in answers) else 422), answers

    def _poll(self, query: Mapping[str, str]) -> tuple[int, Any]:
        tokens = query.get("tokens", "").split(",")
        if fault := self._too_many(tokens):
            return fault
        assert query.get("base64_encoded") == "true", "any other text breaks on the first byte that is not ASCII"
        fields = query["fields"].split(",")
        return 200, {"submissions": [self._item(token, fields) for token in tokens]}

    def _item(self, token: str, fields: Sequence[str]) -> Item | None:
        with self._lock:
            now = self.jobs.get(token)
            item = None if now is None else now()
        return None if item is None else {name: token if name == "token" else item[name] for name in fields}

    def _too_many(self, entries: Sequence[object]) -> tuple[int, Any] | None:
        most = self.config["max_submission_batch_size"]
        if len(entries) <= most:
            return None
        return 400, {"error": f"number of submissions in a batch should be less than or equal to {most}"}

    def errors_of(self, submission: Item) -> Item:
        """Why Judge0 would refuse a submission, in its words; empty if it would not."""
        errors: dict[str, list[str]] = {}
        for field, (low, setting) in BOUNDS.items():
            value, high = submission.get(field), self.config[setting]
            if value is not None and value > high:
                errors[field] = [f"must be less than or equal to {high}"]
            elif value is not None and value < low:
                errors[field] = [f"must be greater than or equal to {low}"]
        number = submission.get("language_id")
        if number not in {language["id"] for language in self.languages}:
            errors["language_id"] = [f"language with id {number} doesn't exist"]
        source = base64.b64decode(submission.get("source_code") or "")
        if number == MULTI_FILE_ID:
            if submission.get("source_code") is not None:
                errors["source_code"] = ["should be blank for multi-file programs"]
            if not submission.get("additional_files"):
                errors["additional_files"] = ["can't be blank"]
        elif not source.strip():
            errors["source_code"] = ["can't be blank"]
        if submission.get("additional_files") and not self.config["enable_additional_files"]:
            errors["additional_files"] = ["setting additional files is not allowed"]
        if submission.get("enable_network") and not self.config["allow_enable_network"]:
            errors["enable_network"] = ["enabling network is not allowed"]
        return errors
