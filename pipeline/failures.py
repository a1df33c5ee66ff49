"""What can go wrong with one message, as the few kinds that are handled differently."""

from __future__ import annotations


class MessageFailure(Exception):
    """The message fails, for this reason. `permanent`: another delivery cannot mend it."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent


class ObjectGone(Exception):
    """The key no longer exists: there is nothing to do, and the message is done."""


class OutOfTime(MessageFailure):
    """The invocation's time is up; what is stored stays stored, and the next delivery does the rest."""

    def __init__(self) -> None:
        super().__init__("no time left in this invocation", permanent=False)
