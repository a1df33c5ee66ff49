"""The verdict of a run in a word and a sentence: that of its audit, or of an application's deliveries. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from simulator.telemetry.snapshot import Tone


class Verdict(NamedTuple):
    """The word of the summary, what it means, and its tone."""

    word: str
    meaning: str
    tone: Tone

    @property
    def proven(self) -> bool:
        """Whether this is what every run is for."""
        return self.tone == "moves"


_OF_ROWS = (
    Verdict("exact", "every row is accounted for", "moves"),
    Verdict("lossy", "rows were replaced by later rows of their object with the same key", "lost"),
    Verdict("differs", "the table does not match the objects", "lost"),
    Verdict("unproven", "not shown that every row was stored", "grows"),
)
_OF_DELIVERIES = (
    Verdict("settled", "every message and event is accounted for, and each delivery was settled once", "moves"),
    Verdict("pending", "messages or events are still waiting", "grows"),
    Verdict("differs", "a message or an event was lost, or a delivery was not settled exactly once", "lost"),
    Verdict("unproven", "the run was cut off before its end", "grows"),
)


def verdict_of(summary: Mapping[str, Any]) -> Verdict:
    """The verdict of a summary that has an audit or deliveries."""
    proof = summary["audit"] or summary["deliveries"]
    known = _OF_ROWS if summary["audit"] else _OF_DELIVERIES
    return next(verdict for verdict in known if verdict.word == proof["verdict"])
