"""What a load test is asked to do. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from simulator.functions.runtimes import RuntimeName
from simulator.load.plan.arrivals import Profile
from simulator.load.plan.slo import Threshold

TargetName = Literal["store", "sink", "endpoint", "stack"]


@dataclass(frozen=True, slots=True)
class Plan:
    """One load test. Without a profile (`backlog` above zero) nothing arrives by the clock."""

    profile: Profile
    rows: int
    seed: int
    poisson: bool = False
    backlog: int = 0
    find_max: bool = False
    target: TargetName = "store"
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
