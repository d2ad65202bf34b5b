"""A Judge0 for tests: real HTTP on loopback, Judge0's answers as recorded, and faults by script.

What runs the jobs is up to its judge: `replaying` gives recorded results, `printing` makes them up, and
`execution.Executor` runs the programs. Its contract are the recordings beside it.
"""

from tests.executor.judge0.standin.api import Item, Judge, finished, printing, replaying
from tests.executor.judge0.standin.server import Behaviour, Exchange, Reply, StandIn, in_turn

__all__ = [
    "Behaviour",
    "Exchange",
    "Item",
    "Judge",
    "Reply",
    "StandIn",
    "finished",
    "in_turn",
    "printing",
    "replaying",
]
