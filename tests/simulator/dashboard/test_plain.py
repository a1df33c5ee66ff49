"""The run as lines of plain text."""

from __future__ import annotations

import dataclasses

from simulator.dashboard import plain_event, plain_line
from simulator.telemetry.snapshot import Event, FunctionView, Snapshot


def test_the_plain_line(snapshot: Snapshot, load_snapshot: Snapshot) -> None:
    """One line of ASCII with the same figures in the same order."""
    assert plain_line(snapshot) == (
        "00:42 running  | ticks 4 | objects 1,401 (8.69 MB) | queue 44 visible 50 in flight, oldest 6.20 s | busy 5 | "
        "rows 131,400 (3,600/s) | p99 8.04 s | dlq 1 | lost 6"
    )
    assert plain_line(load_snapshot) == (
        "00:42 running  | sent 3,360 dropped 12 | objects 1,401 (8.69 MB) | queue 44 visible 50 in flight, "
        "oldest 6.20 s | busy 5 | rows 131,400 (3,600/s) | p99 9.80 s | dlq 1 | lost 18"
    )
    failing = dataclasses.replace(snapshot, generator=FunctionView(errors=4))
    assert plain_line(failing).endswith("| dlq 1 | lost 10")
    draining = dataclasses.replace(snapshot, phase="draining")
    assert plain_line(draining).endswith("| lost 6 | 94 messages to go")
    assert plain_line(snapshot).isascii()


def test_a_plain_event(snapshot: Snapshot) -> None:
    """An event is a line with its time since the start, and its number if it came more than once."""
    assert snapshot.running_at is not None
    lines = [plain_event(event, snapshot.running_at) for event in snapshot.events[:2]]
    assert lines == [
        "00:00 -- ConsumerLambda environment 6: cold start 212 ms (x6)",
        "00:30 -- moved from StockQueue to its dead-letter queue: received too often",
    ]
    assert plain_event(Event(61.0, "again", count=2), 0.0) == "01:01 -- again (x2)"
