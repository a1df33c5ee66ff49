"""One world to run, as data: its load, and the faults that strike it, listed or as shares. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.faults.plane import Fault
from simulator.run.sources import TimedPut

STARTS_AT = 1_767_225_600.0
"""2026-01-01T00:00:00Z, when every world begins."""


@dataclass(frozen=True, slots=True)
class WorldCase:
    """A world. Faults strike until `storm_s`; with `faults`, exactly these, otherwise each kind with its share.

    Its load are objects, `messages` for a queue, and at most so many `ticks` of each schedule. `variant` is which of
    the explored settings of the stack it has.
    """

    seed: int
    storm_s: float
    puts: tuple[TimedPut, ...] = ()
    messages: tuple[str, ...] = ()
    ticks: int = 0
    variant: int = 0
    shares: Mapping[str, float] = field(default_factory=dict)
    faults: tuple[Fault, ...] | None = None

    def __str__(self) -> str:
        return f"the world of seed {self.seed}"
