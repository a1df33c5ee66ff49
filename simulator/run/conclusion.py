"""How a run ended, in few enough words for the dashboard's last frame. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simulator.run import bounds
from simulator.run.bounds import SummaryFigure
from simulator.run.verdicts import verdict_of
from simulator.telemetry.snapshot import Conclusion


def conclusion(summary: Mapping[str, Any], figures: Mapping[str, SummaryFigure] = bounds.FIGURES) -> Conclusion:
    """The conclusion from a summary of `simulate` or `load-test`; `figures` are those that its bounds may name."""
    missed = tuple(_missed(summary, figures))
    if not (summary["audit"] or summary.get("deliveries")):
        return Conclusion("no audit", "nobody checked whether every row is stored", "plain", missed)
    word, meaning, tone = verdict_of(summary)
    if sample := bounds.sample_words(summary["audit"] or {}):
        meaning += f", in a sample of {sample}"
    return Conclusion(word, meaning, tone, missed)


def _missed(summary: Mapping[str, Any], figures: Mapping[str, SummaryFigure]) -> Iterator[str]:
    yield from bounds.each_missed(summary["bounds"], figures)
    yield from (f"invariant {each['name']}" for each in summary.get("invariants") or () if not each["held"])
    # Only load tests have these: one with messages left, and a search that found no rate, missed their goal.
    if (summary.get("backlog") or {}).get("drained") is False:
        yield "an empty queue at the end"
    if (search := summary.get("find_max")) is not None and search["rate_per_s"] is None:
        yield "a rate that the pipeline keeps up with"
