"""A scripted Judge0 behind `responses`, a raw server on loopback, and the recorded bodies both answer with."""

import base64
import json
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import responses

from executor.engines.base import Limits, RunRequest, SourceFile, Toolchain
from executor.engines.judge0 import Judge0Engine, Timeouts
from executor.judging.languages import LANGUAGES

URL = "http://judge0.test"
KEY = "k3y-that-nobody-may-see"
BATCH = f"{URL}/submissions/batch"
OTHER_TOKEN = "00000000-0000-0000-0000-000000000000"
RECORDINGS = Path(__file__).parent / "recordings"
SERVER: dict[str, Any] = json.loads((RECORDINGS / "server.json").read_text())
JOBS: dict[str, Any] = json.loads((RECORDINGS / "jobs.json").read_text())["jobs"]
ANSWERS: dict[str, Any] = json.loads((RECORDINGS / "answers.json").read_text())["answers"]
REFUSALS: dict[str, Any] = json.loads((RECORDINGS / "refusals.json").read_text())["refusals"]
# Only Python's description was recorded; these follow it, with the compilers' places of that server.
COMMANDS = {
    50: ("/usr/bin/gcc %s main.c", "./a.out"),
    54: ("/usr/bin/g++ %s main.cpp", "LD_LIBRARY_PATH=/opt/gcc/lib64 ./a.out"),
    62: ("/usr/bin/javac %s Main.java", "/usr/bin/java Main"),
    63: (None, "/usr/bin/node script.js"),
}
PYTHON, C, CPP = LANGUAGES["python"].toolchain, LANGUAGES["c"].toolchain, LANGUAGES["cpp"].toolchain
JAVA, JAVASCRIPT = LANGUAGES["java"].toolchain, LANGUAGES["javascript"].toolchain
LIMITS = Limits(time_limit_ms=5000, wall_limit_ms=10_000, memory_limit_mb=125, output_limit_kib=1023)

Item = dict[str, Any]
Script = Callable[[int, Item], Sequence[Item | None]]


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def recorded_job(name: str, **changes: object) -> Item:
    """A recorded job's fields, as the batch GET answers them, with some changed."""
    return {**JOBS[name]["item"], **changes}


UNFINISHED: list[Item | None] = [recorded_job("queued"), recorded_job("processing")]


def inputs(count: int) -> list[bytes]:
    return [f"input {number}".encode() for number in range(count)]


def request_of(
    *inputs: bytes,
    toolchain: Toolchain = PYTHON,
    files: dict[str, str] | None = None,
    limits: Limits = LIMITS,
    is_exclusive: bool = True,
) -> RunRequest:
    """A job for each input, unless told otherwise."""
    files = files or {"main.py": "print(input())"}
    return RunRequest(
        toolchain=toolchain,
        files=tuple(SourceFile(name=name, content=content) for name, content in files.items()),
        inputs=inputs,
        limits=limits,
        is_exclusive=is_exclusive,
    )


class FakeClock:
    """Time that passes only by sleeping; it remembers how long each sleep was."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.sleeps.append(seconds)
        self.now_s += seconds


def echo(_number: int, submission: Item) -> Sequence[Item | None]:
    """Accepted at once, printing the job's own stdin: a result given to the wrong input shows."""
    return [recorded_job("accepted", stdout=submission["stdin"])]


class FakeJudge0:
    """Judge0's API as far as Assay uses it. `script` gives the states of the n-th job, the last of which stays."""

    def __init__(self, script: Script = echo) -> None:
        self.script = script
        self.config: Item = dict(SERVER["config_info"])
        self.languages: list[Item] = list(SERVER["languages"])
        self.submissions: list[Item] = []
        self.batches: list[int] = []
        self.polls: list[list[str]] = []
        self.calls: list[requests.PreparedRequest] = []
        self.states: dict[str, list[Item | None]] = {}
        self.change_poll: Callable[[list[Any]], object] = lambda items: {"submissions": items}
        self.change_created: Callable[[list[Any]], object] = lambda items: items
        self.poll_faults: list[Any] = []
        self.post_faults: list[Any] = []

    def mount(self, mock: responses.RequestsMock) -> None:
        mock.add_callback(responses.GET, f"{URL}/about", lambda r: self._reply(r, 200, SERVER["about"]))
        mock.add_callback(responses.GET, f"{URL}/config_info", lambda r: self._reply(r, 200, self.config))
        mock.add_callback(responses.GET, f"{URL}/languages", lambda r: self._reply(r, 200, self.languages))
        mock.add_callback(responses.GET, f"{URL}/languages/71", lambda r: self._reply(r, 200, SERVER["language_71"]))
        for number, (compile_cmd, run_cmd) in COMMANDS.items():
            answer = {"compile_cmd": compile_cmd, "run_cmd": run_cmd}
            mock.add_callback(
                responses.GET, f"{URL}/languages/{number}", lambda r, answer=answer: self._reply(r, 200, answer)
            )
        mock.add_callback(responses.POST, f"{URL}/submissions/batch", self._create)
        mock.add_callback(responses.GET, f"{URL}/submissions/batch", self._poll)

    def _reply(self, request: requests.PreparedRequest, status: int, body: object) -> tuple[int, dict[str, str], str]:
        self.calls.append(request)
        return status, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(body)

    def _fault(self, faults: list[Any], request: requests.PreparedRequest) -> tuple[int, dict[str, str], str] | None:
        if not faults:
            return None
        self.calls.append(request)
        fault = faults.pop(0)
        if isinstance(fault, Exception):
            raise fault
        reply: tuple[int, dict[str, str], str] = fault
        return reply

    def _create(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        assert request.body is not None
        if (fault := self._fault(self.post_faults, request)) is not None:
            return fault
        sent = json.loads(request.body)["submissions"]
        answers = []
        for submission in sent:
            token = str(uuid.uuid4())
            states = self.script(len(self.submissions), submission)
            self.states[token] = [None if state is None else {**state, "token": token} for state in states]
            self.submissions.append(submission)
            answers.append({"token": token})
        self.batches.append(len(sent))
        return self._reply(request, 201, self.change_created(answers))

    def _poll(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        params: dict[str, str] = request.params  # type: ignore[attr-defined]
        tokens = params["tokens"].split(",")
        self.polls.append(tokens)
        if (fault := self._fault(self.poll_faults, request)) is not None:
            return fault
        items = []
        for token in tokens:
            states = self.states[token]
            items.append(states.pop(0) if len(states) > 1 else states[0])
        return self._reply(request, 200, self.change_poll(items))


@contextmanager
def mounted(fake: FakeJudge0) -> Iterator[FakeJudge0]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        fake.mount(mock)
        yield fake


def engine_with(clock: FakeClock | None = None, *, url: str = URL, timeouts: Timeouts | None = None) -> Judge0Engine:
    clock = clock or FakeClock()
    return Judge0Engine(base_url=url, auth_token=KEY, timeouts=timeouts or Timeouts(), clock=clock, sleep=clock.sleep)


@contextmanager
def answering(method: str, url: str, **reply: Any) -> Iterator[FakeJudge0]:
    """A well-behaved Judge0 but for one address."""
    fake = FakeJudge0()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add(method, url, **reply)
        fake.mount(mock)
        yield fake


def refusal(name: str) -> dict[str, Any]:
    answer = ANSWERS[name]
    return {"status": answer["status"], "body": answer["body"], "content_type": answer["content_type"]}


class RawServer:
    """A server on a free port of loopback that hands each connection to `behave`; it counts them."""

    def __init__(self, behave: Callable[[socket.socket, threading.Event], None]) -> None:
        self.behave = behave
        self.connections = 0
        self.received: list[bytes] = []
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._handle, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _handle(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                self.received.append(connection.recv(65_536))
                self.behave(connection, self._stop)
            except OSError:
                return

    def __enter__(self) -> "RawServer":
        self._threads[0].start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in list(self._threads):
            thread.join(5)
            assert not thread.is_alive()
