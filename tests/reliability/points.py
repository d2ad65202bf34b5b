"""The named points at which a process kills itself when it was ordered to.

An order is a file. Whoever passes its point first takes it by renaming it, so each order kills exactly one process.
"""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

# Name -> where it is, in the order in which they are used: short runs come by both kinds of process.
POINTS = {
    "submit_inside": "web: the submission is written, its transaction still open",
    "claimed": "worker: a judgement was claimed, nothing more",
    "submit_committed": "web: committed, and nobody was woken or told",
    "applying": "worker: the result is written, its transaction still open",
    "submit_unanswered": "web: everything is done but the answer",
    "applied": "worker: committed, and nobody was told",
    "running": "worker: the program has run on its first test",
    "ran": "worker: all tests have run, nothing is stored",
    "renewing": "worker: about to renew the leases it holds",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """An order that was carried out; `at` is seconds since 1970."""

    point: str
    pid: int
    at: float


class KillOrders:
    """Orders in a directory that the harness and all processes share."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def arm(self, point: str) -> None:
        """Whoever passes this point next is killed; an order that still stands is not doubled."""
        assert point in POINTS, point
        (self._directory / f"{point}.armed").touch()

    def armed(self) -> set[str]:
        """Points whose orders nobody has met yet."""
        return {path.stem for path in self._directory.glob("*.armed")}

    def disarm(self) -> None:
        """Take all orders back that still stand."""
        for path in self._directory.glob("*.armed"):
            path.unlink(missing_ok=True)

    def fired(self) -> list[Fired]:
        """The orders carried out so far, in no particular order."""
        found = []
        for path in self._directory.glob("*.fired.*"):
            point, _, pid = path.name.split(".")
            # Renaming sets this time.
            found.append(Fired(point=point, pid=int(pid), at=path.stat().st_ctime))
        return found

    def spare(self, is_spared: bool) -> None:
        """Keep this process from being killed for now, or not any more.

        A program that loses all its tries is put away as one that kills its workers. Here it is we who kill them, so a
        process that makes a last try is left alone.
        """
        path = self._directory / f"{os.getpid()}.spared"
        if is_spared:
            path.touch()
        else:
            path.unlink(missing_ok=True)

    def is_spared(self, pid: int) -> bool:
        """Whether this process is not to be killed now."""
        return (self._directory / f"{pid}.spared").exists()

    def pass_by(self, point: str) -> None:
        """Die here, without a word, if that was ordered."""
        if self.is_spared(os.getpid()):
            return
        try:
            os.rename(self._directory / f"{point}.armed", self._directory / f"{point}.fired.{os.getpid()}")
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)
