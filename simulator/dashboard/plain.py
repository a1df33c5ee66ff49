"""The run in one line of plain ASCII, for logs, pipes and terminals that cannot be drawn on."""

from __future__ import annotations

from simulator.dashboard.figures import clock, count, seconds, size
from simulator.dashboard.words import progress
from simulator.telemetry.snapshot import Event, Snapshot


def plain_line(snapshot: Snapshot) -> str:
    """One line, always the same figures in the same order; `lost` sums what the dashboard shows as lost or refused."""
    queue, consumer, load = snapshot.queue, snapshot.consumer, snapshot.load
    lost = queue.dead_lettered + snapshot.rejected_rows + snapshot.generator.errors + consumer.errors
    parts = [
        f"{clock(snapshot.elapsed_s)} {snapshot.phase:<8}",
        f"ticks {snapshot.ticks}" if load is None else f"sent {load.sent:,} dropped {load.dropped:,}",
        f"objects {snapshot.bucket.objects:,} ({size(snapshot.bucket.size_bytes)})",
        f"queue {queue.visible:,} visible {queue.in_flight:,} in flight, oldest {seconds(queue.oldest_age_s)}",
        f"busy {consumer.busy}",
        f"rows {snapshot.table.rows_written:,} ({count(snapshot.rates.rows)}/s)",
        f"p99 {seconds((load or snapshot).latency.p99)}",
        f"dlq {queue.dead_lettered:,}",
        f"lost {lost + (load.dropped if load is not None else 0):,}",
    ]
    if snapshot.phase in ("draining", "auditing"):
        parts.append(progress(snapshot)[1])
    return " | ".join(parts)


def plain_event(event: Event, since_at: float) -> str:
    """An event as a line of its own."""
    often = f" (x{event.count:,})" if event.count > 1 else ""
    return f"{clock(event.at - since_at)} -- {event.text}{often}"
