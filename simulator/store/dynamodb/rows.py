"""The rows of one table, kept as the JSON they came in: small, quick to write, and joined rather than built for a read.

moto keeps an object per attribute; here a stored row is one `bytes`. `Rows` is also the mapping that moto's own code
expects in `Table.items` (partition key -> sort key -> Item), and builds moto's Items on demand. After a request,
`settle` turns those that moto may have changed back into bytes, and `take_back` undoes a request that failed.
"""

from __future__ import annotations

import base64
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from simulator.base.sorted_dict import SortedDict

Key = str | Decimal | bytes | None


class UnstorableRow(Exception):
    """moto stored something that is not a DynamoDB value; the row is what it was before."""


def key_value(kind: str, value: Any) -> Key:
    """A key attribute's value, which compares and sorts as in DynamoDB: text, number or bytes."""
    if kind == "S":
        return str(value)
    if kind == "N":
        return Decimal(value)
    return value if isinstance(value, bytes) else base64.b64decode(value)


class Rows(MutableMapping[Any, Any]):
    """All rows of a table whose key attributes have the types `hash_type` and `range_type` (None: no sort key).

    `partitions` holds them by partition key and sort key; without a sort key there is a single row under None.
    `as_stored` turns a row that moto wrote into the row to keep.
    """

    def __init__(
        self, hash_type: str, range_type: str | None, as_stored: Callable[[bytes], bytes] = lambda row: row
    ) -> None:
        self.partitions = SortedDict({})
        self.count = 0
        self._hash_type = hash_type
        self._range_type = range_type
        self._as_stored = as_stored
        # The rows that moto borrowed, stored or removed in the current request, as they were before; None: no row.
        self._lent: dict[tuple[Key, Key], bytes | None] = {}

    # For the fast paths: keys are plain values, rows are bytes.

    def put(self, hash_key: Key, sort_key: Key, row: bytes) -> None:
        """Store a row, replacing one with the same key."""
        partition = self.partitions.entries.get(hash_key)
        if partition is None:
            self.partitions.put(hash_key, SortedDict({sort_key: row}))
            self.count += 1
        elif partition.put(sort_key, row):
            self.count += 1

    def get(self, hash_key: Any, default: Any = None) -> Any:
        """Mapping's `get`, for moto."""
        return self[hash_key] if hash_key in self else default  # noqa: SIM401 this is that `get`

    def partition(self, hash_key: Key) -> SortedDict:
        """The rows of a partition key by sort key; an empty mapping if there are none."""
        found: SortedDict = self.partitions.entries.get(hash_key) or SortedDict({})
        return found

    def row(self, hash_key: Key, sort_key: Key) -> bytes | None:
        """One row, or None."""
        partition = self.partitions.entries.get(hash_key)
        found = None if partition is None else partition.entries.get(sort_key)
        return found if found is None or isinstance(found, bytes) else encode_item(found)

    def drop(self, hash_key: Key, sort_key: Key) -> bool:
        """Remove a row; False if there is none."""
        partition = self.partitions.entries.get(hash_key)
        if partition is None or sort_key not in partition.entries:
            return False
        partition.drop(sort_key)
        self.count -= 1
        if not partition.entries:
            self.partitions.drop(hash_key)
        return True

    def walk(
        self, after: tuple[Key, Key] | None, wanted: Callable[[Any], bool] | None = None
    ) -> Iterator[tuple[Key, Key, bytes]]:
        """Rows in key order, after `after`; `wanted` chooses partitions by their key."""
        order = self.partitions.order()
        start = 0 if after is None else bisect_left(order, after[0])
        for hash_key in order[start:]:
            if wanted is not None and not wanted(hash_key):
                continue
            partition = self.partitions.entries[hash_key]
            keys = partition.order()
            if after is not None and hash_key == after[0]:
                keys = () if after[1] is None else keys[bisect_right(keys, after[1]) :]
            for sort_key in keys:
                row = partition.entries[sort_key]
                yield hash_key, sort_key, row if isinstance(row, bytes) else encode_item(row)

    # For moto's use as `Table.items`.

    def __getitem__(self, hash_type: Any) -> Any:
        hash_key = key_value(self._hash_type, hash_type.value)
        if self._range_type is not None:
            return PartitionView(self, hash_key)
        return self.lend(hash_key, None)

    def __setitem__(self, hash_type: Any, item: Any) -> None:
        self.put_item(key_value(self._hash_type, hash_type.value), None, item)

    def __delitem__(self, hash_type: Any) -> None:
        hash_key = key_value(self._hash_type, hash_type.value)
        for sort_key in list(self.partitions.entries[hash_key].entries):
            self.remove(hash_key, sort_key)

    def __contains__(self, hash_type: Any) -> bool:
        return key_value(self._hash_type, hash_type.value) in self.partitions.entries

    def __iter__(self) -> Iterator[Any]:
        from moto.dynamodb.models.dynamo_type import DynamoType

        return (DynamoType({self._hash_type: _wire(key)}) for key in self.partitions.order())

    def __len__(self) -> int:
        return len(self.partitions.entries)

    def __deepcopy__(self, memo: dict[int, Any]) -> Rows:
        self.settle()
        copied = Rows(self._hash_type, self._range_type, self._as_stored)
        copied.count = self.count
        for hash_key, partition in self.partitions.entries.items():
            copied.partitions.put(hash_key, SortedDict(dict(partition.entries)))
        return copied

    def items_in_order(self) -> list[Any]:
        """Every row as a moto Item that is not kept, for moto's reads."""
        return [decode_item(self, *each) for each in self.walk(None)]

    def put_item(self, hash_key: Key, sort_key: Key, item: Any) -> None:
        """Store a moto Item; `settle` turns it into bytes."""
        self._remember(hash_key, sort_key)
        self.put(hash_key, sort_key, item)

    def remove(self, hash_key: Key, sort_key: Key) -> bool:
        """Remove a row for moto; False if there is none."""
        self._remember(hash_key, sort_key)
        return self.drop(hash_key, sort_key)

    def lend(self, hash_key: Key, sort_key: Key) -> Any:
        """The row as a moto Item that moto may change until `settle`. Raises KeyError."""
        partition = self.partitions.entries[hash_key].entries
        row = partition[sort_key]
        if isinstance(row, bytes):
            self._remember(hash_key, sort_key)
            row = partition[sort_key] = decode_item(self, hash_key, sort_key, row)
        return row

    def settle(self) -> None:
        """Turn lent rows back into bytes, at the end of a request that moto answered.

        Raises `UnstorableRow`; rows that cannot be converted get their previous content, and all others are settled.
        """
        unstorable: list[tuple[Key, Key]] = []
        lent, self._lent = self._lent, {}
        for (hash_key, sort_key), before in lent.items():
            partition = self.partition(hash_key)
            row = partition.entries.get(sort_key)
            if row is None or isinstance(row, bytes):
                continue
            try:
                encoded = encode_item(row)
                if encoded != before:
                    encoded = self._as_stored(encoded)
                    # An unreadable row would spoil every later read of the table.
                    decode_item(self, hash_key, sort_key, encoded)
                partition.entries[sort_key] = encoded
            except (TypeError, ValueError, AttributeError):
                unstorable.append((hash_key, sort_key))
                self._restore(hash_key, sort_key, before)
        if unstorable:
            raise UnstorableRow(f"no row could be made of the items {unstorable}")

    def take_back(self) -> None:
        """Restore every row that moto borrowed: its request failed, and stores nothing."""
        lent, self._lent = self._lent, {}
        for (hash_key, sort_key), before in lent.items():
            self._restore(hash_key, sort_key, before)

    def _remember(self, hash_key: Key, sort_key: Key) -> None:
        if (hash_key, sort_key) not in self._lent:
            self._lent[hash_key, sort_key] = self.partition(hash_key).entries.get(sort_key)

    def _restore(self, hash_key: Key, sort_key: Key, before: bytes | None) -> None:
        if before is None:
            self.drop(hash_key, sort_key)
        else:
            self.put(hash_key, sort_key, before)

    def key_types(self, hash_key: Key, sort_key: Key) -> tuple[Any, Any]:
        """The keys as moto's DynamoType."""
        from moto.dynamodb.models.dynamo_type import DynamoType

        sort = None if self._range_type is None else DynamoType({self._range_type: _wire(sort_key)})
        return DynamoType({self._hash_type: _wire(hash_key)}), sort


@dataclass(eq=False, slots=True)
class PartitionView(MutableMapping[Any, Any]):
    """One partition as moto sees it: sort key -> Item. A missing one is empty, as in moto's defaultdict."""

    rows: Rows
    hash_key: Key

    def __getitem__(self, sort_type: Any) -> Any:
        return self.rows.lend(self.hash_key, key_value(sort_type.type, sort_type.value))

    def __setitem__(self, sort_type: Any, item: Any) -> None:
        self.rows.put_item(self.hash_key, key_value(sort_type.type, sort_type.value), item)

    def __delitem__(self, sort_type: Any) -> None:
        if not self.rows.remove(self.hash_key, key_value(sort_type.type, sort_type.value)):
            raise KeyError(sort_type)

    def __iter__(self) -> Iterator[Any]:
        return (self.rows.key_types(self.hash_key, key)[1] for key in list(self._sorted.order()))

    def __len__(self) -> int:
        return len(self._sorted.entries)

    @property
    def _sorted(self) -> SortedDict:
        return self.rows.partition(self.hash_key)


def decode_item(rows: Rows, hash_key: Key, sort_key: Key, row: bytes) -> Any:
    """A stored row as a moto Item."""
    from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

    item: Any = Item.__new__(Item)
    item.hash_key, item.range_key = rows.key_types(hash_key, sort_key)
    attributes = LimitedSizeDict.__new__(LimitedSizeDict)
    for name, value in orjson.loads(row).items():
        # Stored rows were measured already; LimitedSizeDict would measure again for every attribute.
        dict.__setitem__(attributes, name, DynamoType(parsed(value)))
    item.attrs = attributes
    return item


def parsed(typed: dict[str, Any]) -> dict[str, Any]:
    """An attribute as moto's request parser passes it on: binary values are bytes."""
    ((kind, value),) = typed.items()
    if kind == "B":
        return {kind: base64.b64decode(value)}
    if kind == "BS":
        return {kind: [base64.b64decode(element) for element in value]}
    if kind == "L":
        return {kind: [parsed(element) for element in value]}
    if kind == "M":
        return {kind: {name: parsed(element) for name, element in value.items()}}
    return typed


def encode_item(item: Any) -> bytes:
    """A moto Item as a stored row."""
    return encode_attributes(item.attrs)


def encode_attributes(attributes: Mapping[str, Any]) -> bytes:
    """Attributes in moto's form, name -> DynamoType, as DynamoDB's JSON. Raises TypeError if one has no JSON form."""
    return orjson.dumps(attributes, default=_plain)


def _plain(value: Any) -> Any:
    """The JSON form of a value in moto's item, at any level. Raises TypeError for what DynamoDB does not have."""
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    kind, held = getattr(value, "type", None), value.value  # a DynamoType, or boto3's Binary, which has no type
    if kind is None:
        return held
    # moto's older update treats every value as text.
    return {"B" if isinstance(held, bytes) else kind: held}


def _wire(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
