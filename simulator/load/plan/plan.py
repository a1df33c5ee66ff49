"""What a load test should do. Data only."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Literal

from simulator.functions.runtimes import RuntimeName
from simulator.load.plan.arrivals import Profile
from simulator.proof.account import Acceptable
from simulator.run import bounds
from simulator.run.bounds import SummaryBound

TargetName = Literal["store", "sink", "endpoint", "stack"]
AuditChoice = Literal["full", "sample", "none"]
Unit = Literal["object", "message"]


@dataclass(frozen=True, slots=True)
class Copies:
    """What another application gets: copies of a file (here in base64), as objects or messages, and where they go.

    `to` is the logical id of the bucket or queue, `name` its name. A key begins with `prefix` and ends with `end`.
    """

    unit: Unit
    to: str
    name: str
    content: str
    prefix: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """One load test. Without a profile (if `backlog` is above zero), nothing arrives by the clock.

    `copies` are what another application is sent; it has no rows, so that `rows` is 0. None for the pipeline.
    """

    profile: Profile
    copies: Copies | None
    rows: int
    seed: int
    poisson: bool
    backlog: int
    find_max: bool
    target: TargetName
    endpoint_url: str | None
    sink_latency_s: float
    runtime: RuntimeName
    slo: tuple[SummaryBound, ...]
    drain_timeout_s: float
    port: int
    window_s: float
    accepted: Set[Acceptable]
    audit: AuditChoice

    @property
    def duration_s(self) -> float | None:
        """How long objects arrive by the clock; None for a backlog or a search."""
        return None if self.backlog or self.find_max else self.profile.duration_s

    @property
    def objects(self) -> int | None:
        """How many objects are planned; None for a search, which plans as it goes."""
        return self.backlog or (None if self.find_max else self.profile.total)

    @property
    def unit(self) -> Unit:
        """What is sent."""
        return self.copies.unit if self.copies is not None else "object"

    @property
    def local(self) -> bool:
        """Whether the pipeline runs on this machine, in a twin."""
        return self.target != "stack"

    @property
    def audited(self) -> bool:
        """Whether the run is audited.

        A sink keeps no rows to audit, another application's rows are not known, and `verify` audits a deployed stack,
        after showing what that costs.
        """
        return self.target in ("store", "endpoint") and self.audit != "none" and self.copies is None

    @property
    def bounds(self) -> tuple[SummaryBound, ...]:
        """The thresholds, and the default bounds on other figures; a search or a backlog has no defaults."""
        return bounds.in_force(() if self.find_max or self.backlog else bounds.DEFAULTS, self.slo)
