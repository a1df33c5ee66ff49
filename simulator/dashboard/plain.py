"""The run as lines of plain ASCII, for logs, pipes and terminals without a movable cursor. Pure.

A line has a clock, the phase and figures as `name=value`, always the same ones in the same order. They are bare
numbers; times have `_s` in their name and are in seconds; `-` is a figure that does not exist yet. docs/dashboard.md
lists them.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulator.dashboard.figures import NONE, clock
from simulator.dashboard.stages import losses
from simulator.telemetry.snapshot import Event, LoadView, Snapshot


def plain_line(snapshot: Snapshot) -> str:
    """The line for a snapshot; while the store starts, it has only what is known by then."""
    figures = (f"{name}={value}" for name, value in _pairs(snapshot))
    return " ".join((clock(snapshot.elapsed_s), snapshot.phase, *figures))


def plain_event(event: Event, since_at: float) -> str:
    """An event on a line of its own."""
    often = f" (x{event.count:,})" if event.count > 1 else ""
    return f"{clock(event.at - since_at)} -- {event.text}{often}"


def _pairs(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    options, queue, consumer, load = snapshot.options, snapshot.queue, snapshot.consumer, snapshot.load
    if snapshot.phase == "starting":
        yield from (("command", options.command), ("seed", str(options.seed)), ("runtime", _word(options.runtime)))
        yield "clock", options.clock
        return
    if load is None:
        yield "ticks", str(snapshot.ticks)
    else:
        yield from (("sent", str(_sent(snapshot, load))), ("dropped", str(load.dropped)))
    yield "objects", str(snapshot.bucket.objects)
    yield "queue", str(queue.visible)
    yield "in_flight", str(queue.in_flight)
    yield "oldest_s", _seconds(queue.oldest_age_s)
    yield "busy", str(consumer.busy)
    yield "cold_starts", str(consumer.cold_starts)
    yield "rows", str(snapshot.table.rows_written)
    yield "rows_per_s", f"{snapshot.rates.rows:.0f}"
    is_known = snapshot.table.rows_written or not snapshot.roles.is_pipeline
    yield "p99_s", _seconds((load or snapshot).latency.p99 if is_known else None)
    yield "dead_lettered", str(queue.dead_lettered)
    yield "lost", f"{sum(figure.number or 0 for figure in losses(snapshot)):.0f}"
    if snapshot.phase == "auditing" and snapshot.roles.is_pipeline:
        done, total = snapshot.audit_done, snapshot.audit_total
        yield "audit", f"{_word(snapshot.audit_part or 'listing')}:{done}/{NONE if done > total else total}"
        yield "left_s", _seconds(snapshot.audit_left_s)


def _sent(snapshot: Snapshot, load: LoadView) -> int:
    """Objects sent: those that the generator has reported, and those that the bucket has received since its report."""
    if snapshot.phase != "running" or snapshot.rejected_rows:  # rejected rows are objects, too
        return load.sent
    return load.sent + max(0, snapshot.bucket.puts - snapshot.puts)


def _seconds(length_s: float | None) -> str:
    return NONE if length_s is None else f"{max(0.0, length_s):.3f}"


def _word(text: str) -> str:
    return text.replace(" ", "-")
