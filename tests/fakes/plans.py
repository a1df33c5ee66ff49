"""What a load test is asked for, in a few words."""

from __future__ import annotations

from simulator.load.plan.arrivals import constant
from simulator.load.plan.plan import AuditChoice, Copies, Plan, TargetName
from simulator.load.plan.slo import FIGURES
from simulator.run.bounds import parse_all


def plan(
    backlog: int = 0,
    find_max: bool = False,
    target: TargetName = "store",
    slo: tuple[str, ...] = (),
    audit: AuditChoice = "full",
    copies: Copies | None = None,
) -> Plan:
    """A plan of ten seconds at four a second."""
    return Plan(
        constant(4.0, 10.0),
        copies=copies,
        rows=1,
        seed=1,
        poisson=False,
        backlog=backlog,
        find_max=find_max,
        target=target,
        endpoint_url=None,
        sink_latency_s=0.0,
        runtime="inline",
        slo=parse_all(slo, FIGURES),
        drain_timeout_s=60.0,
        port=0,
        window_s=0.0,
        accepted=frozenset(),
        audit=audit,
    )
