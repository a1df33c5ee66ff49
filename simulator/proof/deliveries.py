"""What is proven of an application whose rows nobody knows: the fate of its messages and events. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """The fates of all messages that came to the queues that mappings poll, and of all asynchronous events.

    `sent` counts a message again in each of these queues that another one dead-letters or moves it to; `deleted`
    includes what was purged. `settled_once`: each delivery that a mapping received had exactly one outcome.
    `events_lost` were given up to no queue, `events_waiting` had no outcome when the drain ended. `is_over` is false
    while the run goes on, and if it was cut off.
    """

    sent: int = 0
    deleted: int = 0
    dead_lettered: int = 0
    remaining: int = 0
    settled_once: bool = True
    events_lost: int = 0
    events_waiting: int = 0
    is_over: bool = False

    @property
    def lost(self) -> int:
        """Messages that nobody deleted and that are nowhere, such as expired ones; below zero, more than were sent."""
        return self.sent - self.deleted - self.dead_lettered - self.remaining

    @property
    def verdict(self) -> Literal["unproven", "differs", "pending", "settled"]:
        """The first that applies. A dead-lettered message does not change it: that is a fate, too."""
        if not self.is_over:
            return "unproven"
        if self.lost or self.events_lost or not self.settled_once:
            return "differs"
        return "pending" if self.remaining or self.events_waiting else "settled"
