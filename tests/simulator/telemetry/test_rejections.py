"""Rejected rows by reason, as the consumer says it of each object."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.telemetry import rejections
from simulator.telemetry.rejections import Rejections
from simulator.telemetry.snapshot import Cause, Example


def said(key: str, rejected: int, *reasons: dict[str, Any], bucket: str = "b") -> str:
    """The consumer's line about an object with rejected rows."""
    line = {"level": "WARN", "message": "rows rejected", "bucket": bucket, "key": key, "rejected": rejected}
    return json.dumps({**line, "reasons": list(reasons)})


def why(reason: str, count: int, line: int | None = 2, cell: Any = None, **fields: Any) -> dict[str, Any]:
    """One reason of such a line."""
    return {"reason": reason, "count": count, "line": line, "cell": cell, **fields}


@pytest.fixture
def folded() -> Rejections:
    """Of a function whose setting TIMESTAMP_FORMAT is a template parameter."""
    return Rejections({"TIMESTAMP_FORMAT": "TimestampFormat"})


def test_rows_are_counted_by_reason_over_all_objects(folded: Rejections) -> None:
    """With the first of each object as an example, and the parameter that would mend it."""
    unreadable = "unreadable timestamp"
    folded.logged(said("a.csv", 4, why(unreadable, 3, 5, "yesterday", setting="TIMESTAMP_FORMAT"), why("no ticker", 1)))
    folded.logged(said("b.csv", 9, why(unreadable, 9, 7, "7 May", setting="TIMESTAMP_FORMAT")))
    examples = (Example("a.csv", 5, "yesterday"), Example("b.csv", 7, "7 May"))
    assert folded.view() == (
        Cause("unreadable timestamp", True, 12, examples, "TimestampFormat"),
        Cause("no ticker", True, 1, (Example("a.csv", 2),)),
    )
    assert folded.last == "unreadable timestamp (b.csv line 7 '7 May')"


def test_an_object_that_is_read_again_counts_once(folded: Rejections) -> None:
    """Each delivery says what it rejected; the last reading counts, and another bucket's key is another object."""
    folded.logged(said("a.csv", 3, why("x", 3)))
    folded.logged(said("a.csv", 5, why("x", 4), why("y", 1)))
    folded.logged(said("a.csv", 1, why("x", 1), bucket="other"))
    assert [(cause.reason, cause.count) for cause in folded.view()] == [("x", 5), ("y", 1)]


def test_rows_without_a_reason_of_their_own_are_counted(folded: Rejections) -> None:
    """The line names ten kinds at most: the rest of its rows has `other reasons`."""
    assert folded.last == ""
    folded.logged(said("all.csv", 1, why("x", 1)))
    folded.logged(said("a.csv", 3, why("x", 2)))
    folded.logged(said("b.csv", 4))
    assert [(cause.reason, cause.count) for cause in folded.view()] == [("x", 3), ("other reasons", 5)]
    assert folded.view()[1].examples == (Example("a.csv"), Example("b.csv"))
    assert folded.last == "b.csv"
    folded.logged(said("a.csv", 0))
    assert [(cause.reason, cause.count) for cause in folded.view()] == [("x", 1), ("other reasons", 4)]


@pytest.mark.parametrize(
    "line",
    [
        "rows rejected",
        '{"message": "rows rejected"}',
        '{"message": "rows rejected", "key": 7, "rejected": 3}',
        '{"message": "rows rejected", "key": "k", "rejected": "3", "reasons": 3}',
        '{"message": "rows rejected", "key": "k", "reasons": [7, null]}',
    ],
)
def test_a_line_that_is_not_whole_says_nothing(folded: Rejections, line: str) -> None:
    """Missing or odd members are passed over."""
    folded.logged(line)
    assert folded.view() == ()


def test_odd_members_of_a_reason_do_not_matter(folded: Rejections) -> None:
    """What is missing is null, or one row."""
    folded.logged(said("k", 2, {"reason": 7, "count": "2", "line": "3", "cell": 4}, {}))
    assert folded.view() == (Cause("no reason given", True, 2, (Example("k"),)),)


def test_memory_is_bounded(folded: Rejections, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the object seen longest ago is forgotten: it would count again."""
    assert rejections.OBJECTS_KEPT == 10_000
    monkeypatch.setattr(rejections, "OBJECTS_KEPT", 2)
    for key in ("a", "b", "a", "c", "a", "b"):
        folded.logged(said(key, 1, why("x", 1)))
    (cause,) = folded.view()
    assert cause.count == 4
