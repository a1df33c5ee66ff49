"""A snapshot, drawn, and the terminal it is drawn on.

Drawing is pure: the same snapshot and size give the same frame. `ui` refreshes by the clock, and `screen` and
`screenshot` write what was drawn.
"""

from __future__ import annotations

from simulator.dashboard.layout import lines
from simulator.dashboard.lines import Frame
from simulator.dashboard.plain import plain_event, plain_line
from simulator.telemetry.snapshot import Snapshot

__all__ = ["Frame", "plain_event", "plain_line", "render"]


def render(snapshot: Snapshot, width: int, height: int) -> Frame:
    """The dashboard as exactly `height` lines of exactly `width` cells.

    It is made for 80x24 and for anything larger; a smaller screen gets the figures without the charts.
    """
    return Frame(tuple(lines(snapshot, width, height)), width)
