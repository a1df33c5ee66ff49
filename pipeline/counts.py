"""What one invocation of the consumer did, as the figures it publishes."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class ConsumerCounts:
    """Totals of one invocation.

    `rows_read`: rows of the objects, those included that were rejected, by us or by DynamoDB (`rows_rejected`).
    `rows_written`: puts that DynamoDB said it had taken. `rows_duplicate`: rows that a later row of their object and
    request replaced before they were sent. If all messages of the invocation succeeded,

        rows_read = rows_written + rows_duplicate + rows_rejected

    whatever was unprocessed, throttled or sent again meanwhile. If one failed, some of its rows may be in none of them.

    `rows_unanswered`: rows of requests that got no answer, each time, so that nobody knows whether they were written;
    they are sent again, and count as written when an answer says so.
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
        """By the names that CloudWatch knows them by: `rows_read` is `RowsRead`."""
        return {name.title().replace("_", ""): figure for name, figure in asdict(self).items()}
