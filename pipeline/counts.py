"""What one invocation of the consumer did, as the figures it publishes."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class ConsumerCounts:
    """Totals of one invocation. `rows_written`: accepted puts; `rows_duplicate`: rows that a later row replaced."""

    messages_received: int = 0
    messages_failed: int = 0
    objects_ingested: int = 0
    objects_unreadable: int = 0
    objects_gone: int = 0
    rows_read: int = 0
    rows_written: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    bytes_read: int = 0
    batch_writes: int = 0
    unprocessed_items: int = 0
    throttled_requests: int = 0

    def metrics(self) -> dict[str, int]:
        """By the names that CloudWatch knows them by: `rows_read` is `RowsRead`."""
        return {name.title().replace("_", ""): figure for name, figure in asdict(self).items()}
