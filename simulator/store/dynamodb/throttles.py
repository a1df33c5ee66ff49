"""When a table refuses: DynamoDB's capacity, if applied, and the simulated outage. The errors are AWS's."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from simulator.store.dynamodb.capacity import KEY_RANGE, MAXIMUM_ON_DEMAND, PROVISIONED, Refusals, Throughput
from simulator.store.dynamodb.moto_table import full_name
from simulator.store.wire.aws_errors import AwsError

THROTTLED: Mapping[str, str] = {
    PROVISIONED: "The level of configured provisioned throughput for the table was exceeded. Consider increasing "
    "your provisioning level with the UpdateTable API.",
    KEY_RANGE: "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling "
    "your table or index so please try again shortly. If exceptions persist, check if you have a hot key: "
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html",
    MAXIMUM_ON_DEMAND: "Throughput exceeds the maximum OnDemandThroughput configured on table or index.",
}


@dataclass(slots=True)
class Throttles:
    """The limits of every table of one store. `applied` is `--capacity aws`."""

    applied: bool
    faults: dict[str, Refusals] = field(default_factory=dict)
    _always: Refusals | None = None
    _configured: dict[str, dict[str, int]] = field(default_factory=dict)
    # By name, not by moto's objects: moto replaces those when it rolls a transaction back.
    _throughputs: dict[tuple[str, str | None, bool], Throughput] = field(default_factory=dict)

    def refuse_writes(self, table_name: str, share: float) -> None:
        """Refuse that share of a table's writes; 0 ends it."""
        if share > 0:
            self.faults[table_name] = Refusals(share)
        else:
            self.faults.pop(table_name, None)

    @contextmanager
    def refusing(self, share: float) -> Iterator[None]:
        """In the block, refuse that share of all writes."""
        self._always = Refusals(share)
        try:
            yield
        finally:
            self._always = None

    def configured(self, table_name: str, parameters: Mapping[str, Any], *, created: bool) -> None:
        """A table was created or changed with these parameters; keep `OnDemandThroughput` and `WarmThroughput`.

        What a change does not mention stays as it was; -1 removes a maximum.
        """
        given = {**(parameters.get("OnDemandThroughput") or {}), **(parameters.get("WarmThroughput") or {})}
        before = {} if created else self._configured.get(table_name, {})
        known = {**before, **{name: units for name, units in given.items() if isinstance(units, int)}}
        self._configured[table_name] = {name: units for name, units in known.items() if units > 0}
        self._throughputs = {key: kept for key, kept in self._throughputs.items() if key[0] != table_name}

    def write(self, table: Any, hash_key: Hashable, units: float, now: float) -> str | None:
        """Consume a write of `units`, or return the reason why not."""
        fault = self._always or (self.faults.get(full_name(table)) if self.faults else None)
        if fault is not None and fault.refuses():
            return KEY_RANGE if _on_demand(table) else PROVISIONED
        return self._throughput(table, now, writes=True).take(hash_key, units, now) if self.applied else None

    def read(self, table: Any, now: float, hash_key: Hashable = None, index: Any = None) -> str | None:
        """The reason to refuse another read of the table, or of its global `index`, now; None if there is none.

        `hash_key` is the only partition read; None means a scan or a partition of an index.
        """
        if not self.applied:
            return None
        return self._throughput(table, now, writes=False, index=index).exhausted(now, hash_key)

    def charge(
        self, table: Any, units: float, now: float, hash_key: Hashable, *, writes: bool, index: Any = None
    ) -> None:
        """Charge `units` for a read that was answered, or for what a write cost more or less than expected."""
        if self.applied and units:
            self._throughput(table, now, writes=writes, index=index).charge(units, now, hash_key)

    def _throughput(self, table: Any, now: float, *, writes: bool, index: Any = None) -> Throughput:
        name = full_name(table)
        key = name, None if index is None else index.name, writes
        found = self._throughputs.get(key)
        if found is None:
            configured = self._configured.get(name, {})
            provisioned, ceiling, warm = None, None, None
            if not _on_demand(table):
                units = (table if index is None else index).throughput
                provisioned = int(units["WriteCapacityUnits" if writes else "ReadCapacityUnits"])
            elif index is None:
                ceiling = configured.get("MaxWriteRequestUnits" if writes else "MaxReadRequestUnits")
                warm = configured.get("WriteUnitsPerSecond" if writes else "ReadUnitsPerSecond")
            found = Throughput(now, writes=writes, provisioned=provisioned, ceiling=ceiling, warm=warm)
            self._throughputs[key] = found
        return found


def throttled(direction: str, table: Any, reason: str, index: Any = None) -> AwsError:
    """The error if nothing in a request could be done; `direction` is Read or Write."""
    scope, arn = ("Table", table.table_arn) if index is None else ("Index", f"{table.table_arn}/index/{index.name}")
    details = {"ThrottlingReasons": [{"reason": f"{scope}{direction}{reason}", "resource": arn}]}
    return AwsError("ProvisionedThroughputExceededException", THROTTLED[reason], details=details)


def cancellation(reasons: Sequence[str | None]) -> AwsError:
    """The error for a transaction with refused actions: one reason or None per action, in order."""
    content: list[dict[str, str]] = []
    for reason in reasons:
        if reason is None:
            content.append({"Code": "None"})
        else:
            code = reason if reason == PROVISIONED else "ThrottlingError"
            content.append({"Code": code, "Message": THROTTLED[reason]})
    codes = ", ".join(each["Code"] for each in content)
    text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return AwsError("TransactionCanceledException", text, details={"CancellationReasons": content})


def _on_demand(table: Any) -> bool:
    return bool(table.billing_mode == "PAY_PER_REQUEST")
