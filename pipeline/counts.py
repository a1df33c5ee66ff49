"""What one invocation of the consumer did, as the figures that it publishes."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class ConsumerCounts:
    """Totals of one invocation.

    `rows_read`: rows of the objects, including those rejected, by us or by DynamoDB (`rows_rejected`).
    `rows_written`: puts that DynamoDB confirmed. `rows_duplicate`: rows replaced, before they were sent, by a later row
    of their object and request. If all messages of the invocation succeeded,

        rows_read = rows_written + rows_duplicate + rows_rejected

    however many rows were unprocessed, throttled or sent again. If a message failed, some of its rows may be in none.

    `rows_unanswered`: rows of requests without an answer, counted each time: whether they were written is unknown. They
    are sent again, and count as written once an answer confirms it.
    """

    messages_received: int = 0
    messages_failed: int = 0
    objects_ingested: int = 0
    objects_unreadable: int = 0
    objects_gone: int = 0
    objects_skipped: int = 0
    rows_read: int = 0
    rows_written: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    rows_unanswered: int = 0
    bytes_read: int = 0
    batch_writes: int = 0
    unprocessed_items: int = 0
    throttled_requests: int = 0

    def metrics(self) -> dict[str, int]:
        """The totals under their CloudWatch names: `rows_read` is `RowsRead`."""
        return {name.title().replace("_", ""): figure for name, figure in asdict(self).items()}
