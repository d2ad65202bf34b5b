"""What is killed, and when: at the named points in turn, at random moments, and now and then a server."""

import itertools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.reliability.points import POINTS, KillOrders
from tests.reliability.processes import Ended, Supervisor
from tests.reliability.records import Records
from tests.reliability.stores import Server

RANDOM = "random"
# Of so many turns one is a random moment; the others are orders to die at a point.
RANDOM_EVERY = 3
SERVER_AWAY_S = 0.5


@dataclass(kw_only=True)
class Faults:
    """Makes the faults of one run, one turn after another, and records them."""

    supervisor: Supervisor
    orders: KillOrders
    records: Records
    servers: dict[str, Server]
    chance: random.Random
    points: Sequence[str] = tuple(POINTS)
    restarts: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    # Processes that ended without being told to: the product's own fault, or a database that was away.
    unasked: Counter[str] = field(default_factory=Counter)
    last_at_s: float = 0.0

    def __post_init__(self) -> None:
        self._turns = itertools.count(1)
        self._next = itertools.cycle(self.points)
        self._pids: set[int] = set()
        self._noted: set[tuple[str, int]] = set()

    def kill_next(self) -> None:
        """One kill: an order for the next point, or somebody at once."""
        if next(self._turns) % RANDOM_EVERY:
            # One whose order still stands keeps it, and the next is tried in its turn.
            self.orders.arm(next(self._next))
        else:
            self._kill_at_random()

    def restart_next(self, name: str) -> None:
        """End a server in one of its ways and start it again."""
        server = self.servers[name]
        how = self.chance.choice(server.ENDINGS)
        self.records.add("restart", server=name, signal=how.name)
        server.stop(how)
        time.sleep(SERVER_AWAY_S)
        server.start()
        self.restarts[name] += 1
        self.last_at_s = time.monotonic()

    def look(self) -> None:
        """Take note of who died since, and start everybody again."""
        ended = self.supervisor.look()
        for fired in self.orders.fired():
            if (fired.point, fired.pid) not in self._noted:
                self._noted.add((fired.point, fired.pid))
                self._note(fired.point, fired.pid, at=fired.at)
        for one in ended:
            self._note_ended(one)

    def _kill_at_random(self) -> None:
        alive = [(name, pid) for name, pid in self.supervisor.alive() if not self.orders.is_spared(pid)]
        if not alive:
            return
        name, pid = self.chance.choice(alive)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self._note(RANDOM, pid, at=time.time(), name=name)

    def _note(self, point: str, pid: int, **fields: object) -> None:
        self.records.add("killed", point=point, victim=pid, **{"died_at": fields.pop("at"), **fields})
        self._pids.add(pid)
        self.killed[point] += 1
        self.last_at_s = time.monotonic()

    def _note_ended(self, ended: Ended) -> None:
        if ended.pid not in self._pids:
            self.records.add("ended", name=ended.name, victim=ended.pid, code=ended.code)
            self.unasked[ended.name] += 1
