"""What to do next, by what a run's summary says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simulator.dashboard.figures import counted


def advice(summary: Mapping[str, Any]) -> Iterable[str]:
    """One sentence for each thing that a person can do about what came out. Reads nothing but the JSON."""
    audit, queue, resources = summary["audit"], summary["queue"], summary["resources"]
    again = f"run again with --seed {summary['seed']} and --hold"
    if audit["verdict"] == "differs":
        yield f"{again}, and look at the rows named above: the store then stays up."
    if audit["verdict"] == "lossy":
        yield from audit["keys"]
    if audit["verdict"] == "unproven":
        if summary["interrupted"]:
            yield "press Ctrl-C only once: the run then stops taking in, drains, and proves what it stored."
        if queue["remaining"]:
            yield (
                f"{counted(queue['remaining'], 'message')} not dealt with: give the drain longer (--drain-timeout) or "
                "the consumer more room (--parameter MaximumConcurrency=...)."
            )
    if queue["dead_lettered"]:
        yield (
            f"{counted(queue['dead_lettered'], 'message')} in the dead-letter queue: {again}, then read "
            f"{resources['dlq_url'] or 'it'}."
        )
    if audit["rejected"]:
        yield f"the rejected rows stand with their reasons beside the objects in {resources['bucket']}: {again}."
