"""DynamoDB's throughput as token buckets. Pure: the instant is an argument, nothing waits.

Sources: DynamoDB Developer Guide, "On-demand capacity mode", "Provisioned capacity mode", "Best practices for designing
and using partition keys effectively".
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from simulator.base import limits
from simulator.store.wire.token_bucket import TokenBucket

KEY_RANGE = "KeyRangeThroughputExceeded"
PROVISIONED = "ProvisionedThroughputExceeded"
MAXIMUM_ON_DEMAND = "MaxOnDemandThroughputExceeded"

# With more buckets than this, those that have been full for a while are forgotten.
_PARTITIONS_KEPT = 20_000


@dataclass(slots=True)
class PeakHistory:
    """The best minute so far, among those that ended at least `limits.ON_DEMAND_PEAK_AGE_S` ago."""

    settled_peak: float = 0.0
    _minute: int = -1
    _units: float = 0.0
    _recent: list[tuple[int, float]] = field(default_factory=list)

    def note(self, units: float, now: float) -> None:
        """`units` were consumed now."""
        minute = int(now // 60)
        if minute != self._minute:
            if self._minute >= 0:
                self._recent.append((self._minute, self._units / 60))
            self._minute, self._units = minute, 0.0
        self._units += units

    def peak(self, now: float) -> float:
        """Units per second in the best settled minute."""
        while self._recent and (self._recent[0][0] + 1) * 60 + limits.ON_DEMAND_PEAK_AGE_S <= now:
            self.settled_peak = max(self.settled_peak, self._recent.pop(0)[1])
        return self.settled_peak


class Throughput:
    """One direction (writes or reads) of one table: the table's rate and each partition key's.

    On demand, the rate is twice the previous peak, and at least a new table's or `warm`, the table's `WarmThroughput`.
    Provisioned, up to five minutes of unused capacity are kept for bursts. `ceiling` is the maximum in
    `OnDemandThroughput`.
    """

    def __init__(
        self, now: float, *, writes: bool, provisioned: int | None, ceiling: int | None = None, warm: int | None = None
    ) -> None:
        self._provisioned = provisioned
        new_table = limits.ON_DEMAND_NEW_TABLE_WRITE_UNITS if writes else limits.ON_DEMAND_NEW_TABLE_READ_UNITS
        self._least = new_table if warm is None else max(new_table, warm)
        self._partition_rate = float(limits.PARTITION_WRITE_UNITS if writes else limits.PARTITION_READ_UNITS)
        self._peaks = PeakHistory()
        rate = self.rate(now)
        size = rate * limits.PROVISIONED_BURST_S if provisioned is not None else rate
        self._table = TokenBucket(rate, size, rate, now)
        self._maximum = None if ceiling is None else TokenBucket(ceiling, ceiling, ceiling, now)
        self._partitions: dict[Hashable, TokenBucket] = {}

    def rate(self, now: float) -> float:
        """How much the table accepts per second now."""
        if self._provisioned is not None:
            return float(self._provisioned)
        return float(min(limits.ON_DEMAND_TABLE_QUOTA_UNITS, max(self._least, 2 * self._peaks.peak(now))))

    def take(self, partition_key: Hashable, units: float, now: float) -> str | None:
        """Consume `units` of a partition key, or return the limit that forbids it (and consume nothing)."""
        reason = self.exhausted(now, partition_key, units)
        if reason is None:
            self.charge(units, now, partition_key)
        return reason

    def charge(self, units: float, now: float, partition_key: Hashable = None) -> None:
        """Consume the actual cost of a request, of one partition key or (None) across them; later requests wait for it.

        A negative amount gives back what was taken.
        """
        partition = None if partition_key is None else self._partition(partition_key, now)
        for bucket in (self._maximum, self._table, partition):
            if bucket is not None:
                bucket.take(units, now)
        self._peaks.note(units, now)

    def exhausted(self, now: float, partition_key: Hashable = None, units: float = 1) -> str | None:
        """The limit that forbids `units` more now, for one partition key or (None) across them, if any does."""
        rate = self.rate(now)
        if rate != self._table.rate:
            # The table accepts at once what it has grown by.
            self._table.resize(rate, now)
        if self._maximum is not None and not self._maximum.has(units, now):
            return MAXIMUM_ON_DEMAND
        if not self._table.has(units, now):
            return KEY_RANGE if self._provisioned is None else PROVISIONED
        if partition_key is not None and not self._partition(partition_key, now).has(units, now):
            return KEY_RANGE
        return None

    def _partition(self, key: Hashable, now: float) -> TokenBucket:
        bucket = self._partitions.get(key)
        if bucket is None:
            if len(self._partitions) >= _PARTITIONS_KEPT:
                self._partitions = {
                    kept: bucket for kept, bucket in self._partitions.items() if not bucket.has(bucket.size, now)
                }
            rate = self._partition_rate
            bucket = self._partitions[key] = TokenBucket(rate, rate, rate, now)
        return bucket


@dataclass(slots=True)
class Refusals:
    """A share of operations, spread evenly: at 0.9, nine in ten are refused, whatever the batch sizes."""

    share: float
    _debt: float = 0.0

    def refuses(self) -> bool:
        """Whether to refuse the next operation."""
        self._debt += self.share
        if self._debt >= 1.0 - 1e-9:
            self._debt -= 1.0
            return True
        return False
