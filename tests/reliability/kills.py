"""One run of kills, from an empty folder to its figures."""

import json
import random
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tests.reliability.checking import Violation, violations
from tests.reliability.clients import Clients
from tests.reliability.faults import Faults
from tests.reliability.figures import percentile, recoveries_s
from tests.reliability.hosts import EVENTS_FILE, ORDERS_DIRECTORY, RUN_DIRECTORY, WITHOUT
from tests.reliability.points import POINTS, KillOrders
from tests.reliability.processes import Supervisor
from tests.reliability.records import Reader, Records, read_records
from tests.reliability.setups import Setup, prepare, processes, target_of, wait_until_up

LOOK_S = 0.05
# Students look at their verdicts before they hand in again: what waits at the end is judged within the time to settle.
BACKLOG_MOST = 40
STUDENTS = 40
CLIENTS = 8
# Each server is restarted once in so many kills.
KILLS_PER_RESTART = 8
# The first kill waits until everybody is up and busy.
QUIET_SHARE = 0.05
# However slow the machine is, a run has an end.
PATIENCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is to be; `settle_s` is how long after the last fault a row may still be unfinished."""

    setup: str
    submissions: int
    kills: int
    seconds: float
    settle_s: float
    pace: float
    seed: int
    without: str = ""
    points: tuple[str, ...] = tuple(POINTS)


class Progress:
    """How many submissions were judged so far, as the processes record it."""

    def __init__(self, path: Path) -> None:
        self._reader = Reader(path)
        self.judged = 0

    def look(self) -> None:
        """Read what was recorded since."""
        self.judged += sum(event["event"] == "applied" for event in self._reader.more())


def run_kills(plan: Plan, directory: Path) -> dict[str, Any]:
    """Do it all; the figures, with the list of violations."""
    run = directory / "run"
    (run / ORDERS_DIRECTORY).mkdir(parents=True)
    extra = {
        "DJANGO_SETTINGS_MODULE": "tests.reliability.settings",
        "RELIABILITY_PACE": str(plan.pace),
        RUN_DIRECTORY: str(run),
        WITHOUT: plan.without,
        "EXECUTOR_PENDING_PER_STUDENT": "100000",
        "EXECUTOR_SUBMISSIONS_PER_MINUTE": "100000",
        "EXECUTOR_SUBMISSIONS_PER_PROBLEM_HOUR": "100000",
    }
    with ExitStack() as stack:
        setup = prepare(plan.setup, directory, stack, extra=extra)
        target = target_of(setup, json.loads(setup.manage("-m", "tests.reliability.world", str(STUDENTS))))
        history, faults_log = Records(run / "history.jsonl"), Records(run / "faults.jsonl")
        supervisor = Supervisor(processes(setup))
        stack.callback(supervisor.stop)
        supervisor.start()
        progress = Progress(run / EVENTS_FILE)
        clients = Clients(
            target,
            history,
            at_once=CLIENTS,
            per_second=plan.submissions / plan.seconds,
            may_go_on=lambda: clients.tally.acknowledged - progress.judged < BACKLOG_MOST,
        )
        stack.callback(clients.stop)
        faults = Faults(
            supervisor=supervisor,
            orders=KillOrders(run / ORDERS_DIRECTORY),
            records=faults_log,
            servers=setup.servers,
            chance=random.Random(plan.seed),
            points=plan.points,
        )
        settled_after_s = _run(plan, setup, clients, faults, progress)
        # Nobody writes any more while they are read; the databases stay up for that.
        supervisor.stop()
        rows = json.loads(setup.manage("-m", "tests.reliability.rows"))
    events = read_records(run / EVENTS_FILE)
    kills = [record for record in read_records(run / "faults.jsonl") if record["event"] == "killed"]
    found = violations(read_records(run / "history.jsonl"), events, rows)
    if len(kills) < plan.kills:
        found.append(Violation(kind="too_few_kills", detail=f"{len(kills)} of {plan.kills} kills happened"))
    if settled_after_s is None:
        detail = f"some were unfinished {plan.settle_s} s after the last fault and submission"
        found.append(Violation(kind="stuck", detail=detail))
    recovered = recoveries_s(events, kills, rows)
    return {
        **{name: value for name, value in asdict(plan).items() if name != "points"},
        "acknowledged": clients.tally.acknowledged,
        "retries": clients.tally.retries,
        "other_answers": {str(status): count for status, count in sorted(clients.tally.others.items())},
        "killed": len(kills),
        "kills_by_point": {point: faults.killed[point] for point in [*POINTS, "random"]},
        "restarts": dict(faults.restarts),
        "ended_by_themselves": dict(faults.unasked),
        "interrupted": len(recovered),
        "recovery_p50_s": percentile(recovered, 0.5),
        "recovery_p99_s": percentile(recovered, 0.99),
        "all_finished_after_s": settled_after_s,
        "statuses": dict(Counter(row["status"] for row in rows["submissions"])),
        "violations": Counter(violation.kind for violation in found),
        "details": [f"{violation.kind}: {violation.detail}" for violation in found],
    }


def _run(plan: Plan, setup: Setup, clients: Clients, faults: Faults, progress: Progress) -> float | None:
    """Hand in and kill; then how long after the last fault and submission all was done (s), None where it never was."""

    def is_over(begun: int) -> bool:
        return begun >= plan.submissions and (is_spent() or sum(faults.killed.values()) >= plan.kills)

    def is_spent() -> bool:
        return time.monotonic() > started_s + PATIENCE * plan.seconds

    wait_until_up(setup, faults)
    started_s = time.monotonic()
    handing_in = threading.Thread(target=clients.run, args=(is_over,), name="clients")
    handing_in.start()
    pause_s = plan.seconds * (1 - 2 * QUIET_SHARE) / max(1, plan.kills)
    next_s, turns, before = started_s + plan.seconds * QUIET_SHARE, 0, (0, 0)
    with tqdm(total=plan.submissions, unit="submission", desc=plan.setup, file=sys.stderr, disable=None) as bar:
        while handing_in.is_alive():
            faults.look()
            progress.look()
            served = (clients.tally.acknowledged, progress.judged)
            is_due = time.monotonic() >= next_s and sum(faults.killed.values()) < plan.kills and not is_spent()
            # Spread over the submissions too, so that the last kill comes when hardly any are left to hand in.
            is_due = is_due and served[0] * plan.kills >= plan.submissions * turns
            # A kill among the dead shows nothing: somebody has to have been served since the last one.
            if is_due and all(now > then for now, then in zip(served, before, strict=True)):
                turns, before = turns + 1, served
                next_s = max(next_s + pause_s, time.monotonic())
                faults.kill_next()
                for number, name in enumerate(setup.servers):
                    if (turns + number * KILLS_PER_RESTART // 2) % KILLS_PER_RESTART == 0:
                        faults.restart_next(name)
            bar.set_postfix(killed=sum(faults.killed.values()), refresh=False)
            bar.update(clients.tally.acknowledged - bar.n)
            time.sleep(LOOK_S)
    faults.orders.disarm()
    handing_in.join()
    faults.look()
    # The last fault or the last submission, whichever came later.
    settled_from_s = time.monotonic()
    give_up_at_s = settled_from_s + plan.settle_s
    while time.monotonic() < give_up_at_s:
        faults.look()
        if setup.database.count_unfinished() == 0:
            return round(time.monotonic() - settled_from_s, 1)
        time.sleep(0.2)
    return None
