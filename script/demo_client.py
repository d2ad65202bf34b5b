"""A small client of Assay's API: signs in, hands programs in, waits for the verdicts, and makes a table of them."""

import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

TIMEOUT_S = 30
POLL_S = 0.2
UNFINISHED = ("pending", "judging")


class DemoFailed(Exception):
    """The demo cannot go on; the message is a sentence for whoever watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program to hand in, and the verdict it must get. `source` is the body's part with `code` or `files`."""

    problem: str
    language: str
    expected: str
    source: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a program."""

    program: Program
    given: str
    time_ms: int | None
    memory_kib: int | None

    @property
    def is_as_expected(self) -> bool:
        return self.given == self.program.expected


def read_programs(path: Path) -> list[Program]:
    """The programs of a TOML file such as `executor/demo/programs.toml`.

    Raises:
        DemoFailed: the file cannot be read.
    """
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["programs"]
        return [
            Program(
                problem=row["problem"],
                language=row["language"],
                expected=row["expected"],
                source={"code": row["code"]} if "code" in row else {"files": row["files"]},
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError) as error:
        raise DemoFailed(f"The programs in {path} cannot be read: {error!r}") from error


class Client:
    """One signed-in user of the API at `base_url`."""

    def __init__(self, base_url: str) -> None:
        self._api = f"{base_url}/api/v1"
        self._session = requests.Session()
        # A proxy in the environment is not for a server on this machine.
        self._session.trust_env = False

    def sign_in(self, *, username: str, password: str) -> None:
        """Sign in; later calls are this user's."""
        tokens = self._call("POST", "/auth/token/", json={"username": username, "password": password})
        self._session.headers["Authorization"] = f"Bearer {tokens['access']}"

    def languages(self) -> dict[str, str]:
        """The languages this server can judge: their names by key."""
        return {language["key"]: language["name"] for language in self._call("GET", "/languages/")}

    def problem_ids(self, course_id: int) -> dict[str, int]:
        """The course's problems: their ids by slug."""
        return {problem["slug"]: problem["id"] for problem in self._pages(f"/courses/{course_id}/problems/")}

    def submit(self, program: Program, *, problem_id: int) -> int:
        """Hand a program in; its id, by which the verdict is asked for later."""
        body = {"problem": problem_id, "language": program.language, **program.source}
        return int(self._call("POST", "/submissions/", json=body)["id"])

    def submissions(self) -> Iterator[dict[str, Any]]:
        """All of this user's submissions."""
        return self._pages("/submissions/")

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        url: str | None = path
        while url:
            page = self._call("GET", url)
            yield from page["results"]
            url = page["next"]

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        url = path if path.startswith("http") else f"{self._api}{path}"
        try:
            response = self._session.request(method, url, timeout=TIMEOUT_S, **arguments)
        except requests.RequestException as error:
            raise DemoFailed(f"{method} {path} got no answer: {error}") from error
        if not response.ok:
            raise DemoFailed(f"{method} {path} answered {response.status_code}: {response.text[:500]}")
        return response.json()


def hand_in(
    client: Client,
    programs: Sequence[Program],
    *,
    problem_ids: dict[str, int],
    timeout_s: float,
    on_progress: Callable[[int], None] = lambda judged: None,
) -> list[Outcome]:
    """Hand all programs in at once, then ask until each is judged; `on_progress` is told how many are.

    Raises:
        DemoFailed: the server refused something, or not all were judged within `timeout_s`.
    """
    if unknown := sorted({program.problem for program in programs} - problem_ids.keys()):
        raise DemoFailed(f"The course has no problem {', '.join(unknown)}.")
    waiting = {client.submit(program, problem_id=problem_ids[program.problem]): program for program in programs}
    order = list(waiting)
    outcomes: dict[int, Outcome] = {}
    deadline = time.monotonic() + timeout_s
    while waiting:
        for row in client.submissions():
            if row["id"] in waiting and row["status"] not in UNFINISHED:
                outcomes[row["id"]] = Outcome(
                    program=waiting.pop(row["id"]),
                    given=row["status"],
                    time_ms=row["time_ms"],
                    memory_kib=row["memory_kib"],
                )
        on_progress(len(outcomes))
        if waiting and time.monotonic() > deadline:
            raise DemoFailed(f"After {timeout_s:.0f} s {len(waiting)} of {len(order)} programs are not judged yet.")
        if waiting:
            time.sleep(POLL_S)
    return [outcomes[submission_id] for submission_id in order]


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """The outcomes as lines of text, in columns."""
    head = ("problem", "language", "expected", "given", "time", "memory", "ok")
    rows = [
        (
            outcome.program.problem,
            outcome.program.language,
            outcome.program.expected,
            outcome.given,
            "-" if outcome.time_ms is None else f"{outcome.time_ms} ms",
            "-" if outcome.memory_kib is None else f"{outcome.memory_kib / 1024:.1f} MiB",
            "yes" if outcome.is_as_expected else "NO",
        )
        for outcome in outcomes
    ]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    aligned = [
        "  ".join(
            cell.rjust(width) if column in (4, 5) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *rows]
    ]
    return [aligned[0], "  ".join("-" * width for width in widths), *aligned[1:]]
