"""Every object's planned, sent, answered and stored instants in compact arrays, and figures computed from them.

No clock and no I/O. Instants are seconds since the epoch; NaN means that one has not come.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, pairwise

PENDING, SENT, DROPPED, FAILED = range(4)
"""What became of an arrival. An unplanned object (of a backlog) counts as planned when it is sent."""

STEP_S = 0.25
"""How often to look at a backlog."""

_NEVER = math.nan


class Recording:
    """The instants of a load test's objects, by their numbers."""

    def __init__(self) -> None:
        self.planned = array("d")
        self.sent = array("d")
        self.answered = array("d")
        self.stored = array("d")
        self.status = bytearray()
        self.filtered = bytearray()
        self.dropped = self.failed = self.stored_count = 0

    def __len__(self) -> int:
        return len(self.planned)

    def plan(self, instants: Iterable[float]) -> range:
        """Add objects planned for `instants`; returns their numbers."""
        first = len(self.planned)
        self.planned.extend(instants)
        added = len(self.planned) - first
        for column in (self.sent, self.answered, self.stored):
            column.extend([_NEVER] * added)
        self.status.extend(bytes(added))
        self.filtered.extend(bytes(added))
        return range(first, first + added)

    def truncate(self, count: int) -> None:
        """Forget the objects from number `count` on, because the run ended before their planned instants."""
        for column in (self.planned, self.sent, self.answered, self.stored):
            del column[count:]
        del self.status[count:], self.filtered[count:]

    def fate(self, number: int, sent_at: float | None, answered_at: float | None, status: int) -> bool:
        """Record what became of an arrival. Returns False if the number is unknown or already has a fate."""
        if not 0 <= number < len(self.status) or self.status[number] != PENDING:
            return False
        self.status[number] = status
        if sent_at is not None:
            self.sent[number] = sent_at
            if math.isnan(self.planned[number]):
                self.planned[number] = sent_at
        if answered_at is not None and status == SENT:
            self.answered[number] = answered_at
        self.dropped += status == DROPPED
        self.failed += status == FAILED
        return True

    def store(self, number: int, at: float) -> bool:
        """Record when the invocation that stored the object returned. False if it was stored before (a redelivery)."""
        if not 0 <= number < len(self.stored) or not math.isnan(self.stored[number]):
            return False
        self.stored[number] = at
        self.stored_count += 1
        return True

    def filter(self, number: int) -> None:
        """The mapping's filter criteria deleted the object's message, so it will not be stored."""
        if 0 <= number < len(self.filtered):
            self.filtered[number] = True

    # The methods below read the objects of one phase.

    def all(self) -> range:
        """All numbers."""
        return range(len(self.planned))

    def count(self, numbers: range, status: int) -> int:
        """How many of `numbers` had this fate."""
        return self.status[numbers.start : numbers.stop].count(status)

    def lags(self, numbers: range) -> Iterator[float]:
        """Generator lag: how late after its planned instant each object was sent."""
        return self._differences(self.planned, self.sent, numbers)

    def sends(self, numbers: range) -> Iterator[float]:
        """Send time: from sending each put to its answer."""
        return self._differences(self.sent, self.answered, numbers)

    def latencies(self, numbers: range) -> Iterator[float]:
        """Planned to stored: from the planned instant, so that it includes waiting for the generator and the put."""
        return self._differences(self.planned, self.stored, numbers)

    def queue_latencies(self, numbers: range) -> Iterator[float]:
        """Object to stored: from the answer to the put, as `simulate` measures it."""
        return self._differences(self.answered, self.stored, numbers)

    def stored_instants(self, numbers: range) -> list[float]:
        """When objects were stored, in order of time."""
        return sorted(at for at in self.stored[numbers.start : numbers.stop] if not math.isnan(at))

    def put_instants(self, numbers: range) -> list[float]:
        """When the puts of objects that should be stored were answered, in order of time."""
        chosen = slice(numbers.start, numbers.stop)
        wanted = (not each for each in self.filtered[chosen])
        return sorted(at for at in compress(self.answered[chosen], wanted) if not math.isnan(at))

    def pending(self, numbers: range) -> int:
        """How many objects the target accepted that should be stored and are not yet."""
        return sum(
            status == SENT and math.isnan(self.stored[number]) and not self.filtered[number]
            for number, status in zip(numbers, self.status[numbers.start : numbers.stop], strict=True)
        )

    @staticmethod
    def _differences(start: array[float], end: array[float], numbers: range) -> Iterator[float]:
        chosen = slice(numbers.start, numbers.stop)
        for begun, ended in zip(start[chosen], end[chosen], strict=True):
            if not math.isnan(ended - begun):
                yield ended - begun


def ticks(begin_at: float, end_at: float) -> list[float]:
    """The instants, from one to the other, at which to look at a backlog."""
    return [begin_at + step * STEP_S for step in range(int((end_at - begin_at) / STEP_S) + 1)]


def backlog(puts: Sequence[float], stores: Sequence[float], instants: Sequence[float]) -> list[int]:
    """How many objects were put and not yet stored at each instant; `puts` and `stores` are sorted instants.

    An invocation may return before we see the answer to its object's put; such an object is not in the backlog.
    """
    return [max(0, bisect_left(puts, at) - bisect_left(stores, at)) for at in instants]


def deepest(puts: Sequence[float], stores: Sequence[float], edges: Sequence[float]) -> list[tuple[int, float]]:
    """The deepest backlog between each two neighbouring edges, and its first instant; `puts` and `stores` are sorted.

    This is exact: only puts deepen a backlog, so it is enough to look after each put and at each edge.
    """
    found = []
    for begin_at, end_at in pairwise(edges):
        depth, at = bisect_left(puts, begin_at) - bisect_left(stores, begin_at), begin_at
        for index in range(bisect_left(puts, begin_at), bisect_left(puts, end_at)):
            after = index + 1 - bisect_right(stores, puts[index])
            if after > depth:
                depth, at = after, puts[index]
        found.append((max(0, depth), at))
    return found


def drain_share(stores: Sequence[float]) -> float | None:
    """The rate of a drain's last tenth as a share of that of its first; None with fewer than 100 objects.

    `stores` are sorted instants. Both tenths have the same number of objects, so this is the ratio of their lengths.
    """
    count = len(stores)
    if count < 100:
        return None
    tenth = count // 10
    first_s, last_s = stores[tenth] - stores[0], stores[-1] - stores[-1 - tenth]
    return first_s / last_s if last_s > 0 else None
