"""What came of a load test so far: its stretches of load, and everything measured about them. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulator.base.errors import StockpipeError
from simulator.load.measure.bottleneck import Bottleneck
from simulator.load.measure.recording import Recording
from simulator.load.plan.capacity_search import CapacitySearch
from simulator.proof.audit import Audit
from simulator.twin.resources import Resources


@dataclass(slots=True)
class Span:
    """One stretch of load: objects `numbers`, from `begun_at` to the last arrival at `offered_at`."""

    numbers: range
    begun_at: float
    offered_at: float
    drained_at: float | None = None
    drained: bool = True
    durations: slice = field(default_factory=lambda: slice(None))


@dataclass(slots=True)
class Result:
    """How far a load test has come, so that whatever ends it can tell what was done.

    `span` is the stretch that the percentiles are of: the whole run, the backlog's drain, or the last probe of the
    search that held. `limit` is the search's last probe that was too much: the verdict is of that one.
    """

    recording: Recording = field(default_factory=Recording)
    resources: Resources | None = None
    endpoint: str | None = None
    spans: list[Span] = field(default_factory=list)
    span: Span | None = None
    spike: Span | None = None
    limit: Span | None = None
    ceiling: dict[str, float] | None = None
    search: CapacitySearch | None = None
    verdict: Bottleneck | None = None
    audit: Audit | None = None
    generator_cpu_s: float = 0.0
    generator_wall_s: float = 0.0
    failures: list[str] = field(default_factory=list)
    interrupted: bool = False
    failure: StockpipeError | None = None
    cloud: dict[str, Any] | None = None
