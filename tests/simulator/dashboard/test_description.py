"""A run in sentences, for whoever cannot see the dashboard."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from simulator.dashboard.description import described, titled
from simulator.telemetry.snapshot import Conclusion, RunOptions, Snapshot

DIFFERS = Conclusion("differs", "the table does not match the objects", "lost", ("stored_rows>0 (0)",))


def test_the_title_names_the_command_and_its_end(snapshot: Snapshot, load_snapshot: Snapshot) -> None:
    """The verdict once there is one, the phase until then."""
    assert titled(snapshot) == "stockpipe simulate --scenario burst: running"
    assert titled(dataclasses.replace(load_snapshot, conclusion=DIFFERS)) == "stockpipe load-test: differs"


def test_a_run_is_described_by_its_figures(snapshot: Snapshot) -> None:
    """What the queues and the table hold, what was lost, how long it took and how it ended."""
    assert described(dataclasses.replace(snapshot, phase="done", conclusion=DIFFERS)) == (
        "The dashboard of stockpipe simulate after 00:42; its phase is done. "
        "The queue has 44 visible messages and 50 in flight; it never had more than 400 messages in total. "
        "The dead-letter queue has 1 message. The table has 131,400 rows. "
        "Lost or refused: dead-lettered 1, rejected rows 3, failed ticks 0, errors 2. "
        "From the object to its rows in the table: median 310 ms, 99th percentile 8.04 s. "
        "The verdict is differs: the table does not match the objects. Missed: stored_rows>0 (0)."
    )


def test_what_does_not_exist_yet_is_not_described(load_snapshot: Snapshot) -> None:
    """No percentiles before an object is stored, and no verdict before the end."""
    empty = described(Snapshot(1.0, RunOptions("simulate", 0, "inline", 0.0)))
    assert "percentile" not in empty
    assert "verdict" not in empty
    assert "From the plan to the table: median 3.10 s" in described(load_snapshot)


def test_an_application_is_described_by_its_parts(application: Callable[..., Snapshot], shop: Snapshot) -> None:
    """Stage by stage, several of a kind together, and a kind that is not there is not told of."""
    assert (
        "; its phase is running. Endpoint: messages 4,203. SQS 3: visible 132, in flight 150. Lambda 3: busy 3, "
        "warm 1. DynamoDB 2: items 2,608, items/s 36. DLQ 2: in DLQ 1. Lost or refused: dead-lettered 3, "
    ) in described(shop)
    assert "DynamoDB" not in described(application(queues=("q",), consumers=("f",)))
