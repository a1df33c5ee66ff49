"""The tables of one store, and what every way to answer a request does with them: find, throttle, count, report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.base.clock import Clock
from simulator.store.counting.tallies import TableActivity, Tallies
from simulator.store.dynamodb.moto_table import full_name, rows_of
from simulator.store.dynamodb.rows import Key
from simulator.store.dynamodb.rules import WriteOperation, row_units
from simulator.store.dynamodb.throttles import Throttles, throttled
from simulator.store.moto.application import LeftToMoto
from simulator.store.wire.messages import Parameters

CAPACITY_WISHES = (None, "NONE", "TOTAL", "INDEXES")
"""The allowed values of ReturnConsumedCapacity."""
_SELECTS = (None, "ALL_ATTRIBUTES", "COUNT")


@dataclass(frozen=True, slots=True)
class Tables:
    """`tables` returns moto's tables by name; `strict`: apply AWS's rules where moto lacks them."""

    tables: Callable[[], Mapping[str, Any]]
    tallies: Tallies
    throttles: Throttles
    clock: Clock
    strict: bool

    def named(self, name: Any) -> Any:
        """The table of that name if we keep its rows; None: leave the lookup to moto."""
        table = self.tables().get(name) if isinstance(name, str) else None
        return table if table is not None and rows_of(table) is not None else None

    def plain(self, parameters: Parameters, allowed: set[str]) -> Any:
        """The table of a request with no other parameters than the allowed ones. Raises `LeftToMoto`."""
        table = self.named(parameters.get("TableName"))
        known = parameters.get("ReturnConsumedCapacity") in CAPACITY_WISHES and parameters.get("Select") in _SELECTS
        LeftToMoto.when(table is None or not known or not allowed.issuperset(parameters))
        return table

    def admit_read(self, table: Any, now: float, hash_key: Key = None, index: Any = None) -> None:
        """Raise if another read of the table, or of its global `index`, is refused now."""
        reason = self.throttles.read(table, now, hash_key, index)
        if reason is not None:
            self.activity(table).throttled_requests += 1
            raise throttled("Read", table, reason, index)

    def charge_read(self, table: Any, units: float, now: float, hash_key: Key = None, index: Any = None) -> None:
        """Charge `units` for a read that was answered."""
        self.activity(table).read_units += units
        self.throttles.charge(table, units, now, hash_key, writes=False, index=index)

    def admit_write(self, write: WriteOperation, now: float, factor: int = 1) -> str | None:
        """Consume the capacity for a write before it happens, or return the reason why not.

        Its units become those of the larger of the item before and after; `factor` times them are consumed.
        """
        old = stored_row(write)
        if old is not None and len(old) > 1_024:
            write.replaces(row_units(old))
        return self.throttles.write(write.table, write.hash_key, factor * write.units, now)

    def admit_single(self, write: WriteOperation, now: float) -> None:
        """Consume the capacity for a request's only write. Raises if it is refused."""
        reason = self.admit_write(write, now)
        if reason is not None:
            self.activity(write.table).throttled_requests += 1
            raise throttled("Write", write.table, reason)

    def admit_batch(self, writes: Iterable[WriteOperation], now: float) -> tuple[list[WriteOperation], dict[str, Any]]:
        """The operations that the limits allow, and, by table, the others as written. Raises if none is allowed."""
        kept: list[WriteOperation] = []
        unprocessed: dict[str, Any] = {}
        for write in writes:
            reason = self.admit_write(write, now)
            if reason is None:
                kept.append(write)
            else:
                refused = write.table, reason
                unprocessed.setdefault(write.table_name, []).append(write.request)
        if unprocessed and not kept:
            for name, requests in unprocessed.items():
                activity = self._activity(name)
                activity.throttled_requests += 1
                activity.unprocessed_items += len(requests)
            raise throttled("Write", *refused)
        return kept, unprocessed

    def wrote_batch(
        self, names: Iterable[str], kept: Iterable[WriteOperation], unprocessed: Mapping[str, Any], now: float
    ) -> dict[str, int]:
        """Count a batch that was carried out; returns units by table, for the tables that the request named."""
        units, puts = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
        for write in kept:
            units[write.table_name] += write.units
            puts[write.table_name] += write.row is not None
        for name, cost in units.items():
            self._activity(name).wrote_batch(puts[name], len(unprocessed.get(name, ())), cost, now)
        return units

    def activity(self, table: Any) -> TableActivity:
        """The figures of one table."""
        return self.tallies.tables[full_name(table)]

    def _activity(self, name: str) -> TableActivity:
        # A batch may name its tables by their ARNs.
        return self.activity(self.tables()[name.rsplit("/", 1)[-1]])


def stored_row(write: WriteOperation) -> bytes | None:
    """The current row that a write would replace."""
    rows = rows_of(write.table)
    return None if rows is None else rows.row(write.hash_key, write.sort_key)


def consumed(parameters: Parameters, units: Mapping[str, float], direction: str | None = None) -> list[dict[str, Any]]:
    """ConsumedCapacity by table, as far as the request asks for it; empty if it does not.

    With `direction` (`ReadCapacityUnits`, `WriteCapacityUnits`), also the units of that kind.
    """
    wish = parameters.get("ReturnConsumedCapacity")
    capacity: list[dict[str, Any]] = []
    for name, cost in units.items() if wish in ("TOTAL", "INDEXES") else ():
        usage = dict.fromkeys(filter(None, ("CapacityUnits", direction)), float(cost))
        capacity.append({"TableName": name, **usage} | ({"Table": usage} if wish == "INDEXES" else {}))
    return capacity
