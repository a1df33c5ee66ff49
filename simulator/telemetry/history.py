"""The run's course over time and the distribution of its latencies, in bounded memory. No clock, no I/O."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable

from hdrh.histogram import HdrHistogram

from simulator.base import limits
from simulator.telemetry.snapshot import LATENCY_BANDS_S, History, Latency

_BANDS = len(LATENCY_BANDS_S) + 1
_UNITS_PER_S = 1_000_000


def band(latency_s: float) -> int:
    """The heat strip's band for a latency; 0 is the fastest."""
    return bisect_left(LATENCY_BANDS_S, latency_s)


class Course:
    """The run in slots of equal width.

    When all slots are taken, a run with an end (`keep_s` None) halves its resolution. One without an end does so only
    until it covers `keep_s`; then it forgets its oldest quarter.
    """

    def __init__(self, origin_at: float, keep_s: float | None = None, slots: int = limits.HISTORY_SLOTS) -> None:
        self._origin_at = origin_at
        self._slot_s = limits.HISTORY_SLOT_S
        self._keep_s = keep_s
        self._slots = slots
        self._depths: list[tuple[int, int]] = []
        self._rows: list[float] = []
        self._heat: list[list[int]] = []
        self._depth_now = (0, 0)
        self._marks: deque[float] = deque(maxlen=limits.HISTORY_MARKS)

    def sample_depth(self, at: float, visible: int, in_flight: int) -> None:
        """The queue's depth at an instant; it holds until the next sample."""
        self.glimpse_depth(at, visible, in_flight)
        self._depth_now = (visible, in_flight)

    def glimpse_depth(self, at: float, visible: int, in_flight: int) -> None:
        """The queue's depth at an instant between two samples: it does not last."""
        slot = self._slot(at)
        self._depths[slot] = max((visible, in_flight), self._depths[slot], key=sum)

    def add_rows(self, since_at: float, until_at: float, rows: float) -> None:
        """`rows` rows were written between two samples; spread them evenly over the slots between."""
        last = self._slot(until_at)
        length_s = until_at - since_at
        first = min(last, max(0, int((since_at - self._origin_at) / self._slot_s)))
        if first == last or length_s <= 0:
            self._rows[last] += rows
            return
        for slot in range(first, last + 1):
            begins_at = self._origin_at + slot * self._slot_s
            overlap_s = min(until_at, begins_at + self._slot_s) - max(since_at, begins_at)
            self._rows[slot] += rows * max(0.0, overlap_s) / length_s

    def add_latency(self, at: float, latency_s: float) -> None:
        """An object was stored at `at`."""
        self._heat[self._slot(at)][band(latency_s)] += 1

    def mark(self, at: float) -> None:
        """A tick fired; the time axis shows it."""
        self._marks.append(at)

    def view(self, until_at: float) -> History:
        """The course so far, extended to `until_at`."""
        self._slot(until_at)
        visible, in_flight = zip(*self._depths, strict=True)
        return History(
            origin_at=self._origin_at,
            slot_s=self._slot_s,
            until_at=max(until_at, self._origin_at),
            visible=visible,
            in_flight=in_flight,
            rows=tuple(self._rows),
            heat=tuple(map(tuple, self._heat)),
            marks=tuple(mark for mark in self._marks if mark >= self._origin_at),
        )

    def _slot(self, at: float) -> int:
        """The slot of an instant, created if needed. Anything before the origin belongs to the first slot."""
        while (slot := max(0, int((at - self._origin_at) / self._slot_s))) >= self._slots:
            self._make_room()
        while len(self._rows) <= slot:
            self._depths.append(self._depth_now)
            self._rows.append(0.0)
            self._heat.append([0] * _BANDS)
        return slot

    def _make_room(self) -> None:
        if self._keep_s is not None and self._slots * self._slot_s >= self._keep_s * 4 / 3:
            quarter = self._slots // 4
            self._origin_at += quarter * self._slot_s
            for series in (self._depths, self._rows, self._heat):
                del series[:quarter]
            return
        self._slot_s *= 2
        pairs = range(0, len(self._rows), 2)
        self._depths = [max(self._depths[slot : slot + 2], key=sum) for slot in pairs]
        self._rows = [sum(self._rows[slot : slot + 2]) for slot in pairs]
        self._heat = [[sum(counts) for counts in zip(*self._heat[slot : slot + 2], strict=True)] for slot in pairs]


class Latencies:
    """Percentiles to three digits in bounded memory; the mean and the maximum are exact."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(1, int(limits.LOAD_LATENCY_LONGEST_S) * _UNITS_PER_S, 3)
        self._longest_s = self._total_s = 0.0
        self._view = Latency()

    def add(self, latency_s: float) -> None:
        """Record a latency. A negative one (two clocks disagree) counts as zero, a very long one as the longest."""
        held_s = min(max(0.0, latency_s), limits.LOAD_LATENCY_LONGEST_S)
        self._longest_s = max(self._longest_s, held_s)
        self._total_s += held_s
        self._histogram.record_value(max(1, round(held_s * _UNITS_PER_S)))

    def view(self) -> Latency:
        """Percentiles of everything recorded."""
        if (count := self._histogram.get_total_count()) != self._view.count:
            found = self._histogram.get_percentile_to_value_dict([50.0, 90.0, 95.0, 99.0, 99.9])
            # A bucket's upper end may be above its largest value.
            p50, p90, p95, p99, p999 = (min(self._longest_s, value / _UNITS_PER_S) for value in found.values())
            self._view = Latency(count, self._total_s / count, p50, p90, p95, p99, p999, self._longest_s)
        return self._view


def percentiles(latencies_s: Iterable[float]) -> Latency:
    """Percentiles of these latencies."""
    held = Latencies()
    for latency_s in latencies_s:
        held.add(latency_s)
    return held.view()
