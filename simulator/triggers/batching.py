"""When a batch of messages is full, and how many bytes its event has. Pure.

AWS: Lambda Developer Guide, "Batching behavior" (invocation-eventsourcemapping). A batch goes to the function as soon
as one of these is true: it has BatchSize records, its window is over, or one more record would make the event exceed
the 6 MB of a synchronous payload, including Lambda's own wrapping of each record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.base import limits

EVENT_BYTES = len(b'{"Records":[]}')
# A byte of a body never grows beyond "\u00xx", and the rest of a record is well under this.
_GROWTH, _REST_BYTES = 6, 4096


def record_bytes(record: Mapping[str, Any]) -> int:
    """The bytes of this record in the event, including the comma after it."""
    return len(json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()) + 1


def record_bytes_at_most(body: str) -> int:
    """A cheap upper bound of `record_bytes` for a message without message attributes."""
    return len(body) * _GROWTH + _REST_BYTES


def fits(event_bytes: int, more_bytes: int) -> bool:
    """Whether a record of `more_bytes` still fits into an event of `event_bytes`."""
    return event_bytes + more_bytes <= limits.SYNC_PAYLOAD_BYTES


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """BatchSize and MaximumBatchingWindowInSeconds."""

    size: int
    window_s: float

    def closes(self, count: int, opened_at: float, now: float) -> bool:
        """Whether a batch of `count` records, the first received at `opened_at`, goes to the function now.

        Call this between two receives: with a window, a long poll in progress is not cut short, which is why a quiet
        queue may wait up to 20 s although its window is shorter.
        """
        return count >= self.size or (count > 0 and now >= opened_at + self.window_s)

    def wants(self, count: int) -> int:
        """How many messages the next receive should request."""
        return min(limits.SQS_BATCH_ENTRIES, self.size - count)


def effective_visibility_s(visibility_timeout_s: int, window_s: int, function_timeout_s: int) -> int:
    """The visibility timeout that the mapping requests when it receives.

    With a window, a visibility too short for window and function is replaced by window + timeout + 30 s (Lambda
    Developer Guide of 2023, "Using Lambda with Amazon SQS"; later versions omit the sentence).
    """
    needed = window_s + function_timeout_s
    if window_s > 0 and needed > visibility_timeout_s:
        return needed + limits.MAPPING_VISIBILITY_MARGIN_S
    return visibility_timeout_s
