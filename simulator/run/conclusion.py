"""How a run ended, in the few words that the dashboard's last frame has room for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from simulator.run import bounds
from simulator.run.bounds import SummaryFigure
from simulator.run.text import VERDICTS
from simulator.telemetry.snapshot import Conclusion, Tone

_TONES: Mapping[str, Tone] = {"green": "moves", "yellow": "grows", "red": "lost"}


def conclusion(summary: Mapping[str, Any], figures: Mapping[str, SummaryFigure] = bounds.FIGURES) -> Conclusion:
    """The conclusion of a summary of `simulate` or `load-test`, whose bounds are on `figures`."""
    audit, missed = summary["audit"], tuple(_missed(summary, figures))
    if audit is None:
        return Conclusion("no audit", "whether every row is stored was not looked at", "plain", missed)
    color, meaning = VERDICTS[audit["verdict"]]
    if sampled := audit.get("sampled"):
        meaning += f", in a sample of {sampled['objects']:,} of {sampled['of']:,} objects"
    return Conclusion(audit["verdict"], meaning, _TONES[color], missed)


def _missed(summary: Mapping[str, Any], figures: Mapping[str, SummaryFigure]) -> Iterator[str]:
    for judged in summary["bounds"]:
        if not judged["held"]:
            yield f"{judged['bound']} ({bounds.parse(judged['bound'], figures).value_text(judged['value'])})"
    # What a load test alone has: it is not done while messages are left, nor is a search that found no rate.
    if (summary.get("backlog") or {}).get("drained") is False:
        yield "an empty queue at the end"
    if (search := summary.get("find_max")) is not None and search["rate_per_s"] is None:
        yield "a rate that the pipeline keeps up with"
