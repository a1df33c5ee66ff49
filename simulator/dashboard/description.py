"""Describes a snapshot in sentences, for people who cannot see the picture. Pure."""

from __future__ import annotations

from simulator.base.words import counted
from simulator.dashboard.figures import clock, seconds
from simulator.dashboard.stages import dead_letters, losses, stages
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
    latency = (snapshot.load or snapshot).latency
    lost = ", ".join(map(str, losses(snapshot)))
    sentences = [
        f"The dashboard of stockpipe {snapshot.options.command} after {clock(snapshot.elapsed_s)}; "
        f"its phase is {snapshot.phase}.",
        f"The queue has {counted(queue.visible, 'visible message')} and {queue.in_flight:,} in flight; "
        f"it never had more than {maxima.depth:,} messages in total.",
        f"The dead-letter queue has {counted(snapshot.dead_letter_queue.held, 'message')}.",
        f"The table has {counted(snapshot.table.rows, 'row')}.",
        f"Lost or refused: {lost}.",
    ]
    if not snapshot.roles.is_pipeline:
        parts = (*stages(snapshot), dead_letters(snapshot))
        sentences[1:4] = [f"{part.title}: {', '.join(map(str, part.figures[:2]))}." for part in parts if part]
    if latency.count:
        way = "From the object to its rows in the table" if snapshot.load is None else "From the plan to the table"
        way = way if snapshot.roles.is_pipeline else latency_title(snapshot).capitalize()
        sentences.append(f"{way}: median {seconds(latency.p50)}, 99th percentile {seconds(latency.p99)}.")
    if conclusion is not None:
        sentences.append(f"The verdict is {conclusion.verdict}: {conclusion.meaning}.")
        if conclusion.missed:
            sentences.append(f"Missed: {', '.join(conclusion.missed)}.")
    return " ".join(sentences)
