"""`manage.py queue`: how the queue stands, and the switch that stops work from being taken."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from tqdm import tqdm

from core.errors import DomainError
from executor.queue.draining import QueueResumed, held_count, queue_drain
from executor.queue.switch import QueueState, queue_pause, queue_resume, queue_state
from executor.selectors.queue import QueueOverview, queue_overview
from executor.selectors.queue_rows import workers

DRAIN_TIMEOUT_S = 300
TEACHING = """\
Submissions are accepted whatever this command does: they wait in the database until work is taken again.

  manage.py queue show                      how much waits and runs, who judges, and whether work is taken
  manage.py queue drain --timeout 120       before maintenance: take nothing more, and wait until nothing runs
  manage.py queue pause --reason "new disk" take nothing more; what runs ends by itself
  manage.py queue resume                    take work again

`drain` exits with 1 where something still runs when its time is over; the queue stays paused then, as it does after a
drain that succeeded. What a stopped worker held goes back to the queue and is judged again later: nothing is lost.
"""


class Command(BaseCommand):
    help = "Look after the judging queue: show, pause, resume or drain it."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return super().create_parser(prog_name, subcommand, epilog=TEACHING, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        acts = parser.add_subparsers(dest="act", metavar="{show,drain,pause,resume}", required=True)
        show = acts.add_parser("show", help="how the queue stands")
        show.add_argument("--json", action="store_true", help="one JSON object instead of text for people")
        drain = acts.add_parser("drain", help="pause, and wait until nothing is being judged")
        drain.add_argument(
            "--timeout",
            type=float,
            default=DRAIN_TIMEOUT_S,
            metavar="S",
            help=f"seconds to wait at most (default: {DRAIN_TIMEOUT_S})",
        )
        drain.add_argument("--reason", default="", help="what people see who wonder why nothing is judged")
        pause = acts.add_parser("pause", help="take no more work")
        pause.add_argument("--reason", required=True, help="what people see who wonder why nothing is judged")
        acts.add_parser("resume", help="take work again")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['act']}")(options)
        except DomainError as error:
            raise CommandError(error.detail) from error

    def _show(self, options: dict[str, Any]) -> None:
        overview, state, processes = queue_overview(), queue_state(), workers()
        if options["json"]:
            document = {
                **asdict(overview),
                "paused_reason": state.reason,
                "paused_by": state.changed_by.username if state.is_paused and state.changed_by else None,
                "paused_at": state.changed_at if state.is_paused else None,
                "workers": processes,
            }
            self.stdout.write(json.dumps(document, cls=DjangoJSONEncoder, indent=1))
            return
        for name, told in _lines(overview, state):
            self.stdout.write(f"{name:10}{told}")
        now = timezone.now()
        for each in processes:
            self.stdout.write(
                f"  {each['kind']} process {each['process_id']} on {each['host']}: {each['threads']} threads, "
                f"seen {_ago(now, each['seen_at'])}"
            )

    def _drain(self, options: dict[str, Any]) -> None:
        if options["timeout"] < 0:
            raise CommandError("--timeout is a number of seconds, 0 or more.")
        before = queue_state()
        # Whoever paused it had a reason; draining is none to forget that.
        reason = options["reason"] or (before.reason if before.is_paused else "") or "draining before maintenance"
        queue_pause(actor=None, reason=reason)
        most = held_count()
        try:
            with tqdm(total=most, desc="ended", unit=" judgings", file=sys.stderr, disable=not most) as bar:

                def tell(held: int) -> None:
                    nonlocal most
                    # A worker that was just then taking something may have added to it.
                    bar.total = most = max(most, held)
                    bar.n = most - held
                    bar.refresh()

                held = queue_drain(timeout_s=options["timeout"], tell=tell)
        except QueueResumed:
            raise CommandError("Somebody resumed the queue meanwhile: it is not drained.") from None
        if held:
            raise CommandError(
                f"{_running(held)} after {options['timeout']:g} seconds. The queue stays paused: run "
                "`manage.py queue drain` again, or stop the workers (what they hold is judged again later), or take "
                "work again with `manage.py queue resume`."
            )
        self.stdout.write(
            "Nothing is being judged. Submissions are still accepted, and wait. When you are done: "
            "`manage.py queue resume`."
        )

    def _pause(self, options: dict[str, Any]) -> None:
        queue_pause(actor=None, reason=options["reason"])
        self.stdout.write(
            f"Paused: no more work is taken. {_running(held_count())}. Submissions are accepted, and "
            "wait. When you are done: `manage.py queue resume`."
        )

    def _resume(self, options: dict[str, Any]) -> None:
        was_paused = queue_state().is_paused
        queue_resume(actor=None)
        self.stdout.write("Work is taken again." if was_paused else "The queue was not paused.")


def _lines(overview: QueueOverview, state: QueueState) -> list[tuple[str, str]]:
    by = f" by {state.changed_by.username}" if state.changed_by else " from the shell"
    since = f"{state.changed_at:%Y-%m-%d %H:%M} UTC" if state.changed_at else ""
    each = "" if overview.mean_judging_s is None else f", {overview.mean_judging_s:.1f} s each"
    return [
        ("queue", f"paused since {since}{by}: {state.reason}" if state.is_paused else "takes work"),
        ("live", _lane(overview.pending_live, overview.running_live, overview.oldest_live_s)),
        ("rejudge", _lane(overview.pending_rejudge, overview.running_rejudge, overview.oldest_rejudge_s)),
        ("capacity", f"{overview.pending_live} of {overview.capacity}: {overview.status}"),
        ("rate", f"{overview.judged_per_minute} judged in the last minute{each}"),
        ("workers", f"{overview.threads} threads" if overview.threads else "none: nothing is judged"),
    ]


def _lane(pending: int, running: int, oldest_s: float | None) -> str:
    oldest = "" if oldest_s is None else f" (the oldest for {oldest_s:.0f} s)"
    return f"{pending} waiting{oldest}, {running} running"


def _running(number: int) -> str:
    if not number:
        return "Nothing is being judged"
    return "1 judging is still running" if number == 1 else f"{number} judgings are still running"


def _ago(now: datetime, moment: datetime) -> str:
    return f"{max(0, round((now - moment).total_seconds()))} s ago"
