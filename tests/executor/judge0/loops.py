"""Jobs of many tests: their orders read, their frames made up or their loops run, whole or with a protection gone."""

import base64
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from executor.engines.base import Limits, RunRequest, Toolchain
from executor.engines.judge0 import Timeouts, sharing
from executor.engines.judge0.capabilities import LanguageCommands, ServerLanguage, parse_capabilities
from executor.engines.judge0.frames import SharedOutcome, read_frames
from executor.engines.judge0.program import prepare_program
from executor.engines.judge0.results import parse_job
from executor.engines.judge0.sharing import SharedProgram, share_program
from tests.executor.judge0.box import Prepare, execute
from tests.executor.judge0.support import (
    COMMANDS,
    LIMITS,
    PYTHON,
    SERVER,
    FakeJudge0,
    Item,
    b64,
    recorded_job,
    request_of,
)

# The fake judges within the POST.
PATIENT = Timeouts(read_s=300, exchange_s=300, queue_allowance_s=600)
# Fit for a hundred tests in the fifteen seconds that a Judge0 allows, or for three.
SMALL = replace(LIMITS, time_limit_ms=100, wall_limit_ms=150)
LARGE = replace(LIMITS, time_limit_ms=4000, wall_limit_ms=5000)
CAPABILITIES = parse_capabilities(SERVER["config_info"], SERVER["languages"])
# Enough wall time for a second of CPU on a busy machine.
QUICK = replace(LIMITS, time_limit_ms=1000, wall_limit_ms=8000)
FIGURES = {
    "reason": "",
    "exit_code": 0,
    "signal": None,
    "time_us": 12_000,
    "wall_us": 15_000,
    "memory_kib": 9000,
}


def commands_of(language: ServerLanguage) -> LanguageCommands:
    if language.id == 71:
        return LanguageCommands(compile_cmd=None, run_cmd=SERVER["language_71"]["run_cmd"])
    compile_cmd, run_cmd = COMMANDS[language.id]
    return LanguageCommands(compile_cmd=compile_cmd, run_cmd=run_cmd)


def shared_program(
    *inputs: bytes,
    toolchain: Toolchain = PYTHON,
    files: dict[str, str] | None = None,
    limits: Limits = QUICK,
) -> SharedProgram:
    request = request_of(*inputs, toolchain=toolchain, files=files, limits=limits, is_exclusive=False)
    shared = share_program(request, prepare_program(request, CAPABILITIES, commands_of), CAPABILITIES, commands_of)
    assert shared is not None
    return shared


def shared_request(*inputs: bytes, limits: object = SMALL, **more: object) -> RunRequest:
    return request_of(*inputs, limits=limits, is_exclusive=False, **more)  # type: ignore[arg-type]


def sizes(fake: FakeJudge0) -> list[int]:
    """How many tests each job ran, 0 for one alone."""
    orders = [order_of(submission) for submission in fake.submissions]
    return [0 if order is None else len(order[1]) for order in orders]


def posts(fake: FakeJudge0) -> int:
    return [call.method for call in fake.calls].count("POST")


def looped(
    code: str,
    *inputs: bytes,
    toolchain: Toolchain = PYTHON,
    name: str = "main.py",
    limits: Limits = QUICK,
    prepare: Prepare = lambda box: None,
    max_cpu_time_s: float = CAPABILITIES.max_cpu_time_s,
) -> SharedOutcome:
    """What the real loop makes of a program and its inputs, in one box."""
    shared = shared_program(*inputs, toolchain=toolchain, files={name: code}, limits=limits)
    shared = replace(shared, max_cpu_time_s=max_cpu_time_s)
    submission, nonce = shared.job(inputs)
    item = execute(submission, prepare)
    job = parse_job({**item, "token": "00000000-0000"})
    assert job is not None
    return read_frames(job, nonce=nonce, count=len(inputs), program=shared.program)


def weaken(monkeypatch: pytest.MonkeyPatch, module: str, line: str, instead: str = "pass") -> None:
    """Send the loop without one of its lines."""
    path = f"executor/engines/judge0/loop/{module}.py"
    files = sharing._loop_files()
    source = files[path].decode()
    assert source.count(line) == 1, f"{line!r} is not once in {path}"
    weakened = {**files, path: source.replace(line, instead).encode()}
    monkeypatch.setattr(sharing, "_loop_files", lambda: weakened)


def order_of(submission: Item) -> tuple[dict[str, Any], list[bytes]] | None:
    """The order and the inputs of a job of many tests; None for a job of one."""
    line, _, rest = base64.b64decode(submission["stdin"]).partition(b"\n")
    if not line.startswith(b'{"argv"'):
        return None
    order = json.loads(line)
    inputs = []
    for length in order["lengths"]:
        inputs.append(rest[:length])
        rest = rest[length:]
    return order, inputs


def frame(nonce: str, index: int, content: bytes, *, length: int | None = None, packed: bytes | None = None) -> bytes:
    packed = base64.b64encode(zlib.compress(content)) if packed is None else packed
    return b"%s %d %d %s\n" % (nonce.encode(), index, len(content) if length is None else length, packed)


def content_of(stdout: bytes, stderr: bytes = b"", **figures: Any) -> bytes:
    return json.dumps({**FIGURES, "lengths": [len(stdout), len(stderr)], **figures}).encode() + b"\n" + stdout + stderr


def end_of(begun: int, reason: str = "done") -> bytes:
    return json.dumps({"begun": begun, "reason": reason}).encode()


Change = Callable[[dict[int, bytes], str], bytes]


def as_they_are(frames: dict[int, bytes], _nonce: str) -> bytes:
    return b"".join(frames.values())


def answering_frames(change: Change = as_they_are, **job: object) -> Callable[[int, Item], list[Item | None]]:
    """A fake Judge0's script: each test prints its own input, alone or in a loop, whose frames `change` may spoil.

    `change` gets the frames by index, the last of which is the end's, and the nonce, and gives the job's stdout.
    """

    def script(_number: int, submission: Item) -> list[Item | None]:
        order_and_inputs = order_of(submission)
        if order_and_inputs is None:
            return [recorded_job("accepted", stdout=submission["stdin"])]
        order, inputs = order_and_inputs
        nonce = order["nonce"]
        frames = {index: frame(nonce, index, content_of(stdin)) for index, stdin in enumerate(inputs)}
        frames[len(inputs)] = frame(nonce, len(inputs), end_of(len(inputs)))
        return [recorded_job("accepted", stdout=b64(change(frames, nonce)), **job)]

    return script


def without(index: int) -> Change:
    return lambda frames, _nonce: b"".join(text for key, text in frames.items() if key != index)


def instead(content: Callable[[str], bytes]) -> Change:
    """The second frame replaced."""
    return lambda frames, nonce: b"".join(content(nonce) if key == 1 else text for key, text in frames.items())


def figures(**changes: Any) -> Change:
    return instead(lambda nonce: frame(nonce, 1, content_of(b"forged", b"", **changes)))


def stdout_of(code: str, *inputs: bytes) -> list[bytes]:
    outcome = looped(code, *inputs)
    assert sorted(outcome.results) == list(range(len(inputs)))
    return [outcome.results[index].stdout for index in range(len(inputs))]
