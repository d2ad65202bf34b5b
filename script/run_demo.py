"""Runs the demo for `script/demo`: a server of its own in a temporary folder, and a client that hands programs in."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import requests

from script.demo_client import Client, DemoFailed, hand_in, read_programs, table

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "executor" / "demo" / "programs.toml"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
JUDGING_TIMEOUT_S = 300.0
# The demo shows the defaults; of a person's settings only the engine's (EXECUTOR_ENGINE, JUDGE0_*) are kept.
NOT_INHERITED = frozenset(
    {
        "ALLOWED_HOSTS",
        "ASSAY_PROCESS",
        "ASSAY_PRODUCTION",
        "CSRF_TRUSTED_ORIGINS",
        "DATABASE_POOL_SIZE",
        "DATABASE_URL",
        "DEBUG",
        "EXECUTOR_WORKER_THREADS",
        "REDIS_URL",
        "REGISTRATION_OPEN",
        "SECRET_KEY",
    }
)


def main() -> int:
    """Run the demo; the exit status is 0 if every program got the verdict it must get."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--programs", type=Path, default=PROGRAMS)
    options = parser.parse_args()
    # Being ended from outside stops the server and removes the folder too.
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGHUP, _end)
    # A shell that starts us in the background has us ignore this; whoever sends it all the same means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="assay-demo-") as directory:
            return run(Path(directory), programs_path=options.programs, once=options.once)
    except DemoFailed as error:
        say(f"\nThe demo failed: {error}")
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130


def run(data_dir: Path, *, programs_path: Path, once: bool) -> int:
    """The demo, with everything it makes in `data_dir`."""
    programs = read_programs(programs_path)
    environment = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    environment["ASSAY_DATA_DIR"] = str(data_dir)
    # What script/setup has made to judge faster with; the demo's own folder is empty.
    made = Path(os.environ.get("ASSAY_DATA_DIR") or ROOT / "var") / "sandbox"
    environment["EXECUTOR_KIT_DIRECTORY"] = os.environ.get("EXECUTOR_KIT_DIRECTORY") or str(made)
    demo = _prepare(data_dir, environment)
    say("Demo course: loaded")
    with serving(data_dir, environment) as (url, server):
        say(f"Server: {url}")
        client = Client(url)
        student = next(user for user in demo["users"] if user["role"] == "student")
        client.sign_in(username=student["username"], password=student["password"])
        languages = client.languages()
        if absent := sorted({program.language for program in programs} - languages.keys()):
            say(f"Left out, not on this machine: {', '.join(absent)} (script/setup says what is missing)")
        chosen = [program for program in programs if program.language in languages]
        if not chosen:
            raise DemoFailed("No program is left to hand in.")
        started_s = time.monotonic()
        outcomes = hand_in(
            client,
            chosen,
            problem_ids=client.problem_ids(demo["course_id"]),
            timeout_s=JUDGING_TIMEOUT_S,
            on_progress=lambda judged: _show_progress(judged, len(chosen)),
        )
        took_s = time.monotonic() - started_s
        say("", *table(outcomes), "")
        right = sum(outcome.is_as_expected for outcome in outcomes)
        say(f"{right} of {len(outcomes)} programs got the verdict they must get, in {took_s:.1f} s.")
        if not once:
            _stay(url, server, demo["users"])
    return 0 if right == len(outcomes) else 1


@contextmanager
def serving(data_dir: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server on a free port of this machine, ready to judge; its address and process. It is stopped at the end."""
    # The socket is bound here and handed over: nobody else can take the port in between.
    with socket.socket() as listener, (data_dir / "server.log").open("wb") as log:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--fd", str(listener.fileno())]
        server = subprocess.Popen(
            [*command, "--lifespan", "on", "--no-access-log"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
        )
        try:
            listener.close()
            _wait_until_ready(address, server, data_dir / "server.log")
            yield address, server
        finally:
            server.terminate()
            try:
                server.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def say(*lines: str) -> None:
    """Print lines, at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _prepare(data_dir: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    loaded = data_dir / "demo.json"
    for arguments in (["migrate", "--noinput", "--verbosity", "0"], ["load_demo", "--json", str(loaded)]):
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise DemoFailed(f"manage.py {arguments[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    demo: dict[str, Any] = json.loads(loaded.read_text())
    return demo


def _wait_until_ready(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    trouble = "it did not answer"
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < deadline:
            if server.poll() is not None:
                raise DemoFailed(f"the server ended at once; the last lines of its log:\n{_tail(log)}")
            try:
                answer = session.get(f"{address}/readyz", timeout=10)
            except requests.RequestException:
                time.sleep(0.1)
                continue
            if answer.ok:
                return
            trouble = _unready_parts(answer)
            time.sleep(0.5)
    raise DemoFailed(f"the server was not ready within {START_TIMEOUT_S:.0f} s: {trouble}\n{_tail(log)}")


def _unready_parts(answer: requests.Response) -> str:
    try:
        checks = answer.json()["checks"].items()
    except (ValueError, KeyError):
        return f"/readyz answered {answer.status_code}"
    return "; ".join(f"{name}: {check['detail']}" for name, check in checks if not check["ok"])


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-25:])


def _show_progress(judged: int, total: int) -> None:
    if sys.stdout.isatty():
        sys.stdout.write(f"\rJudged: {judged} of {total}" + ("\n" if judged == total else ""))
        sys.stdout.flush()


def _stay(url: str, server: subprocess.Popen[bytes], users: list[dict[str, str]]) -> None:
    """Leave the server up until Ctrl-C, or until it ends by itself."""
    try:
        say("", "The server stays up. Sign in at POST /api/v1/auth/token/, or try the API in the browser:")
        say(f"  {url}/api/docs/")
        say(*(f"  {user['role']:10}  {user['username']:16}  password {user['password']}" for user in users))
        say("Ctrl-C stops it and removes everything it made.")
        server.wait()
    except KeyboardInterrupt:
        say("\nStopping.")
        return
    raise DemoFailed("the server ended by itself.")


def _end(signum: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signum)


if __name__ == "__main__":
    sys.exit(main())
