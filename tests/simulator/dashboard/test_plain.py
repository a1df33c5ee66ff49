"""The run as lines of plain text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from simulator.base.counters import BucketCounters, QueueCounters, TableCounters
from simulator.dashboard import plain_event, plain_line
from simulator.telemetry.snapshot import Event, FunctionView, Snapshot


def test_the_plain_line(snapshot: Snapshot, load_snapshot: Snapshot) -> None:
    """One line of ASCII with the same figures in the same order, each under its name and as a bare number."""
    assert plain_line(snapshot) == (
        "00:42 running ticks=4 objects=1401 queue=44 in_flight=50 oldest_s=6.200 busy=5 cold_starts=6 rows=131400 "
        "rows_per_s=3600 p99_s=8.040 dead_lettered=1 lost=6"
    )
    assert plain_line(load_snapshot) == (
        "00:42 running sent=3360 dropped=12 objects=1401 queue=44 in_flight=50 oldest_s=6.200 busy=5 cold_starts=6 "
        "rows=131400 rows_per_s=3600 p99_s=9.800 dead_lettered=1 lost=18"
    )
    failing = dataclasses.replace(snapshot, generator=FunctionView(errors=4))
    assert plain_line(failing).endswith("dead_lettered=1 lost=10")
    assert plain_line(snapshot).isascii()


def test_the_plain_line_of_a_phase(snapshot: Snapshot) -> None:
    """The first one says what is known while the store starts; that of the audit also how far it is."""
    starting = dataclasses.replace(snapshot, phase="starting", running_at=None)
    assert plain_line(starting) == "00:00 starting command=simulate seed=7 runtime=inline clock=real"
    virtual = dataclasses.replace(starting, options=dataclasses.replace(snapshot.options, clock="virtual"))
    assert plain_line(virtual).endswith(" clock=virtual")
    auditing = dataclasses.replace(snapshot, phase="auditing", audit_part="rejected rows", audit_done=5, audit_total=9)
    assert plain_line(auditing).endswith(" lost=6 audit=rejected-rows:5/9 left_s=-")
    begun = dataclasses.replace(auditing, audit_part=None, audit_done=9, audit_left_s=0.25)
    assert plain_line(begun).endswith(" audit=listing:9/9 left_s=0.250")
    assert "-" in plain_line(dataclasses.replace(snapshot, queue=QueueCounters())).split("oldest_s=")[1][:1]


def test_the_fields_of_a_line_agree(snapshot: Snapshot, load_snapshot: Snapshot) -> None:
    """No latency before a row is stored, no more objects than were sent, and no total of a listing."""
    began = dataclasses.replace(snapshot, table=TableCounters())
    assert " rows=0 rows_per_s=3600 p99_s=- " in plain_line(began)
    assert load_snapshot.load is not None
    load = dataclasses.replace(load_snapshot.load, sent=2)
    early = dataclasses.replace(load_snapshot, load=load, puts=2, bucket=BucketCounters(objects=3, puts=3))
    early = dataclasses.replace(early, consumer=FunctionView())
    assert " sent=3 dropped=12 objects=3 " in plain_line(early)
    assert " sent=2 " in plain_line(dataclasses.replace(early, phase="draining"))
    assert " sent=2 " in plain_line(dataclasses.replace(early, puts=5))
    rejecting = dataclasses.replace(early, consumer=FunctionView(metrics={"RowsRejected": 1.0}))
    assert " sent=2 " in plain_line(rejecting)
    listing = dataclasses.replace(snapshot, phase="auditing", audit_part="listing", audit_done=1271, audit_total=0)
    assert " audit=listing:1271/- " in plain_line(listing)


def test_another_application_has_a_latency_without_rows_and_no_audit(application: Callable[..., Snapshot]) -> None:
    """What it does need not be rows, and they are not audited."""
    shown = application(queues=("q",), consumers=("f",))
    assert " p99_s=0.800 " in plain_line(shown)
    assert "audit=" not in plain_line(dataclasses.replace(shown, phase="auditing"))


def test_a_plain_event(snapshot: Snapshot) -> None:
    """An event is a line with its time since the start, and its number if it came more than once."""
    assert snapshot.running_at is not None
    lines = [plain_event(event, snapshot.running_at) for event in snapshot.events[:2]]
    assert lines == [
        "00:00 -- ConsumerLambda environment 6: cold start 212 ms (x6)",
        "00:30 -- moved from StockQueue to its dead-letter queue: received too often",
    ]
    assert plain_event(Event(61.0, "again", count=2), 0.0) == "01:01 -- again (x2)"
