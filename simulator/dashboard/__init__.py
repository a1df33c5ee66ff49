"""A snapshot, drawn, and the terminal it is drawn on.

Drawing is pure: the same snapshot and size give the same frame. `ui` refreshes by the clock, and `screen` and
`screenshot` write what was drawn.
"""

from __future__ import annotations

from simulator.dashboard.layout import render
from simulator.dashboard.lines import Frame
from simulator.dashboard.plain import plain_event, plain_line

__all__ = ["Frame", "plain_event", "plain_line", "render"]
