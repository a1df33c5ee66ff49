"""What was written, table by table and bucket by bucket, as totals that grow; nothing here looks at the data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class TableActivity:
    """One table's writes and reads since it was first used."""

    rows_written: int = 0
    rows_per_s_max: int = 0
    first_write_at: float | None = None
    last_write_at: float | None = None
    batch_writes: int = 0
    unprocessed_items: int = 0
    throttled_requests: int = 0
    write_units: float = 0.0
    read_units: float = 0.0
    _second: int = -1
    _rows_this_second: int = 0

    def wrote(self, rows: int, at: float) -> None:
        """`rows` puts were accepted at `at`."""
        if rows <= 0:
            return
        self.rows_written += rows
        if self.first_write_at is None:
            self.first_write_at = at
        self.last_write_at = at
        second = int(at)
        if second != self._second:
            self._second, self._rows_this_second = second, 0
        self._rows_this_second += rows
        self.rows_per_s_max = max(self.rows_per_s_max, self._rows_this_second)


@dataclass(slots=True)
class BucketActivity:
    """One bucket's accepted puts."""

    puts: int = 0
    first_put_at: float | None = None
    last_put_at: float | None = None

    def put(self, at: float) -> None:
        """One object was accepted at `at`."""
        self.puts += 1
        if self.first_put_at is None:
            self.first_put_at = at
        self.last_put_at = at
