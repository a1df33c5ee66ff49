"""Reads of DynamoDB from `Rows`: GetItem, BatchGetItem, Scan and Query of a table.

Each returns JSON text, which rows already are, or raises `LeftToMoto`, as for an index or an older parameter. A page
ends at 1 MB of items, as on AWS; moto also evaluates filters, but only on that page.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from hashlib import md5
from typing import Any

import orjson

from simulator.base.limits import DYNAMODB_BATCH_GET_BYTES, DYNAMODB_BATCH_KEYS, DYNAMODB_PAGE_BYTES
from simulator.base.sorted_dict import SortedDict
from simulator.store.dynamodb.rows import Key, decode_item, encode_attributes, key_value, parsed
from simulator.store.dynamodb.rules import keys_of, read_units, rows_size
from simulator.store.dynamodb.tables import Tables, consumed
from simulator.store.moto.application import LeftOn, LeftToMoto
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Parameters

_PAGE = {"TableName", "Limit", "ExclusiveStartKey", "ConsistentRead", "ReturnConsumedCapacity", "Select"}
_EXPRESSIONS = {"FilterExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"}
_SCAN = _PAGE | _EXPRESSIONS | {"ProjectionExpression", "Segment", "TotalSegments"}
_QUERY = _PAGE | _EXPRESSIONS | {"KeyConditionExpression", "ScanIndexForward"}
_GET = {"TableName", "Key", "ConsistentRead", "ReturnConsumedCapacity"}
_BATCH_OF_ONE = {"Keys", "ConsistentRead"}

Row = tuple[Key, Key, bytes]
Filter = Callable[[Any], bool] | None
Names = set[str] | None


def get(tables: Tables, parameters: Parameters) -> bytes:
    """The answer to a plain GetItem."""
    table = tables.plain(parameters, _GET)
    hash_key, sort_key = _key(table, parameters.get("Key"))
    tables.admit_read(table, tables.clock.now(), hash_key)
    row = table.items.row(hash_key, sort_key)
    size = 0 if row is None else _size(row)
    capacity = _charge(tables, table, parameters, size, 0.5, hash_key)
    return b"{%b}" % b",".join(filter(None, (b'"Item":' + row if row else b"", capacity)))


def batch_get(tables: Tables, parameters: Parameters) -> bytes:
    """The answer to a BatchGetItem of whole items of one table that fit into one answer."""
    asked = parameters.get("RequestItems")
    # Without AWS's rules, the answer has moto's capacity.
    plain = tables.strict and set(parameters) == {"RequestItems"}
    if not plain or not isinstance(asked, dict) or len(asked) != 1:
        raise LeftToMoto
    ((name, wanted),) = asked.items()
    table = tables.named(name)
    LeftToMoto.when(table is None or not isinstance(wanted, dict) or not _BATCH_OF_ONE.issuperset(wanted))
    keys = wanted.get("Keys")
    LeftToMoto.when(not isinstance(keys, list) or not 1 <= len(keys) <= DYNAMODB_BATCH_KEYS)
    places = [_key(table, key) for key in keys]
    rows = [table.items.row(*place) for place in places]
    LeftToMoto.when(len(set(places)) < len(places) or sum(map(len, filter(None, rows))) > DYNAMODB_BATCH_GET_BYTES)
    now = tables.clock.now()
    tables.admit_read(table, now)
    for (hash_key, _), row in zip(places, rows, strict=True):
        units = read_units(_size(row) if row else 0, consistent=bool(wanted.get("ConsistentRead")))
        tables.charge_read(table, units, now, hash_key)
    found = b",".join(row for row in rows if row)
    return b'{"Responses":{%b:[%b]},"UnprocessedKeys":{}}' % (orjson.dumps(name), found)


def scan(tables: Tables, parameters: Parameters) -> bytes:
    """The answer to a Scan of the table itself."""
    table = tables.plain(parameters, _SCAN)
    names, shown = _projection(parameters)
    keeps, filtered = _filter(parameters)
    after, wanted = _start(table, parameters), _segment(parameters)
    # moto reports a name or a value that no expression uses, and one that is missing.
    unused = _names(parameters).keys() != shown | filtered or (keeps is None and _values(parameters))
    LeftToMoto.when(unused or (parameters.get("Select") and names is not None))
    tables.admit_read(table, tables.clock.now())
    return _page(tables, table, parameters, table.items.walk(after, wanted), None, keeps, names)


def query(tables: Tables, parameters: Parameters) -> bytes:
    """The answer to a Query of the table itself by a key condition."""
    table = tables.plain(parameters, _QUERY)
    LeftToMoto.when(table.range_key_attr is None)
    keeps, filtered = _filter(parameters)
    hash_key, bounds, prefix = _key_condition(table, parameters, filtered)
    after = _start(table, parameters)
    tables.admit_read(table, tables.clock.now(), hash_key)
    partition = table.items.partition(hash_key)
    positions = _positions(partition, bounds, prefix, after, parameters.get("ScanIndexForward", True))
    order = partition.order()
    rows = ((hash_key, order[position], partition.entries[order[position]]) for position in positions)
    return _page(tables, table, parameters, rows, hash_key, keeps, None)


def _page(
    tables: Tables, table: Any, parameters: Parameters, rows: Iterable[Row], hash_key: Key, keeps: Filter, names: Names
) -> bytes:
    limit = parameters.get("Limit")
    LeftToMoto.when(limit is not None and (not isinstance(limit, int) or limit < 1))
    taken, size, more = _take_page(rows, limit)
    with LeftOn(Exception):  # moto's conditions raise what they like
        kept = [each[2] for each in taken if keeps is None or keeps(decode_item(table.items, *each))]
    parts = [b'"Count":%d,"ScannedCount":%d' % (len(kept), len(taken))]
    if parameters.get("Select") != "COUNT":
        bodies = kept if names is None else [_project(row, names) for row in kept]
        parts.append(b'"Items":[%b]' % b",".join(bodies))
    if more:
        keys = zip((table.hash_key_attr, table.range_key_attr), table.items.key_types(*taken[-1][:2]), strict=True)
        last = {name: key for name, key in keys if key is not None}
        parts.append(b'"LastEvaluatedKey":' + encode_attributes(last))
    parts.append(_charge(tables, table, parameters, size, 1.0, hash_key))
    return b"{%b}" % b",".join(filter(None, parts))


def _charge(tables: Tables, table: Any, parameters: Parameters, size: int, as_moto: float, hash_key: Key) -> bytes:
    units = read_units(size, consistent=bool(parameters.get("ConsistentRead")))
    tables.charge_read(table, units, tables.clock.now(), hash_key)
    capacity = consumed(parameters, {table.name: units if tables.strict else as_moto})
    return b'"ConsumedCapacity":' + orjson.dumps(capacity[0]) if capacity else b""


def _size(row: bytes) -> int:
    # Up to 4 KB all sizes cost the same, and no item is larger than its JSON.
    return len(row) if len(row) <= 4_096 else rows_size((row,))


def _take_page(rows: Iterable[Row], limit: int | None) -> tuple[list[Row], int, bool]:
    """Rows of one page, their size, and whether there are more."""
    taken: list[Row] = []
    size = measured = at_most = 0
    more = False
    for each in rows:
        if len(taken) == limit:
            more = True
            break
        length = len(each[2])
        if at_most + length > DYNAMODB_PAGE_BYTES:
            # Items are smaller than their JSON, whose size was counted so far.
            size, measured = size + _measure(taken[measured:]), len(taken)
            at_most = size
            if taken and at_most + length > DYNAMODB_PAGE_BYTES:
                length = _measure((each,))
                if at_most + length > DYNAMODB_PAGE_BYTES:
                    more = True
                    break
        taken.append(each)
        at_most += length
    return taken, at_most if at_most <= 4_096 else size + _measure(taken[measured:]), more


def _measure(rows: Iterable[Row]) -> int:
    return rows_size([row for _, _, row in rows])


def _key(table: Any, key: Any) -> tuple[Key, Key]:
    LeftToMoto.when(not isinstance(key, dict) or len(key) != len(table.table_key_attrs))
    with LeftOn(AwsError):
        return keys_of(table, key)


def _start(table: Any, parameters: Parameters) -> tuple[Key, Key] | None:
    start = parameters.get("ExclusiveStartKey")
    return None if start is None else _key(table, start)


def _names(parameters: Parameters) -> Mapping[str, str]:
    return parameters.get("ExpressionAttributeNames") or {}


def _values(parameters: Parameters) -> Mapping[str, Any]:
    return parameters.get("ExpressionAttributeValues") or {}


def _filter(parameters: Parameters) -> tuple[Filter, set[str]]:
    """The filter, parsed by moto, and the placeholders of names that it uses."""
    expression = parameters.get("FilterExpression")
    if expression is None:
        return None, set()
    # moto refuses values without their colon.
    LeftToMoto.when(expression == "" or not all(name.startswith(":") for name in _values(parameters)))
    from moto.dynamodb.comparisons import create_condition_expression_parser

    with LeftOn(Exception):  # whatever moto's parser stumbles over
        # moto's request parser turns binary values into bytes, which is how the items have them.
        values = {name: parsed(value) for name, value in _values(parameters).items()}
        names = dict(_names(parameters))
        parser: Any = create_condition_expression_parser(expression, names, values)
        condition = parser.parse()
    # moto includes plain names.
    return condition.expr, {name for name in parser.expr_attr_names_found if name.startswith("#")}


def _projection(parameters: Parameters) -> tuple[Names, set[str]]:
    """Top-level attribute names (None: all) and their placeholders."""
    expression, placeholders = parameters.get("ProjectionExpression"), _names(parameters)
    if expression is None:
        return None, set()
    tokens = [token.strip() for token in expression.split(",")]
    # A bare name may be a reserved word.
    LeftToMoto.when(len(set(tokens)) != len(tokens) or not all(token in placeholders for token in tokens))
    return {placeholders[token] for token in tokens}, set(tokens)


def _project(row: bytes, names: set[str]) -> bytes:
    return orjson.dumps({name: value for name, value in orjson.loads(row).items() if name in names})


def _segment(parameters: Parameters) -> Callable[[Any], bool] | None:
    """Which partition keys belong to a parallel scan's segment, divided as moto does."""
    segment, total = parameters.get("Segment"), parameters.get("TotalSegments")
    if segment is None and total is None:
        return None
    if not isinstance(segment, int) or not isinstance(total, int) or not 0 <= segment < total <= 1_000_000:
        raise LeftToMoto
    return lambda key: md5(str(key).encode(), usedforsecurity=False).digest()[0] % total == segment


def _key_condition(table: Any, parameters: Parameters, filtered: set[str]) -> tuple[Key, tuple[Any, ...], str | None]:
    """Partition key, bounds of the sort key for `SortedDict.between`, and a prefix, parsed by moto."""
    from moto.dynamodb.exceptions import MockValidationException
    from moto.dynamodb.parsing.key_condition_expression import parse_expression

    names = _names(parameters)
    with LeftOn(MockValidationException, KeyError, TypeError, AttributeError, IndexError):
        hashes, ranges, used = parse_expression(
            key_condition_expression=parameters["KeyConditionExpression"],
            expression_attribute_names=dict(names),
            expression_attribute_values=dict(_values(parameters)),
            schema=table.schema,
        )
    LeftToMoto.when(set(names) != set(used) | filtered or len(hashes) != 1 or len(ranges) > 1)
    hash_key = _operand(hashes[0][1], table.hash_key_type)
    if not ranges:
        return hash_key, (), None
    _, comparison, operands = ranges[0]
    keys: list[Any] = [_operand(operand, table.range_key_type) for operand in operands]
    first = keys[0]
    if comparison.upper() == "BEGINS_WITH" and isinstance(first, str):
        return hash_key, (first,), first
    bounds: tuple[Any, ...] | None = {
        "=": (first, first),
        "<": (None, first, False, True),
        "<=": (None, first),
        ">": (first, None, True),
        ">=": (first,),
        "BETWEEN": (first, keys[-1]),
    }.get(comparison.upper())
    if bounds is None:
        raise LeftToMoto
    return hash_key, bounds, None


def _operand(operand: Any, kind: str) -> Key:
    """A value of a key condition from moto's parser, if it has the key's type."""
    typed = operand if isinstance(operand, dict) else {getattr(operand, "type", None): getattr(operand, "value", None)}
    LeftToMoto.when(typed.keys() != {kind})
    return key_value(kind, typed[kind])


def _positions(
    partition: SortedDict, bounds: tuple[Any, ...], prefix: str | None, after: tuple[Key, Key] | None, forward: bool
) -> range:
    """The positions of the sort keys to read in a partition's order, in the direction of the read."""
    start, stop = partition.between(*bounds)
    if after is not None:
        if forward:
            start = max(start, partition.between(None, after[1])[1])
        else:
            stop = min(stop, partition.between(after[1])[0])
    if prefix is not None:
        order = partition.order()
        stop = bisect_right(order, prefix, start, max(start, stop), key=lambda key: key[: len(prefix)])
    return range(start, stop) if forward else range(stop - 1, start - 1, -1)
