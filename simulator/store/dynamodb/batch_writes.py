"""BatchWriteItem as AWS validates it: everything first, then nothing or all of it is stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from simulator.base import limits
from simulator.store.dynamodb.items import (
    check_item,
    is_plain_row,
    item_size,
    normalise_number,
    validation,
    write_units,
)
from simulator.store.dynamodb.rows import Key, key_value
from simulator.store.wire.aws_errors import AwsError

_KEY_MISMATCH = "The provided key element does not match the schema"


@dataclass(slots=True)
class WriteOperation:
    """One operation of a batch: `row` is None for a delete; `request` is how the client wrote it."""

    table: Any
    table_name: str
    hash_key: Key
    sort_key: Key
    row: bytes | None
    units: int
    request: Mapping[str, Any]


def check_body(size: int) -> None:
    """A batch's request, as it came, is not too large."""
    if size > limits.DYNAMODB_BATCH_WRITE_BYTES:
        raise AwsError("RequestEntityTooLargeException", "Request size exceeded the limit of 16 MB", status=413)


def plan_batch(items: Any, tables: Mapping[str, Any]) -> list[WriteOperation]:
    """Every write of a batch, checked. Raises the `AwsError` that AWS answers; then nothing has been stored."""
    check_request_sizes(items)
    writes = []
    for table_name, requests in items.items():
        table = tables.get(table_name.rsplit("/", 1)[-1])
        if table is None:
            raise AwsError("ResourceNotFoundException", "Requested resource not found")
        keys = set()
        for request in requests:
            write = plan_write(table, table_name, request)
            keys.add((write.hash_key, write.sort_key))
            writes.append(write)
        if len(keys) != len(requests):
            raise validation("Provided list of item keys contains duplicates")
    return writes


def check_request_sizes(items: Any) -> None:
    """Between 1 and 25 operations, and at least one for every table named."""
    if not isinstance(items, dict):
        raise _broken_constraint("null", "Member must not be null")
    if not items:
        raise _broken_constraint("'{}'", "Member must have length greater than or equal to 1")
    for table_name, requests in items.items():
        if not isinstance(requests, list) or not requests:
            raise _broken_constraint(
                f"'{{{table_name}=[]}}'",
                "Map value must satisfy constraint: [Member must have length less than or equal to 25, "
                "Member must have length greater than or equal to 1]",
            )
    if sum(map(len, items.values())) > limits.DYNAMODB_BATCH_WRITE_ITEMS:
        raise validation("Too many items requested for the BatchWriteItem call")


def _broken_constraint(value: str, constraint: str) -> AwsError:
    found = f"Value {value} at 'requestItems' failed to satisfy constraint: {constraint}"
    return validation(f"1 validation error detected: {found}")


def plan_write(table: Any, table_name: str, request: Any) -> WriteOperation:
    """One operation, checked against its table."""
    if isinstance(request, dict) and len(request) == 1:
        put = request.get("PutRequest")
        if put is not None and isinstance(put.get("Item"), dict):
            return _plan_put(table, table_name, request, put["Item"])
        delete = request.get("DeleteRequest")
        if delete is not None and isinstance(delete.get("Key"), dict):
            if len(delete["Key"]) != len(table.table_key_attrs):
                raise validation(_KEY_MISMATCH)
            return WriteOperation(table, table_name, *keys_of(table, delete["Key"]), None, 1, request)
    raise validation(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
        if isinstance(request, dict) and len(request) > 1
        else "Supplied WriteRequest is empty, must contain exactly one of PutRequest and DeleteRequest"
    )


def _plan_put(table: Any, table_name: str, request: Any, item: Mapping[str, Any]) -> WriteOperation:
    written = orjson.dumps(item)
    if not is_plain_row(written):
        item = check_item(item) or item
        written = orjson.dumps(item)
    hash_key, sort_key = keys_of(table, item)
    # orjson hands out text in a buffer several times its size; a copy takes what it needs.
    row = bytes(memoryview(written))
    size = len(row) if len(row) <= 1_024 else item_size(item)
    if size > limits.DYNAMODB_ITEM_BYTES:
        raise validation("Item size has exceeded the maximum allowed size")
    return WriteOperation(table, table_name, hash_key, sort_key, row, write_units(size), request)


def keys_of(table: Any, item: Mapping[str, Any]) -> tuple[Key, Key]:
    """The key values of an item. Raises where they are missing, empty, too long or of another type."""
    hash_key = _key(item.get(table.hash_key_attr), table.hash_key_type, table.hash_key_attr)
    if table.range_key_attr is None:
        sort_key: Key = None
    else:
        sort_key = _key(item.get(table.range_key_attr), table.range_key_type, table.range_key_attr)
    if _too_long(hash_key, limits.DYNAMODB_HASH_KEY_BYTES):
        raise validation(
            "One or more parameter values were invalid: "
            f"Size of hashkey has exceeded the maximum size limit of{limits.DYNAMODB_HASH_KEY_BYTES} bytes"
        )
    if _too_long(sort_key, limits.DYNAMODB_RANGE_KEY_BYTES):
        raise validation(
            "One or more parameter values were invalid: "
            f"Aggregated size of all range keys has exceeded the size limit of {limits.DYNAMODB_RANGE_KEY_BYTES} bytes"
        )
    return hash_key, sort_key


def _key(typed: Any, kind: str, name: str) -> Key:
    if type(typed) is not dict or len(typed) != 1 or kind not in typed:
        raise validation(_KEY_MISMATCH)
    value = typed[kind]
    if value == "" and kind in ("S", "B"):
        raise validation(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty {'string' if kind == 'S' else 'binary'} value. Key: {name}"
        )
    if kind == "N":
        value = normalise_number(value)
    elif not isinstance(value, str):
        raise validation(_KEY_MISMATCH)
    return key_value(kind, value)


def _too_long(key: Key, limit: int) -> bool:
    # A character is at most four bytes: shorter ones cannot reach the limit.
    if not isinstance(key, str | bytes) or 4 * len(key) <= limit:
        return False
    return len(key.encode() if isinstance(key, str) else key) > limit


def row_units(row: bytes | None) -> int:
    """Write units that a row already stored stands for; 1 for none, as a write that changes nothing costs."""
    if row is None or len(row) <= 1_024:
        return 1
    return write_units(item_size(orjson.loads(row)))
