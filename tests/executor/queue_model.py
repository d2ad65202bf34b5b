"""The queue of live work on paper: the same rules without a database, so that thousands of cases can be played."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from executor.services.queueing import virtual_start


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """What waits, in the order in which it is taken."""

    virtual_start: int
    number: int
    student: int = field(compare=False)
    organization: int = field(compare=False)
    turn: int = field(compare=False)


@dataclass(slots=True)
class PlainQueue:
    """One worker, whose work takes one step each."""

    is_fair: bool = True
    waiting: list[Entry] = field(default_factory=list)
    running: Entry | None = None
    made: int = 0

    def submit(self, student: int, organization: int) -> Entry:
        own = [each.virtual_start for each in self.waiting if each.student == student]
        ahead = sum(each.organization == organization and each.turn <= len(own) for each in self.waiting)
        if self.running is not None:
            front = self.running.virtual_start
        else:
            front = min((each.virtual_start for each in self.waiting), default=0)
        start = virtual_start(front=front, ahead=ahead, own_last=max(own, default=None)) if self.is_fair else 0
        self.made += 1
        entry = Entry(start, self.made, student, organization, len(own))
        self.waiting.append(entry)
        return entry

    def take(self) -> Entry | None:
        self.running = min(self.waiting, default=None)
        if self.running is not None:
            self.waiting.remove(self.running)
        return self.running


# One step of a story: somebody (a student, of an organization) hands in, or, with None, the worker takes the next.
Step = tuple[int, int] | None


def waits(story: Sequence[Step], *, without: int | None = None, is_fair: bool = True) -> dict[int, int]:
    """By the step that handed it in, how many judgings it took until each was begun; at last all are.

    The student `without` hands in nothing. Their steps are still steps.
    """
    queue = PlainQueue(is_fair=is_fair)
    taken = 0
    handed_in: dict[int, tuple[int, int]] = {}
    ended: dict[int, int] = {}

    def take() -> None:
        nonlocal taken
        entry = queue.take()
        taken += 1
        if entry is not None:
            ended[entry.number] = taken

    for number, step in enumerate(story):
        if step is None:
            take()
        elif step[0] != without:
            handed_in[number] = queue.submit(*step).number, taken
    while queue.waiting:
        take()
    return {number: ended[entry] - before for number, (entry, before) in handed_in.items()}
