"""What a load test is asked to do, and what came of it so far. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from simulator.base.errors import StockpipeError
from simulator.load.measure.bottleneck import Verdict
from simulator.load.measure.recording import Recording
from simulator.load.plan.arrivals import Profile
from simulator.load.plan.capacity_search import CapacitySearch
from simulator.load.plan.slo import Threshold
from simulator.proof.audit import Audit
from simulator.twin.resources import Resources
from simulator.twin.twin import RuntimeName

Target = Literal["store", "sink", "endpoint", "stack"]


@dataclass(frozen=True, slots=True)
class Plan:
    """One load test. Without a profile (`backlog` above zero) nothing arrives by the clock."""

    profile: Profile
    rows: int
    seed: int
    poisson: bool = False
    backlog: int = 0
    find_max: bool = False
    target: Target = "store"
    endpoint_url: str | None = None
    sink_latency_s: float = 0.0
    runtime: RuntimeName = "inline"
    code_dir: Path | None = None
    slo: tuple[Threshold, ...] = ()
    drain_timeout_s: float = 60.0
    port: int = 0
    window_s: float = 0.0

    @property
    def audited(self) -> bool:
        """A sink keeps no rows to prove, and a deployed stack is proven by `verify`, which says what it costs."""
        return self.target in ("store", "endpoint")


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
    verdict: Verdict | None = None
    audit: Audit | None = None
    generator_cpu_s: float = 0.0
    generator_wall_s: float = 0.0
    failures: list[str] = field(default_factory=list)
    interrupted: bool = False
    failure: StockpipeError | None = None
    cloud: dict[str, Any] | None = None
