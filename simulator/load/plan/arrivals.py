"""When objects arrive: the arithmetic of rate profiles. No clock, no I/O, and no randomness without a seed.

A profile is a chain of segments in which the rate (arrivals per second) is a straight line. Arrival `n`, counted from
0, is planned for the offset at which the area under the rate reaches `n`; the first is therefore at offset 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from simulator.base.chance import stream


@dataclass(frozen=True, slots=True)
class Segment:
    """`duration_s` seconds in which the rate goes in a straight line from `from_per_s` to `to_per_s`."""

    duration_s: float
    from_per_s: float
    to_per_s: float

    @property
    def arrivals(self) -> float:
        """The area under the rate: the arrivals planned in this segment, not rounded."""
        return (self.from_per_s + self.to_per_s) / 2 * self.duration_s

    def offset_s(self, arrivals: float) -> float:
        """Seconds from the segment's start until `arrivals` are planned; at most the segment's length."""
        if arrivals <= 0:
            return 0.0
        slope = (self.to_per_s - self.from_per_s) / self.duration_s
        root = self.from_per_s**2 + 2 * slope * arrivals
        # This form of the quadratic formula also holds for slope 0, and loses no digits near it.
        return min(self.duration_s, 2 * arrivals / (self.from_per_s + math.sqrt(max(0.0, root))))


@dataclass(frozen=True, slots=True)
class Profile:
    """The planned rate over a whole run. `name` is the name of its shape."""

    name: str
    segments: tuple[Segment, ...]

    def __post_init__(self) -> None:
        for segment in self.segments:
            if not (0 < segment.duration_s < math.inf):
                raise ValueError("a segment's length must be above zero")
            rates = (segment.from_per_s, segment.to_per_s)
            if not all(0 <= rate < math.inf for rate in rates) or not any(rates):
                raise ValueError("a rate must be above zero")

    @property
    def duration_s(self) -> float:
        """The length of the run in seconds."""
        return math.fsum(segment.duration_s for segment in self.segments)

    @property
    def peak_per_s(self) -> float:
        """The highest planned rate."""
        return max(max(segment.from_per_s, segment.to_per_s) for segment in self.segments)

    @property
    def total(self) -> int:
        """How many arrivals are planned: those before the end."""
        area = math.fsum(segment.arrivals for segment in self.segments)
        # 0.1 * 30 / 0.1 is not quite 30, so just above a whole number counts as that number.
        return math.ceil(area - 1e-9 * max(1.0, area))

    def rate_at(self, offset_s: float) -> float:
        """Planned arrivals per second at an offset; 0 outside the run."""
        start = 0.0
        for segment in self.segments:
            within = offset_s - start
            if 0 <= within < segment.duration_s:
                return segment.from_per_s + (segment.to_per_s - segment.from_per_s) * within / segment.duration_s
            start += segment.duration_s
        return 0.0

    def offset_s(self, arrivals: float) -> float:
        """The offset at which `arrivals` are planned: for a whole number n, the planned instant of arrival n."""
        start = 0.0
        for segment in self.segments:
            if arrivals < segment.arrivals or segment is self.segments[-1]:
                return start + segment.offset_s(arrivals)
            arrivals -= segment.arrivals
            start += segment.duration_s
        raise AssertionError("a profile has at least one segment")

    def offsets(self) -> Iterator[float]:
        """The planned offset of every arrival, in order."""
        ends = list(accumulate((segment.arrivals for segment in self.segments), initial=0.0))
        starts = accumulate((segment.duration_s for segment in self.segments), initial=0.0)
        number, total = 0, self.total
        for segment, (begin, end), start in zip(self.segments, pairwise(ends), starts, strict=False):
            while number < total and number < end:
                yield start + segment.offset_s(number - begin)
                number += 1


def stairs(name: str, *stretches: tuple[float, float]) -> Profile:
    """A constant rate for each (seconds, rate per second) pair, one after the other."""
    return Profile(name, tuple(Segment(length_s, rate_per_s, rate_per_s) for length_s, rate_per_s in stretches))


def constant(rate_per_s: float, duration_s: float) -> Profile:
    """The same rate throughout."""
    return stairs("constant", (duration_s, rate_per_s))


def ramp(from_per_s: float, to_per_s: float, duration_s: float) -> Profile:
    """A straight line from one rate to another."""
    return Profile("ramp", (Segment(duration_s, from_per_s, to_per_s),))


def steps(rates_per_s: Sequence[float], duration_s: float) -> Profile:
    """Each rate in turn, for equal shares of the duration."""
    if not rates_per_s:
        raise ValueError("steps need at least one rate")
    return stairs("steps", *((duration_s / len(rates_per_s), rate_per_s) for rate_per_s in rates_per_s))


def spike(base_per_s: float, peak_per_s: float, duration_s: float) -> Profile:
    """The base rate, with the peak rate between two fifths and three fifths of the duration."""
    before_s, within_s = duration_s * 0.4, duration_s * 0.2
    after_s = duration_s - before_s - within_s
    return stairs("spike", (before_s, base_per_s), (within_s, peak_per_s), (after_s, base_per_s))


def poisson_offsets(profile: Profile, seed: int, n: int = 0) -> Iterator[float]:
    """Independent arrivals at the profile's rate: exponential gaps, stretched by the profile.

    The same profile, seed and `n` (the number of the offer in its run) give the same offsets. The number of arrivals is
    random; its mean is the profile's area.
    """
    chance = stream(seed, "arrivals", n)
    area = math.fsum(segment.arrivals for segment in profile.segments)
    reached = chance.expovariate(1.0)
    while reached < area:
        yield profile.offset_s(reached)
        reached += chance.expovariate(1.0)
