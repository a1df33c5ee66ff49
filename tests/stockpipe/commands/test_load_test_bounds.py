"""`stockpipe load-test` and its bounds: the defaults beside the thresholds, and where there are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("unmeasured")

Stockpipe = Callable[..., Any]

LOAD = ("load-test", "--rate", "5/s", "--duration", "1s", "--rows", "3", "--ui", "quiet", "--summary", "-")
REJECTED = ("--parameter", "TimestampColumn=close")


def judged(summary: dict[str, Any]) -> dict[str, bool]:
    """Whether each bound held."""
    return {each["bound"]: each["held"] for each in summary["bounds"]}


def test_a_load_of_which_nothing_is_stored_is_no_success(stockpipe: Stockpipe) -> None:
    """Every row is rejected: proven exact, and missed by default; the thresholds are in `slo` as ever, and here too."""
    ended = stockpipe(*LOAD, *REJECTED, "--slo", "dropped<1", "--slo", "rejected<1%")
    assert (ended.code, ended.summary["audit"]["verdict"]) == (1, "exact"), ended.err
    assert judged(ended.summary) == {
        "dead_lettered<1": True,
        "objects_all_rejected<1": False,
        "objects_many_rejected<1": True,
        "stored_rows>0": False,
        "dropped<1": True,
        "rejected<1%": False,
    }
    assert ended.summary["slo"] == [
        {"threshold": "dropped<1", "value": 0, "held": True},
        {"threshold": "rejected<1%", "value": 100.0, "held": False},
    ]
    said = "verdict exact, missed objects_all_rejected<1 (5 objects), stored_rows>0 (0 items), rejected<1% (100 %)"
    assert said in ended.err.splitlines()


def test_a_message_in_the_dead_letter_queue_is_missed_unless_it_was_expected(stockpipe: Stockpipe) -> None:
    """Objects that the consumer cannot read end there; a threshold on the figure replaces the default.

    Without an audit no bound on rows is judged, and the others alone decide.
    """
    parameters = ("TickerColumn=timestamp", "VisibilityTimeout=1", "ConsumerTimeout=1", "MaxReceiveCount=1")
    unreadable = tuple(word for parameter in parameters for word in ("--parameter", parameter))
    ended = stockpipe(*LOAD, *unreadable, "--audit", "none", "--slo", "dead_lettered>=100%")
    assert (ended.code, ended.summary["queue"]["dead_lettered"]) == (0, 5), ended.err
    assert judged(ended.summary) == {"dead_lettered>=100%": True}
    assert (ended.summary["audit"], ended.summary["options"]["audit"]) == (None, "none")


def test_a_backlog_is_held_to_nothing_that_was_not_asked_for(stockpipe: Stockpipe) -> None:
    """Its subject is the drain: all rows rejected, and exit code 0."""
    drain = ("load-test", "--backlog", "5", "--rows", "3", "--ui", "quiet", "--summary", "-", *REJECTED)
    ended = stockpipe(*drain)
    assert (ended.code, ended.summary["bounds"], ended.summary["audit"]["rejected"]) == (0, [], 15), ended.err


def test_a_sink_is_judged_by_what_it_counts(stockpipe: Stockpipe) -> None:
    """It keeps no rows, so that the defaults on rows are not judged; its own counts are."""
    ended = stockpipe(*LOAD, "--target", "sink", "--slo", "rows_written>=15", "--slo", "failed>=1")
    assert (ended.code, ended.summary["audit"]) == (1, None), ended.err
    assert judged(ended.summary) == {"dead_lettered<1": True, "rows_written>=15": True, "failed>=1": False}
    assert "no audit, missed failed>=1 (0 puts)" in ended.err.splitlines()
