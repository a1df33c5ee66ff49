"""What happens to a batch's messages after its invocation: delete, or leave in the queue. Pure.

AWS: Lambda Developer Guide, "Handling errors for an SQS event source" (services-sqs-errorhandling). A message that
stays becomes visible again only when its visibility timeout ends: Lambda never shortens or extends it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Settlement:
    """The `failed` messages stay, every other message of the batch is deleted. `reason` says why they stay.

    After an error, a timeout, a crash, or a throttle that outlasts the visibility, the whole batch stays.
    """

    failed: frozenset[str] = frozenset()
    reason: str = ""

    def deletes(self, message_id: str) -> bool:
        """Whether Lambda deletes this message of the batch."""
        return message_id not in self.failed


def of_response(message_ids: Collection[str], payload: Any, *, reports_batch_item_failures: bool) -> Settlement:
    """The outcome after the function returned `payload` (decoded JSON).

    Without `ReportBatchItemFailures`, any return deletes the whole batch. With it, a missing, null or empty
    `batchItemFailures` (and a null or empty response) is full success; a list of ids from the batch fails only those,
    and repetitions count once; anything else fails the whole batch: an empty, null or missing `itemIdentifier`, an id
    that is not in the batch, a list or an entry of another shape.
    """
    if not reports_batch_item_failures or payload is None:
        return Settlement()
    whole = Settlement(frozenset(message_ids), "invalid batch item failures")
    if not isinstance(payload, dict):
        return whole
    failures = payload.get("batchItemFailures")
    if failures is None:
        return Settlement()
    if not isinstance(failures, list):
        return whole
    failed: list[Any] = [entry.get("itemIdentifier") if isinstance(entry, dict) else None for entry in failures]
    if not all(isinstance(each, str) and each in whole.failed for each in failed):
        return whole
    return Settlement(frozenset(failed), "batch item failure")
