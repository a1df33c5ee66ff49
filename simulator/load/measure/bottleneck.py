"""Decides from measurements what holds the pipeline back. Pure: the same measurements give the same verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.base import limits
from simulator.base.words import counted, seconds

Kind = (
    Literal["none", "generator", "table throttling", "function errors", "store CPU", "handler CPU"]
    | Literal["pollers ramping", "concurrency limit", "other work", "target", "unknown"]
)

BUSY = 0.85
"""A single-threaded part that uses this share of a core is at its limit on a shared machine."""
LIMITED = 0.8
"""A concurrency limit counts as reached when this share of it is in use on average, because a poller also receives and
deletes between two batches."""
BEHIND = 0.03
"""The pipeline is behind when it stores less than planned by more than this share."""
OVERLOADED = 1.25
"""From this load average per core on, other programs take the CPU time that this run does not use..."""
IDLE = 0.7
"""... if this run uses less than this share of all cores."""
THROTTLED = 0.01
"""Throttling matters if it affects more than this share of the batch writes."""
NEAR_CEILING = 0.7
"""From this share of the raw ceiling on, a figure says more about the emulator than about the handlers."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The rates that bare requests reached in `seconds` seconds."""

    objects_per_s: float
    rows_per_s: float
    requests_per_s: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Measurements:
    """Measurements during the load. CPU figures are shares of one core; None for what could not be measured.

    `behind` is the share of the planned objects that were not stored in time; `concurrency` is the mean number of
    invocations at work; `pollers` is how many batches the mapping may have in progress now, `pollers_limit` at most.
    `machine_load` is the load average of all work on this machine, on `cores` cores.
    """

    target: Literal["store", "sink", "endpoint", "stack"]
    planned_per_s: float
    stored_per_s: float
    behind: float
    lag_p99_s: float | None = None
    dropped: int = 0
    failed: int = 0
    send_p50_s: float | None = None
    store_cpu: float | None = None
    handler_cpu: float | None = None
    concurrency: float | None = None
    pollers: int | None = None
    pollers_limit: int | None = None
    invocations: int = 0
    errors: int = 0
    invocations_throttled: int = 0
    batch_writes: int = 0
    table_throttled: int = 0
    ceiling_per_s: float | None = None
    machine_load: float | None = None
    cores: int = 1

    @property
    def share_of_ceiling(self) -> float | None:
        """Objects stored per second, as a share of the rate that bare requests reach."""
        return self.stored_per_s / self.ceiling_per_s if self.ceiling_per_s else None


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """What holds the pipeline back, as one sentence, with the figures behind it: the summary's `bottleneck`.

    `measures_the_emulator`: the run's figures say more about the emulator on this machine than about the handlers.
    """

    kind: Kind
    text: str
    evidence: tuple[str, ...]
    measures_the_emulator: bool


def judge(run: Measurements) -> Bottleneck:
    """The verdict. A slow generator comes first, because it hides everything else; causes come before symptoms."""
    kind, text = _cause(run)
    near = run.share_of_ceiling is not None and run.share_of_ceiling >= NEAR_CEILING
    held_by_it = kind in ("store CPU", "target") or (near and kind in ("none", "unknown"))
    emulator = held_by_it and run.target in ("store", "endpoint")
    if emulator and kind != "none":
        text += "; this measures the emulator, not the handlers"
    elif emulator:
        text += "; near its ceiling, a figure says more about the emulator than about the handlers"
    return Bottleneck(kind, text, _figures(run), emulator)


def _cause(run: Measurements) -> tuple[Kind, str]:
    if run.lag_p99_s is not None and run.lag_p99_s > limits.LOAD_LAG_P99_S:
        late = f"the generator ran {seconds(run.lag_p99_s)} late (p99)"
        return "generator", f"{late}: this machine could not keep to the plan"
    behind = run.behind > BEHIND
    if not behind and not run.dropped and not run.failed:
        return "none", "nothing holds it back: the pipeline kept up with the plan"
    if run.table_throttled > THROTTLED * max(1, run.batch_writes):
        return "table throttling", f"the table throttled {counted(run.table_throttled, 'request')}"
    if run.errors > 0.02 * max(1, run.invocations) and behind:
        failed = f"{run.errors:,} of {counted(run.invocations, 'invocation')} failed"
        return "function errors", f"{failed}, and their messages wait"
    if busy := _busiest(run) or _other_work(run):
        return busy
    if run.concurrency is not None and run.pollers is not None and run.concurrency >= LIMITED * run.pollers:
        if run.pollers_limit is not None and run.pollers < run.pollers_limit:
            most = counted(run.pollers_limit, "batch", "batches")
            return "pollers ramping", f"the pollers are still ramping: {run.pollers} of {most}"
        reached = counted(run.pollers, "batch", "batches")
        return "concurrency limit", f"the concurrency limit is reached: {reached} at once"
    if run.invocations_throttled:
        return "concurrency limit", f"Lambda throttled {counted(run.invocations_throttled, 'invocation')}"
    if run.dropped or run.failed:
        took = f", puts take {seconds(run.send_p50_s)}" if run.send_p50_s is not None else ""
        lost = f"{counted(run.dropped, 'arrival')} dropped, {counted(run.failed, 'put')} failed"
        return "target", f"the target does not keep up with the puts ({lost}{took})"
    return "unknown", "the pipeline is behind, and neither CPU, pollers, throttling nor errors explain it"


def _busiest(run: Measurements) -> tuple[Kind, str] | None:
    """The single-threaded part that is at its limit, if there is one."""
    store, handler = run.store_cpu or 0.0, run.handler_cpu or 0.0
    if max(store, handler) < BUSY:
        return None
    if store >= handler and run.target != "sink":
        return "store CPU", f"the store's CPU is at {store:.0%} of a core: you are measuring the store"
    if handler >= BUSY:
        return "handler CPU", f"handlers and twin use {handler:.0%} of a core, all that one event loop has"
    return None


def _other_work(run: Measurements) -> tuple[Kind, str] | None:
    """Whether other programs use the cores."""
    ours = (run.store_cpu or 0.0) + (run.handler_cpu or 0.0)
    if run.machine_load is None or run.machine_load < OVERLOADED * run.cores or ours >= IDLE * run.cores:
        return None
    load = f"load {run.machine_load:.1f} on {counted(run.cores, 'core')}, of which this run uses {ours:.1f}"
    return "other work", f"other work on this machine takes the CPU ({load}): measure again on a quiet machine"


def _figures(run: Measurements) -> tuple[str, ...]:
    """The figures of the stretch that is judged, which is not the whole run: the share of the ceiling is not here."""
    planned = f"planned {run.planned_per_s:,.1f}/s, " if run.planned_per_s else ""
    said = [
        f"while busy: {planned}stored {run.stored_per_s:,.1f}/s",
        f"generator lag p99 {seconds(run.lag_p99_s)}" if run.lag_p99_s is not None else "",
        f"{counted(run.dropped, 'arrival')} dropped" if run.dropped else "",
        f"{counted(run.failed, 'put')} failed" if run.failed else "",
        f"{'sink' if run.target == 'sink' else 'store'} CPU {run.store_cpu:.0%}" if run.store_cpu is not None else "",
        f"handler and twin CPU {run.handler_cpu:.0%}" if run.handler_cpu is not None else "",
        f"{run.concurrency:.1f} invocations at once" if run.concurrency is not None else "",
        f"pollers {run.pollers} of {run.pollers_limit}" if run.pollers and run.pollers_limit else "",
        f"table throttled {counted(run.table_throttled, 'request')}" if run.table_throttled else "",
        f"{counted(run.errors, 'invocation')} failed" if run.errors else "",
    ]
    return tuple(text for text in said if text)
