"""When a table refuses: DynamoDB's capacity, if it is applied, and the fault switch. The errors are AWS's."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from simulator.store.aws_errors import AwsError
from simulator.store.capacity import KEY_RANGE, PROVISIONED, Refusals, Throughput

_TEXTS = {
    PROVISIONED: "The level of configured provisioned throughput for the table was exceeded. Consider increasing "
    "your provisioning level with the UpdateTable API.",
    "on demand": "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling "
    "your table or index so please try again shortly. If exceptions persist, check if you have a hot key: "
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html",
    "maximum": "Throughput exceeds the maximum OnDemandThroughput configured on table or index.",
}


class Throttles:
    """The limits of every table of one store. `applied` is `--capacity aws`."""

    def __init__(self, *, applied: bool) -> None:
        self.applied = applied
        self.faults: dict[str, Refusals] = {}
        self.maximums: dict[str, dict[str, int]] = {}
        self._writes: dict[int, tuple[Any, Throughput]] = {}
        self._reads: dict[int, tuple[Any, Throughput]] = {}

    @property
    def idle(self) -> bool:
        """Nothing can be refused: neither rates nor a fault are on."""
        return not self.applied and not self.faults

    def refuse_writes(self, table_name: str, share: float) -> None:
        """Refuse that share of a table's writes; 0 ends it."""
        if share > 0:
            self.faults[table_name] = Refusals(share)
        else:
            self.faults.pop(table_name, None)

    def configured(self, table_name: str, throughput: Any) -> None:
        """A table was created or changed with this `OnDemandThroughput` (None: none)."""
        self.maximums.pop(table_name, None)
        if isinstance(throughput, dict):
            self.maximums[table_name] = {
                name: units for name, units in throughput.items() if isinstance(units, int) and units > 0
            }
        self._writes = {number: kept for number, kept in self._writes.items() if kept[0].name != table_name}
        self._reads = {number: kept for number, kept in self._reads.items() if kept[0].name != table_name}

    def write(self, table: Any, hash_key: Hashable, units: float, now: float) -> str | None:
        """Consume a write of `units`, or the reason why not."""
        fault = self.faults.get(table.name)
        if fault is not None and fault.refuses():
            return KEY_RANGE if _on_demand(table) else PROVISIONED
        if not self.applied:
            return None
        return self._throughput(table, now, writes=True).take(hash_key, units, now)

    def read(self, table: Any, now: float) -> str | None:
        """Why another read of the table is refused now, or None."""
        return self._throughput(table, now, writes=False).exhausted(now) if self.applied else None

    def charge_read(self, table: Any, units: float, now: float) -> None:
        """A read was answered and cost `units`."""
        if self.applied:
            self._throughput(table, now, writes=False).charge(units, now)

    def write_error(self, table: Any, reason: str) -> AwsError:
        """What a client is told when nothing of its request could be written."""
        return self._error(table, "Write", reason)

    def read_error(self, table: Any, reason: str) -> AwsError:
        """What a client is told when a read is refused."""
        return self._error(table, "Read", reason)

    def _error(self, table: Any, direction: str, reason: str) -> AwsError:
        if reason == PROVISIONED:
            text = _TEXTS[PROVISIONED]
        else:
            text = _TEXTS["on demand" if reason == KEY_RANGE else "maximum"]
        reasons = [{"reason": f"Table{direction}{reason}", "resource": table.table_arn}]
        return AwsError("ProvisionedThroughputExceededException", text, details={"ThrottlingReasons": reasons})

    def _throughput(self, table: Any, now: float, *, writes: bool) -> Throughput:
        kept = self._writes if writes else self._reads
        found = kept.get(id(table))
        if found is None:
            provisioned, ceiling = None, None
            if not _on_demand(table):
                provisioned = int(table.throughput["WriteCapacityUnits" if writes else "ReadCapacityUnits"])
            else:
                name = "MaxWriteRequestUnits" if writes else "MaxReadRequestUnits"
                ceiling = self.maximums.get(table.name, {}).get(name)
            # The table is kept beside its number, so that the number is not given to another one.
            found = table, Throughput(now, writes=writes, provisioned=provisioned, ceiling=ceiling)
            kept[id(table)] = found
        return found[1]


def _on_demand(table: Any) -> bool:
    return bool(table.billing_mode == "PAY_PER_REQUEST")
