"""What happened, in words: a bounded list that counts repetitions instead of listing them again."""

from __future__ import annotations

from collections import deque
from itertools import takewhile

from simulator.base import limits
from simulator.base.shown import printable
from simulator.telemetry.snapshot import Event, Tone


class EventLog:
    """The last events, oldest first."""

    def __init__(self) -> None:
        self._events: deque[tuple[str, Event]] = deque(maxlen=limits.EVENTS_KEPT)

    def add(self, at: float, text: str, tone: Tone = "plain", *, key: str | None = None, count: int = 1) -> None:
        """Add an event.

        Events with the same `key` (default: the text) within `limits.EVENT_REPEAT_S` of each other share one line,
        which moves to the end with the newest text and the sum of the counts.
        """
        key = key or text
        recent = takewhile(lambda held: at - held[1].at <= limits.EVENT_REPEAT_S, reversed(self._events))
        if (same := next((held for held in recent if held[0] == key), None)) is not None:
            self._events.remove(same)
            count += same[1].count
        self._events.append((key, Event(at, printable(text), tone, count)))

    def view(self) -> tuple[Event, ...]:
        """All events that are kept, oldest first."""
        return tuple(event for _, event in self._events)
