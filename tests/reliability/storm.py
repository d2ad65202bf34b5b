"""One storm: submissions that arrive evenly, faster than they can be judged, at a server with its default settings."""

import json
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from executor.bench.processes import read_process
from tests.reliability.checking import Violation, violations
from tests.reliability.clients import Clients
from tests.reliability.figures import percentile
from tests.reliability.processes import Supervised, Supervisor
from tests.reliability.records import Records, read_records
from tests.reliability.setups import Setup, judge0_process, prepare, target_of, wait_until_up, web_process
from tests.reliability.stores import free_port

LOOK_S = 0.25
# Enough that none waits for another: the answers are what is measured.
CLIENTS = 64
JUDGE0_KEY = "a-key-of-this-storm"


@dataclass(frozen=True, slots=True, kw_only=True)
class StormPlan:
    """What a storm is to be; the goal is for 99 of 100 acknowledgements, from when they were due."""

    setup: str
    submissions: int
    seconds: float
    students: int
    goal_p99_s: float
    patience_s: float
    judge0_down: bool


def run_storm(plan: StormPlan, directory: Path) -> dict[str, Any]:
    """Do it all; the figures, with the list of violations."""
    extra, port = {}, free_port()
    if plan.judge0_down:
        judge0 = {"JUDGE0_URL": f"http://127.0.0.1:{port}", "JUDGE0_AUTH_TOKEN": JUDGE0_KEY}
        extra = {"EXECUTOR_ENGINE": "judge0", **judge0}
    with ExitStack() as stack:
        setup = prepare(plan.setup, directory, stack, extra=extra)
        target = target_of(setup, json.loads(setup.manage("-m", "tests.reliability.world", str(plan.students))))
        history = Records(directory / "history.jsonl")
        clients = Clients(target, history, at_once=CLIENTS, per_second=plan.submissions / plan.seconds)
        stack.callback(clients.stop)
        server = _supervised(stack, web_process(setup, 1, "config.asgi:application", threads=None))
        wait_until_up(setup, server)
        before_s = _cpu_s(server)
        _hand_in(plan, setup, clients, server)
        unfinished, server_cpu_s = setup.database.count_unfinished(), _cpu_s(server) - before_s
        began_s = time.monotonic()
        if plan.judge0_down:
            _supervised(stack, judge0_process(setup, port, JUDGE0_KEY))
        judged_after_s = _until_judged(plan, setup, unfinished, began_s)
        server.stop()
        rows = json.loads(setup.manage("-m", "tests.reliability.rows"))
    waits_s = clients.tally.waits_s
    found = [*violations(read_records(directory / "history.jsonl"), [], rows), *_slow(plan, clients, judged_after_s)]
    return {
        **asdict(plan),
        "acknowledged": clients.tally.acknowledged,
        "other_answers": {str(status): count for status, count in sorted(clients.tally.others.items())},
        "acknowledged_p50_s": percentile(waits_s, 0.5),
        "acknowledged_p99_s": percentile(waits_s, 0.99),
        "acknowledged_max_s": percentile(waits_s, 1.0),
        "server_cpu_s": round(server_cpu_s, 1),
        "unfinished_at_the_end": unfinished,
        "judged_after_s": judged_after_s,
        "statuses": dict(Counter(row["status"] for row in rows["submissions"])),
        "violations": Counter(violation.kind for violation in found),
        "details": [f"{violation.kind}: {violation.detail}" for violation in found],
    }


def _cpu_s(server: Supervisor) -> float:
    """Processor time of the server, with what it judges and without the boxes that still live."""
    return sum(read.cpu_s for _, pid in server.alive() if (read := read_process(pid)))


def _supervised(stack: ExitStack, process: Supervised) -> Supervisor:
    supervisor = Supervisor([process])
    stack.callback(supervisor.stop)
    supervisor.start()
    return supervisor


def _hand_in(plan: StormPlan, setup: Setup, clients: Clients, server: Supervisor) -> None:
    handing_in = threading.Thread(target=clients.run, args=(lambda begun: begun >= plan.submissions,), name="clients")
    handing_in.start()
    with tqdm(total=plan.submissions, unit="submission", desc="accepted", file=sys.stderr, disable=None) as bar:
        while handing_in.is_alive():
            assert not server.look(), (setup.directory / "web-1.log").read_text(errors="replace")
            bar.update(clients.tally.acknowledged - bar.n)
            time.sleep(LOOK_S)
        bar.update(clients.tally.acknowledged - bar.n)
    handing_in.join()


def _until_judged(plan: StormPlan, setup: Setup, unfinished: int, began_s: float) -> float | None:
    """Seconds until nothing is unfinished; None where patience ended first."""
    with tqdm(total=unfinished, unit="verdict", desc="judged", file=sys.stderr, disable=None) as bar:
        while time.monotonic() < began_s + plan.patience_s:
            left = setup.database.count_unfinished()
            bar.update(unfinished - left - bar.n)
            if left == 0:
                return round(time.monotonic() - began_s, 1)
            time.sleep(LOOK_S)
    return None


def _slow(plan: StormPlan, clients: Clients, judged_after_s: float | None) -> list[Violation]:
    found = []
    if clients.tally.others:
        detail = f"not every first answer was a promise: {clients.tally.others}"
        found.append(Violation(kind="not_at_once", detail=detail))
    p99_s = percentile(clients.tally.waits_s, 0.99)
    if p99_s is None or p99_s > plan.goal_p99_s:
        found.append(Violation(kind="slow", detail=f"1 of 100 waited longer than {p99_s} s to be accepted"))
    if judged_after_s is None:
        found.append(Violation(kind="stuck", detail=f"some were unfinished {plan.patience_s} s after the storm"))
    return found
