"""Describes a snapshot in sentences, for people who cannot see the picture. Pure."""

from __future__ import annotations

from simulator.base.words import counted
from simulator.dashboard.figures import clock, seconds
from simulator.dashboard.stages import losses, things
from simulator.dashboard.words import latency_title
from simulator.telemetry.snapshot import Snapshot


def titled(snapshot: Snapshot) -> str:
    """The title of the picture."""
    options, conclusion = snapshot.options, snapshot.conclusion
    scenario = f" --scenario {options.scenario}" if options.scenario else ""
    return f"stockpipe {options.command}{scenario}: {conclusion.verdict if conclusion else snapshot.phase}"


def described(snapshot: Snapshot) -> str:
    """The figures that a reader looks for first, and how the run ended."""
    queue, maxima, conclusion = snapshot.queue, snapshot.maxima, snapshot.conclusion
    roles, own, latency = snapshot.roles, snapshot.roles.is_pipeline, (snapshot.load or snapshot).latency
    lost = ", ".join(f"{figure.label} {figure.value}" for figure in losses(snapshot))
    depth = f"{counted(queue.visible, 'visible message')} and {queue.in_flight:,} in flight; it never had more than"
    held = [
        (roles.queues, "queue", f"{depth} {maxima.depth:,} messages in total"),
        (roles.dead_letter_queues, "dead-letter queue", counted(snapshot.dead_letter_queue.held, "message")),
        (roles.tables, "table", counted(snapshot.table.rows, things(snapshot)[:-1])),
    ]
    there = [(f"{name}s have" if len(parts) > 1 else f"{name} has", what) for parts, name, what in held if parts or own]
    sentences = [
        f"The dashboard of stockpipe {snapshot.options.command} after {clock(snapshot.elapsed_s)}; "
        f"its phase is {snapshot.phase}.",
        *(f"The {name} {what}." for name, what in there),
        f"Lost or refused: {lost}.",
    ]
    if latency.count:
        way = "From the object to its rows in the table" if snapshot.load is None else "From the plan to the table"
        way = way if own else latency_title(snapshot).capitalize()
        sentences.append(f"{way}: median {seconds(latency.p50)}, 99th percentile {seconds(latency.p99)}.")
    if conclusion is not None:
        sentences.append(f"The verdict is {conclusion.verdict}: {conclusion.meaning}.")
        if conclusion.missed:
            sentences.append(f"Missed: {', '.join(conclusion.missed)}.")
    return " ".join(sentences)
