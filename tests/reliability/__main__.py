"""The commands behind `script/soak kills` and `script/soak storm`."""

import argparse
import json
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from executor.bench.processes import descendants
from executor.bench.watching import run_watched
from tests.reliability.kills import Plan, run_kills
from tests.reliability.points import POINTS
from tests.reliability.setups import SETUPS
from tests.reliability.storm import StormPlan, run_storm
from tests.reliability.weakened import PROTECTIONS

KILLS_HELP = f"""\
Kill web and worker processes with SIGKILL while students hand in over HTTP, then prove from the recorded history and
the database that nothing was lost, doubled, left lying or judged wrongly. PostgreSQL and Redis are started for the run
in a temporary folder, and restarted under way. It needs nothing else and leaves nothing behind.

Set-ups:
{chr(10).join(f"  {name:10}{what}" for name, what in SETUPS.items())}

A process is killed at a random moment, or kills itself at one of these points:
{chr(10).join(f"  {name:18}{what}" for name, what in POINTS.items())}

Controls take a protection out, in the processes of the run alone; the run has to fail:
{chr(10).join(f"  {name:18}{what}" for name, what in PROTECTIONS.items())}

The last line of the output is JSON; the exit status is 1 if anything was violated.

  script/soak kills                                   2,000 submissions and 50 kills in each set-up: about 20 minutes
  script/soak kills --setup sqlite --submissions 200 --kills 10 --seconds 40
  script/soak kills --setup sqlite --without sweeper --submissions 60 --kills 6 --seconds 12 --pace 0.25 --settle 10
"""

STORM_HELP = """\
Hand in faster than can be judged: submissions that arrive evenly within a minute, over HTTP, at a server with its
default capacity and quotas, which judges by itself. All have to be accepted at once, 99 of 100 within the goal, and all
have to be judged, with the right verdicts.

The last line of the output is JSON; the exit status is 1 if anything was violated.

  script/soak storm                                     1,000 submissions of 100 students within a minute, on SQLite
  script/soak storm --setup postgres                    on PostgreSQL and Redis
  script/soak storm --judge0-down                       a Judge0 that is away for the whole minute, and then comes up
"""


def main() -> int:
    """Run a command; 0 if everything held."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGHUP, _end)
    run: Callable[[argparse.Namespace, int], int] = options.run
    return abs(run_watched(lambda root: sys.exit(run(options, root))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="script/soak")
    commands = parser.add_subparsers(required=True)
    kills = commands.add_parser("kills", help="kill processes", description=KILLS_HELP, formatter_class=_Plain)
    kills.add_argument("--setup", choices=SETUPS, action="append", help="one set-up; may be repeated (default: all)")
    kills.add_argument("--submissions", type=whole_number, default=2000, help="acknowledged ones (default: 2000)")
    kills.add_argument("--kills", type=whole_number, default=50, help="processes killed (default: 50)")
    kills.add_argument("--seconds", type=whole_number, default=330, help="to hand in within, if all goes well (330)")
    kills.add_argument("--settle", type=whole_number, default=60, help="seconds after which nothing may be left (60)")
    kills.add_argument("--pace", type=float, default=1.0, help="of leases and sweeps: 0.25 is four times as fast (1)")
    kills.add_argument("--seed", type=int, help="of random moments (default: another each time, and told)")
    kills.add_argument("--point", choices=POINTS, action="append", help="only this one; may be repeated (default: all)")
    kills.add_argument("--without", choices=PROTECTIONS, default="", help="a control, which has to fail")
    kills.add_argument("--keep", type=Path, metavar="FOLDER", help="keep histories and logs in this new folder")
    kills.set_defaults(run=_kills)
    storm = commands.add_parser("storm", help="hand in fast", description=STORM_HELP, formatter_class=_Plain)
    storm.add_argument("--setup", choices=("sqlite", "postgres"), default="sqlite", help="(default: sqlite)")
    storm.add_argument("--submissions", type=whole_number, default=1000, help="how many (default: 1000)")
    storm.add_argument("--seconds", type=whole_number, default=60, help="within which they arrive (default: 60)")
    storm.add_argument("--students", type=whole_number, default=100, help="who hand in (default: 100)")
    storm.add_argument("--goal", type=float, default=2.0, help="seconds that 99 of 100 may wait (default: 2)")
    storm.add_argument("--patience", type=whole_number, default=900, help="seconds until all must be judged (900)")
    storm.add_argument("--judge0-down", action="store_true", help="judge by a Judge0 that comes after the storm")
    storm.add_argument("--keep", type=Path, metavar="FOLDER", help="keep history and logs in this new folder")
    storm.set_defaults(run=_storm)
    return parser


def _kills(options: argparse.Namespace, root: int) -> int:
    reports = []
    for setup in options.setup or SETUPS:
        plan = Plan(
            setup=setup,
            submissions=options.submissions,
            kills=options.kills,
            seconds=options.seconds,
            settle_s=options.settle,
            pace=options.pace,
            seed=secrets.randbelow(2**31) if options.seed is None else options.seed,
            without=options.without,
            points=tuple(options.point or POINTS),
        )
        report = _in_folder(options.keep, setup, lambda folder, plan=plan: run_kills(plan, folder))
        report["left_behind"] = _end_leftovers(root)
        reports.append(report)
        _tell(report)
    failed = [report["setup"] for report in reports if report["violations"] or report["left_behind"]]
    for report in reports:
        del report["details"]
    sys.stdout.write(json.dumps({"violated": failed, "runs": reports}) + "\n")
    return 1 if failed else 0


def _storm(options: argparse.Namespace, root: int) -> int:
    plan = StormPlan(
        setup=options.setup,
        submissions=options.submissions,
        seconds=options.seconds,
        students=options.students,
        goal_p99_s=options.goal,
        patience_s=options.patience,
        judge0_down=options.judge0_down,
    )
    report = _in_folder(options.keep, "storm", lambda folder: run_storm(plan, folder))
    report["left_behind"] = _end_leftovers(root)
    _tell(report)
    del report["details"]
    sys.stdout.write(json.dumps(report) + "\n")
    return 1 if report["violations"] or report["left_behind"] else 0


def _in_folder(keep: Path | None, name: str, work: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    if keep is not None:
        folder = keep.absolute() / name
        folder.mkdir(parents=True)
        return work(folder)
    with tempfile.TemporaryDirectory(prefix=f"assay-{name}-", ignore_cleanup_errors=True) as directory:
        return work(Path(directory))


def _end_leftovers(root: int) -> int:
    """End what a run left behind, by its id; how many there were. Only this process may be there."""
    left = [process for process in descendants(root) if process.pid != os.getpid()]
    for process in left:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return len(left)


def _tell(report: dict[str, Any]) -> None:
    lines = [f"{name:22} {value}" for name, value in report.items() if name not in ("details", "violations")]
    lines += ["", *report["details"][:20]]
    lines.append(f"{sum(report['violations'].values())} violations {dict(report['violations']) or ''}")
    sys.stdout.write("\n".join([*lines, "", ""]))
    sys.stdout.flush()


def whole_number(text: str) -> int:
    """From 1 on."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 on")
    return number


def _end(signum: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + signum)


class _Plain(argparse.RawDescriptionHelpFormatter):
    """The description as it is written."""


if __name__ == "__main__":
    sys.exit(main())
