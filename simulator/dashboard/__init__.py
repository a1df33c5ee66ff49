"""Draws snapshots, on a terminal or as a picture.

Drawing is pure: the same snapshot and size give the same frame. `ui` refreshes by the clock; `screen` and `screenshot`
write the frames.
"""

from __future__ import annotations

from simulator.dashboard.layout import render
from simulator.dashboard.lines import Frame
from simulator.dashboard.plain import plain_event, plain_line

__all__ = ["Frame", "plain_event", "plain_line", "render"]
