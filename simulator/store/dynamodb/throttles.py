"""When a table refuses: DynamoDB's capacity, if it is applied, and the fault switch. The errors are AWS's."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from simulator.store.dynamodb.capacity import KEY_RANGE, PROVISIONED, Refusals, Throughput
from simulator.store.wire.aws_errors import AwsError

_TEXTS = {
    PROVISIONED: "The level of configured provisioned throughput for the table was exceeded. Consider increasing "
    "your provisioning level with the UpdateTable API.",
    "on demand": "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling "
    "your table or index so please try again shortly. If exceptions persist, check if you have a hot key: "
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html",
    "maximum": "Throughput exceeds the maximum OnDemandThroughput configured on table or index.",
}
# Of a transaction's cancellation; any other reason is ThrottlingError.
_CODES = {None: "None", PROVISIONED: "ProvisionedThroughputExceeded"}


class Throttles:
    """The limits of every table of one store. `applied` is `--capacity aws`."""

    def __init__(self, *, applied: bool) -> None:
        self.applied = applied
        self.faults: dict[str, Refusals] = {}
        self.maximums: dict[str, dict[str, int]] = {}
        # By names, not by moto's objects: moto replaces those when it takes a transaction back.
        self._writes: dict[tuple[str, str | None], Throughput] = {}
        self._reads: dict[tuple[str, str | None], Throughput] = {}

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
        self._writes = {names: kept for names, kept in self._writes.items() if names[0] != table_name}
        self._reads = {names: kept for names, kept in self._reads.items() if names[0] != table_name}

    def write(self, table: Any, hash_key: Hashable, units: float, now: float) -> str | None:
        """Consume a write of `units`, or the reason why not."""
        fault = self.faults.get(table.name)
        if fault is not None and fault.refuses():
            return KEY_RANGE if _on_demand(table) else PROVISIONED
        if not self.applied:
            return None
        return self._throughput(table, now, writes=True).take(hash_key, units, now)

    def give_back(self, table: Any, hash_key: Hashable, units: float, now: float) -> None:
        """A write of `units` was let through and is not going to happen."""
        if self.applied:
            self._throughput(table, now, writes=True).give_back(hash_key, units, now)

    def charge_write(self, table: Any, hash_key: Hashable, units: float, now: float) -> None:
        """A write turned out to cost `units` more than was known before."""
        if self.applied and units > 0:
            self._throughput(table, now, writes=True).charge(units, now, hash_key)

    def read(self, table: Any, now: float, hash_key: Hashable = None, index: Any = None) -> str | None:
        """Why another read of the table, or of its global `index`, is refused now, or None.

        `hash_key` is the one partition that is read, None a scan or a partition of an index.
        """
        if not self.applied:
            return None
        return self._throughput(table, now, writes=False, index=index).exhausted(now, hash_key)

    def charge_read(self, table: Any, units: float, now: float, hash_key: Hashable = None, index: Any = None) -> None:
        """A read was answered and cost `units`."""
        if self.applied:
            self._throughput(table, now, writes=False, index=index).charge(units, now, hash_key)

    def write_error(self, table: Any, reason: str) -> AwsError:
        """What a client is told when nothing of its request could be written."""
        return self._error("Table", "Write", reason, table.table_arn)

    def read_error(self, table: Any, reason: str, index: Any = None) -> AwsError:
        """What a client is told when a read is refused."""
        if index is None:
            return self._error("Table", "Read", reason, table.table_arn)
        return self._error("Index", "Read", reason, f"{table.table_arn}/index/{index.name}")

    def cancellation(self, reasons: Sequence[str | None]) -> AwsError:
        """What a client is told of a transaction of which some actions are refused: a reason for each, in order."""
        codes = [_CODES.get(reason, "ThrottlingError") for reason in reasons]
        content = [
            {"Code": code} if reason is None else {"Code": code, "Message": _text(reason)}
            for code, reason in zip(codes, reasons, strict=True)
        ]
        text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{', '.join(codes)}]"
        return AwsError("TransactionCanceledException", text, details={"CancellationReasons": content})

    def _error(self, of: str, direction: str, reason: str, arn: str) -> AwsError:
        reasons = [{"reason": f"{of}{direction}{reason}", "resource": arn}]
        return AwsError("ProvisionedThroughputExceededException", _text(reason), details={"ThrottlingReasons": reasons})

    def _throughput(self, table: Any, now: float, *, writes: bool, index: Any = None) -> Throughput:
        kept = self._writes if writes else self._reads
        names = table.name, None if index is None else index.name
        found = kept.get(names)
        if found is None:
            provisioned, ceiling = None, None
            if not _on_demand(table):
                configured = (table if index is None else index).throughput
                provisioned = int(configured["WriteCapacityUnits" if writes else "ReadCapacityUnits"])
            elif index is None:
                name = "MaxWriteRequestUnits" if writes else "MaxReadRequestUnits"
                ceiling = self.maximums.get(table.name, {}).get(name)
            found = kept[names] = Throughput(now, writes=writes, provisioned=provisioned, ceiling=ceiling)
        return found


def _text(reason: str) -> str:
    if reason == PROVISIONED:
        return _TEXTS[PROVISIONED]
    return _TEXTS["on demand" if reason == KEY_RANGE else "maximum"]


def _on_demand(table: Any) -> bool:
    return bool(table.billing_mode == "PAY_PER_REQUEST")
