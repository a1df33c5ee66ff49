"""Reads of DynamoDB on `Rows`: GetItem, Scan and Query of a table.

What an index or an older parameter asks for is moto's. A page ends, as AWS's does, at 1 MB of items; a filter is
moto's too, but looks at the page alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import md5
from itertools import islice
from typing import Any

import orjson

from simulator.base.limits import DYNAMODB_PAGE_BYTES
from simulator.store.dynamodb.batch_writes import keys_of
from simulator.store.dynamodb.items import item_size, read_units
from simulator.store.dynamodb.moto_table import rows_of
from simulator.store.dynamodb.rows import Key, Partition, Rows, decode_item, key_value
from simulator.store.dynamodb.tables import Tables, consumed
from simulator.store.wire.aws_errors import AwsError

_PAGE = {"TableName", "Limit", "ExclusiveStartKey", "ConsistentRead", "ReturnConsumedCapacity", "Select"}
_EXPRESSIONS = {"FilterExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"}
_SCAN = _PAGE | _EXPRESSIONS | {"ProjectionExpression", "Segment", "TotalSegments"}
_QUERY = _PAGE | _EXPRESSIONS | {"KeyConditionExpression", "ScanIndexForward"}
_GET = {"TableName", "Key", "ConsistentRead", "ReturnConsumedCapacity"}
_SELECTS = (None, "ALL_ATTRIBUTES", "COUNT")

Parameters = Mapping[str, Any]
Row = tuple[Key, Key, bytes]


class TableReads:
    """Reads of the tables of one store; answers are JSON text, because rows already are."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get(self, parameters: Parameters) -> bytes | None:
        """The answer to a plain GetItem; None where moto must give it."""
        table = self._table(parameters, _GET)
        key = parameters.get("Key")
        if table is None or not isinstance(key, dict) or len(key) != len(table.table_key_attrs):
            return None
        try:
            hash_key, sort_key = keys_of(table, key)
        except AwsError:
            return None
        self._tables.admit_read(table, self._tables.clock.now(), hash_key)
        row = _rows(table).row(hash_key, sort_key)
        size = 0 if row is None else _size(row)
        capacity = self._charge(table, parameters, size, 0.5, hash_key)
        return b"{%b}" % b",".join(filter(None, (b'"Item":' + row if row else b"", capacity)))

    def scan(self, parameters: Parameters) -> bytes | None:
        """The answer to a Scan of the table itself; None where moto must give it."""
        table = self._table(parameters, _SCAN)
        if table is None or parameters.get("Select") not in _SELECTS:
            return None
        try:
            names, shown = _projection(parameters)
            keeps, filtered = _filter(parameters)
            _check_names(parameters, shown | filtered)
            after = self._start(table, parameters)
            wanted = _segment(parameters)
        except (AwsError, ValueError):
            return None
        if (parameters.get("Select") and names is not None) or (keeps is None and _values(parameters)):
            return None
        self._tables.admit_read(table, self._tables.clock.now())
        return self._page(table, parameters, _rows(table).walk(after, wanted), names, keeps, None)

    def query(self, parameters: Parameters) -> bytes | None:
        """The answer to a Query of the table itself by a key condition; None where moto must give it."""
        table = self._table(parameters, _QUERY)
        if table is None or table.range_key_attr is None or parameters.get("Select") not in _SELECTS:
            return None
        try:
            keeps, filtered = _filter(parameters)
            condition = _key_condition(table, parameters, filtered)
            after = self._start(table, parameters)
        except (AwsError, ValueError):
            return None
        if condition is None:
            return None
        hash_key, bounds, prefix = condition
        self._tables.admit_read(table, self._tables.clock.now(), hash_key)
        partition = _rows(table).partitions.get(hash_key)
        forward = parameters.get("ScanIndexForward", True)
        rows = () if partition is None else _in_partition(hash_key, partition, bounds, prefix, after, forward)
        return self._page(table, parameters, rows, None, keeps, hash_key)

    def _table(self, parameters: Parameters, allowed: set[str]) -> Any:
        if not allowed.issuperset(parameters):
            return None
        known = parameters.get("ReturnConsumedCapacity") in (None, "NONE", "TOTAL", "INDEXES")
        return self._tables.named(parameters.get("TableName")) if known else None

    def _start(self, table: Any, parameters: Parameters) -> tuple[Key, Key] | None:
        start = parameters.get("ExclusiveStartKey")
        if start is None:
            return None
        if not isinstance(start, dict) or len(start) != len(table.table_key_attrs):
            raise ValueError(start)
        return keys_of(table, start)

    def _page(
        self,
        table: Any,
        parameters: Parameters,
        rows: Iterable[Row],
        names: set[str] | None,
        keeps: Callable[[Any], bool] | None,
        hash_key: Key,
    ) -> bytes | None:
        limit = parameters.get("Limit")
        if limit is not None and (not isinstance(limit, int) or limit < 1):
            return None
        taken, size, last = _take_page(rows, limit)
        try:
            kept = [row for _, _, row in taken] if keeps is None else _kept(taken, _rows(table), keeps)
        except Exception:  # noqa: BLE001 moto's conditions raise what they like; its own answer to the same follows
            return None
        counting = parameters.get("Select") == "COUNT"
        parts = [b'"Count":%d,"ScannedCount":%d' % (len(kept), len(taken))]
        if not counting:
            bodies = kept if names is None else [_project(row, names) for row in kept]
            parts.append(b'"Items":[%b]' % b",".join(bodies))
        if last is not None:
            parts.append(b'"LastEvaluatedKey":' + _written_key(table, *last))
        parts.append(self._charge(table, parameters, size, 1.0, hash_key))
        return b"{%b}" % b",".join(filter(None, parts))

    def _charge(self, table: Any, parameters: Parameters, size: int, as_moto: float, hash_key: Key) -> bytes:
        units = read_units(size, consistent=bool(parameters.get("ConsistentRead")))
        self._tables.charge_read(table, units, self._tables.clock.now(), hash_key)
        capacity = consumed(parameters, {table.name: units if self._tables.strict else as_moto})
        return b"" if capacity is None else b'"ConsumedCapacity":' + orjson.dumps(capacity[0])


def _rows(table: Any) -> Rows:
    rows = rows_of(table)
    assert rows is not None  # noqa: S101 `_table` has looked
    return rows


def _size(row: bytes) -> int:
    # Up to 4 KB all sizes cost the same, and no item is larger than its JSON.
    return len(row) if len(row) <= 4_096 else item_size(orjson.loads(row))


def _take_page(rows: Iterable[Row], limit: int | None) -> tuple[list[Row], int, tuple[Key, Key] | None]:
    """Rows of one page, their size, and the last one's key if there are more."""
    taken: list[Row] = []
    size = json_size = 0
    exact = False
    last: tuple[Key, Key] | None = None
    for hash_key, sort_key, row in rows:
        if limit is not None and len(taken) == limit:
            return taken, size, last
        json_size += len(row)
        if not exact and json_size > DYNAMODB_PAGE_BYTES:
            # Items are smaller than their JSON; only from here on can the page be full.
            exact, size = True, sum(item_size(orjson.loads(earlier)) for _, _, earlier in taken)
        grown = size + (item_size(orjson.loads(row)) if exact else len(row))
        if exact and taken and grown > DYNAMODB_PAGE_BYTES:
            return taken, size, last
        size = grown
        taken.append((hash_key, sort_key, row))
        last = hash_key, sort_key
    if not exact:
        size = sum(item_size(orjson.loads(row)) for _, _, row in taken) if size > 4_096 else size
    return taken, size, None


def _written_key(table: Any, hash_key: Key, sort_key: Key) -> bytes:
    hash_type, sort_type = _rows(table).key_types(hash_key, sort_key)
    key = {table.hash_key_attr: {hash_type.type: hash_type.value}}
    if sort_type is not None:
        key[table.range_key_attr] = {sort_type.type: sort_type.value}
    return orjson.dumps(key)


def _kept(taken: list[Row], rows: Rows, keeps: Callable[[Any], bool]) -> list[bytes]:
    """What a filter leaves of a page."""
    return [row for hash_key, sort_key, row in taken if keeps(decode_item(row, rows, hash_key, sort_key))]


def _values(parameters: Parameters) -> dict[str, Any]:
    values: dict[str, Any] = parameters.get("ExpressionAttributeValues") or {}
    return values


def _check_names(parameters: Parameters, used: set[str]) -> None:
    """Raise ValueError where moto would find a name that no expression uses, or that is missing."""
    if set(parameters.get("ExpressionAttributeNames") or {}) != used:
        raise ValueError(used)


def _filter(parameters: Parameters) -> tuple[Callable[[Any], bool] | None, set[str]]:
    """The filter by moto's own parser, and the names it uses. Raises ValueError where moto must say what is wrong."""
    expression = parameters.get("FilterExpression")
    if expression is None:
        return None, set()
    from moto.dynamodb.comparisons import create_condition_expression_parser

    names = parameters.get("ExpressionAttributeNames") or {}
    try:
        parser: Any = create_condition_expression_parser(expression, names, _values(parameters))
        condition = parser.parse()
    except Exception as error:
        # Whatever moto's parser stumbles over, moto's answer will say.
        raise ValueError(expression) from error
    if expression == "":
        raise ValueError(expression)
    # moto counts plain names among them.
    return condition.expr, {name for name in parser.expr_attr_names_found if name.startswith("#")}


def _projection(parameters: Parameters) -> tuple[set[str] | None, set[str]]:
    """Top-level attribute names (None: all) and the placeholders; ValueError where moto's own parser must look."""
    expression, placeholders = parameters.get("ProjectionExpression"), parameters.get("ExpressionAttributeNames") or {}
    if expression is None:
        return None, set()
    tokens = [token.strip() for token in expression.split(",")]
    # A bare name may be a reserved word.
    if len(set(tokens)) != len(tokens) or not all(token in placeholders for token in tokens):
        raise ValueError(expression)
    return {placeholders[token] for token in tokens}, set(tokens)


def _project(row: bytes, names: set[str]) -> bytes:
    return orjson.dumps({name: value for name, value in orjson.loads(row).items() if name in names})


def _segment(parameters: Parameters) -> Callable[[Any], bool] | None:
    """Which partition keys belong to a parallel scan's segment, as moto divides them."""
    segment, total = parameters.get("Segment"), parameters.get("TotalSegments")
    if segment is None and total is None:
        return None
    if not isinstance(segment, int) or not isinstance(total, int) or not 0 <= segment < total <= 1_000_000:
        raise ValueError(segment)
    return lambda key: md5(str(key).encode(), usedforsecurity=False).digest()[0] % total == segment


def _key_condition(
    table: Any, parameters: Parameters, filtered: set[str]
) -> tuple[Key, tuple[Any, Any, bool, bool], str | None] | None:
    """Partition key, bounds of the sort key (low, high, whether open) and a prefix, by moto's own parser."""
    from moto.dynamodb.exceptions import MockValidationException
    from moto.dynamodb.parsing.key_condition_expression import parse_expression

    names = parameters.get("ExpressionAttributeNames") or {}
    values = _values(parameters)
    try:
        hashes, ranges, used = parse_expression(
            key_condition_expression=parameters["KeyConditionExpression"],
            expression_attribute_names=names,
            expression_attribute_values=values,
            schema=table.schema,
        )
    except (MockValidationException, KeyError, TypeError, AttributeError, IndexError):
        return None
    if set(names) != set(used) | filtered or len(hashes) != 1 or len(ranges) > 1:
        return None
    hash_typed = _typed(hashes[0][1])
    if hash_typed is None or hash_typed[0] != table.hash_key_type:
        return None
    hash_key = key_value(*hash_typed)
    if not ranges:
        return hash_key, (None, None, False, False), None
    _, comparison, raw_operands = ranges[0]
    operands = [_typed(operand) for operand in raw_operands]
    if any(operand is None or operand[0] != table.range_key_type for operand in operands):
        return None
    keys = [key_value(*operand) for operand in operands if operand is not None]
    if comparison.upper() == "BEGINS_WITH":
        return (hash_key, (keys[0], None, False, False), keys[0]) if isinstance(keys[0], str) else None
    bounds = _bounds(comparison.upper(), keys)
    return None if bounds is None else (hash_key, bounds, None)


def _typed(operand: Any) -> tuple[str, Any] | None:
    if isinstance(operand, dict) and len(operand) == 1:
        return next(iter(operand.items()))
    kind = getattr(operand, "type", None)
    return None if kind is None else (kind, operand.value)


def _bounds(comparison: str, keys: list[Any]) -> tuple[Any, Any, bool, bool] | None:
    first = keys[0]
    table = {
        "=": (first, first, False, False),
        "<": (None, first, False, True),
        "<=": (None, first, False, False),
        ">": (first, None, True, False),
        ">=": (first, None, False, False),
        "BETWEEN": (first, keys[-1], False, False),
    }
    return table.get(comparison)


def _in_partition(
    hash_key: Key,
    partition: Partition,
    bounds: tuple[Any, Any, bool, bool],
    prefix: str | None,
    after: tuple[Key, Key] | None,
    forward: bool,
) -> Iterator[tuple[Key, Key, bytes]]:
    low, high, low_open, high_open = bounds
    start, stop = partition.between(low, high, low_open=low_open, high_open=high_open)
    order = partition.order()
    if after is not None:
        if forward:
            start = max(start, partition.between(None, after[1])[1])
        else:
            stop = min(stop, partition.between(after[1], None)[0])
    if prefix is not None:
        # Behind the last key with the prefix, no other has it.
        others = (n for n, key in enumerate(islice(order, start, stop)) if not key.startswith(prefix))
        stop = start + next(others, stop - start)
    positions = range(start, stop) if forward else range(stop - 1, start - 1, -1)
    for position in positions:
        sort_key = order[position]
        row = partition.rows[sort_key]
        yield hash_key, sort_key, row
