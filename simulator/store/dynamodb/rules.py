"""What DynamoDB accepts as an item and as a write, and how large it is. Pure: values in, values or an `AwsError` out.

A batch is checked as a whole first; then nothing or all of it is stored. Items are in DynamoDB's JSON: attribute name
-> {type: value}. Sizes follow the "Item sizes and formats" page of the DynamoDB Developer Guide, limits its "Service,
account, and table quotas" page; the messages are DynamoDB's own.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

import orjson

from simulator.base import limits
from simulator.store.dynamodb.rows import Key, key_value
from simulator.store.wire.aws_errors import AwsError

# Numbers that are always valid and already normalised: at most 20 digits, no zeros to trim.
_PLAIN = r"-?(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{0,9}[1-9])?"
_plain_number = re.compile(rf"(?!-0\Z){_PLAIN}").fullmatch
# A row of texts without escapes and such numbers: one check of its JSON instead of one per attribute.
is_plain_row = re.compile(
    rb'\{(?:"[^"\\]*+":\{"(?:N":"(?!-0")' + _PLAIN.encode() + rb'"|S":"[^"\\]*+")\},?)++\}'
).fullmatch
_number_attributes = re.compile(r'":\{"N":"(-?[0-9.]+)"').findall
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_MORE_THAN_ONE_TYPE = (
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
)
_NO_TYPE = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
_KEY_MISMATCH = "The provided key element does not match the schema"
_ONE_ERROR = "1 validation error detected: "
_SETS = {"SS": "string", "NS": "number", "BS": "binary"}


class EmptySet(AwsError):
    """A set without elements; DynamoDB's message for it differs between PutItem and a batch."""


def refusal(message: str) -> AwsError:
    """DynamoDB's ValidationException."""
    return AwsError("ValidationException", message)


def invalid(reason: str) -> AwsError:
    """The same, about a parameter's value."""
    return refusal(f"One or more parameter values were invalid: {reason}")


def check_item(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """Raise DynamoDB's error; return the item with its numbers normalised, None if nothing had to change."""
    changed: dict[str, Any] | None = None
    for name, typed in item.items():
        normal = _check_attribute(typed, 1)
        if normal is not typed:
            changed = dict(item) if changed is None else changed
            changed[name] = normal
    return changed


def check_put(item: Mapping[str, Any]) -> None:
    """Raise DynamoDB's error for a PutItem of this item, or for an UpdateItem that puts its attributes."""
    try:
        check_item(item)
    except EmptySet as error:
        raise refusal(_ONE_ERROR + error.message) from None


def check_values(values: Any) -> None:
    """Raise DynamoDB's error for an update whose ExpressionAttributeValues no attribute may have."""
    for name, typed in values.items() if isinstance(values, Mapping) else ():
        try:
            check_item({name: typed})
        except EmptySet as error:
            raise refusal(_ONE_ERROR + error.message) from None
        except AwsError as error:
            if error.code != "ValidationException":
                raise
            raise refusal(f"ExpressionAttributeValues contains invalid value: {error.message} for key {name}") from None


def _check_attribute(typed: Any, level: int) -> dict[str, Any]:
    """The same attribute, or a new one if its value had to change."""
    if type(typed) is not dict or len(typed) != 1:
        raise _wrong_attribute(typed)
    ((kind, value),) = typed.items()
    normal = _check_value(kind, value, level)
    return typed if normal == value else {kind: normal}


def _check_value(kind: str, value: Any, level: int) -> Any:
    """Check one attribute's value: raise DynamoDB's error, or return the value as it is stored."""
    if level > limits.DYNAMODB_NESTING_LEVELS:
        raise refusal("Nesting Levels have exceeded supported limits")
    if kind == "N":
        return _normalise_number(value)
    if kind in ("S", "B"):
        return _check_text(kind, value)
    if kind in _SETS:
        return _check_set(kind, value)
    if kind == "L" and isinstance(value, list):
        return [_check_attribute(element, level + 1) for element in value]
    if kind == "M" and isinstance(value, dict):
        return {name: _check_attribute(element, level + 1) for name, element in value.items()}
    if kind in ("BOOL", "NULL") and isinstance(value, bool):
        if kind == "NULL" and not value:
            raise invalid("Null attribute value types must have the value of true")
        return value
    raise _wrong_type(kind)


def _check_text(kind: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong_type(kind)
    if kind == "B":
        try:
            base64.b64decode(value, validate=True)
        except ValueError:
            raise AwsError(
                "SerializationException", "Base64 encoded length is expected a multiple of 4 bytes"
            ) from None
    return value


def _check_set(kind: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong_type(kind)
    if not value:
        reason = "Binary sets should not be empty" if kind == "BS" else f"An {_SETS[kind]} set  may not be empty"
        raise EmptySet("ValidationException", f"One or more parameter values were invalid: {reason}")
    normal = [_check_value(kind[0], element, 1) for element in value]
    if len(set(normal)) != len(normal):
        shown = ", ".join(map(str, value))
        raise invalid(f"Input collection [{shown}] contains duplicates.")
    return normal


def _normalise_number(text: Any) -> str:
    """A number as DynamoDB stores it, leading and trailing zeros trimmed. Raises if DynamoDB would not store it."""
    if not isinstance(text, str):
        raise AwsError("SerializationException", "NUMBER_VALUE cannot be converted to String")
    if _plain_number(text):
        return text
    if not _NUMBER.fullmatch(text):
        raise refusal(f"The parameter cannot be converted to a numeric value: {text}")
    with localcontext() as context:
        context.prec = limits.DYNAMODB_NUMBER_DIGITS
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise refusal(f"The parameter cannot be converted to a numeric value: {text}") from None
        if number == 0:
            return "0"
        digits = "".join(map(str, number.as_tuple().digits)).strip("0")
        if len(digits) > limits.DYNAMODB_NUMBER_DIGITS:
            raise refusal("Attempting to store more than 38 significant digits in a Number")
        if number.adjusted() > limits.DYNAMODB_NUMBER_EXPONENT_MAXIMUM:
            raise refusal("Number overflow. Attempting to store a number with magnitude larger than supported range")
        if number.adjusted() < limits.DYNAMODB_NUMBER_EXPONENT_MINIMUM:
            raise refusal("Number underflow. Attempting to store a number with magnitude smaller than supported range")
        return f"{number.normalize():f}"


def trimmed(row: bytes) -> bytes:
    """A row with its numbers as DynamoDB stores them, each once in a set; anything but a number is unchanged."""
    if is_plain_row(row):
        return row
    return orjson.dumps({name: _trimmed(typed) for name, typed in orjson.loads(row).items()})


def _trimmed(typed: Mapping[str, Any]) -> Mapping[str, Any]:
    ((kind, value),) = typed.items()
    if kind == "N":
        return {kind: _trimmed_number(value)}
    if kind == "NS":
        return {kind: list(dict.fromkeys(map(_trimmed_number, value)))}
    if kind == "L":
        return {kind: list(map(_trimmed, value))}
    if kind == "M":
        return {kind: {name: _trimmed(element) for name, element in value.items()}}
    return typed


def _trimmed_number(text: Any) -> Any:
    try:
        return _normalise_number(text)
    except AwsError:
        return text


def item_size(item: Mapping[str, Any]) -> int:
    """The size that DynamoDB bills, in bytes: names and values. Never more than the length of the item's JSON."""
    total = 0
    for name, typed in item.items():
        ((kind, value),) = typed.items()
        total += len(name.encode()) + _value_size(kind, value)
    return total


def _value_size(kind: str, value: Any) -> int:
    """One value's size in bytes."""
    if kind == "S":
        return len(value.encode())
    if kind == "N":
        return _numbers_size((value.split("e")[0].split("E")[0],))
    if kind == "B":
        return len(value) if isinstance(value, bytes) else len(base64.b64decode(value))
    if kind in _SETS:
        return sum(_value_size(kind[0], element) for element in value)
    if kind == "L":
        return 3 + sum(1 + _value_size(*next(iter(element.items()))) for element in value)
    if kind == "M":
        return 3 + len(value) + item_size(value)
    return 1


def _numbers_size(numbers: Sequence[str]) -> int:
    """Two digits per byte without leading and trailing zeros, one byte more, and one for a minus sign."""
    joined = ",".join(numbers)
    digits = [len(text.strip("-0")) for text in joined.replace(".", "").split(",")]
    return sum([(count + 1) // 2 for count in digits]) + len(numbers) + joined.count("-")


def rows_size(rows: Sequence[bytes]) -> int:
    """`item_size` of stored rows, added up: JSON without blanks, with at least one attribute."""
    written = b"".join(rows)
    numbers = _number_attributes(written.decode())
    attributes = written.count(b'":{"')
    if b"\\" in written or attributes != len(numbers) + written.count(b'":{"S":"'):
        return sum(item_size(orjson.loads(row)) for row in rows)
    # Only texts and numbers: subtract a row's braces and, per attribute, what is not its name and value.
    return len(written) - len(rows) - 12 * attributes - sum(map(len, numbers)) + _numbers_size(numbers)


def write_units(size_bytes: int) -> int:
    """Write units of one item: 1 per started KB, at least 1."""
    return max(1, -(-size_bytes // 1_024))


def read_units(size_bytes: int, *, consistent: bool) -> float:
    """Read units: 1 per started 4 KB, half of that for eventually consistent reads."""
    units = max(1, -(-size_bytes // 4_096))
    return float(units) if consistent else units / 2


def _wrong_attribute(typed: Any) -> AwsError:
    if isinstance(typed, dict):
        return refusal(_MORE_THAN_ONE_TYPE if len(typed) > 1 else _NO_TYPE)
    return AwsError("SerializationException", "Unexpected value type in payload")


def _wrong_type(kind: str) -> AwsError:
    if kind not in ("S", "N", "B", "L", "M", "BOOL", "NULL", *_SETS):
        return refusal(_NO_TYPE)
    return AwsError("SerializationException", f"Unexpected value type in payload for attribute type {kind}")


@dataclass(slots=True)
class WriteOperation:
    """One operation of a batch: `row` is None for a delete; `request` is as the client wrote it."""

    table: Any
    table_name: str
    hash_key: Key
    sort_key: Key
    row: bytes | None
    units: int
    request: Mapping[str, Any]

    def replaces(self, units: int) -> None:
        """Make it cost at least as much as the row that it replaces."""
        self.units = max(self.units, units)

    def reads_back(self, row: bytes) -> None:
        """The row as it will be read."""
        self.row = row


def check_body(size: int) -> None:
    """Check that the request for a batch is not too large."""
    if size > limits.DYNAMODB_BATCH_WRITE_BYTES:
        raise AwsError("RequestEntityTooLargeException", "Request size exceeded the limit of 16 MB", status=413)


def plan_batch(items: Any, tables: Mapping[str, Any]) -> list[WriteOperation]:
    """Every write of a batch, checked. Raises AWS's `AwsError`; in that case, nothing has been stored."""
    check_request_sizes(items)
    writes = []
    for table_name, requests in items.items():
        table = table_of(table_name, tables)
        if table is None:
            raise AwsError("ResourceNotFoundException", "Requested resource not found")
        keys = set()
        for request in requests:
            write = plan_write(table, table_name, request)
            keys.add((write.hash_key, write.sort_key))
            writes.append(write)
        if len(keys) != len(requests):
            raise refusal("Provided list of item keys contains duplicates")
    return writes


def table_of(name: str, tables: Mapping[str, Any]) -> Any:
    """The table of that name or ARN; None if there is none, or if the ARN is in another Region or account."""
    table = tables.get(name)
    if table is None:
        named = tables.get(name.rsplit("/", 1)[-1])
        table = named if named is not None and named.table_arn == name else None
    return table


def check_request_sizes(items: Any) -> None:
    """Check that there are 1 to 25 operations, and at least one for every table named."""
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
        raise refusal("Too many items requested for the BatchWriteItem call")


def _broken_constraint(value: str, constraint: str) -> AwsError:
    return refusal(f"{_ONE_ERROR}Value {value} at 'requestItems' failed to satisfy constraint: {constraint}")


def plan_write(table: Any, table_name: str, request: Any) -> WriteOperation:
    """One operation, checked against its table."""
    if isinstance(request, dict) and len(request) == 1:
        put = request.get("PutRequest")
        if put is not None and isinstance(put.get("Item"), dict):
            return _plan_put(table, table_name, request, put["Item"])
        delete = request.get("DeleteRequest")
        if delete is not None and isinstance(delete.get("Key"), dict):
            if len(delete["Key"]) != len(table.table_key_attrs):
                raise refusal(_KEY_MISMATCH)
            return WriteOperation(table, table_name, *keys_of(table, delete["Key"]), None, 1, request)
    raise refusal(
        _MORE_THAN_ONE_TYPE
        if isinstance(request, dict) and len(request) > 1
        else "Supplied WriteRequest is empty, must contain exactly one of PutRequest and DeleteRequest"
    )


def _plan_put(table: Any, table_name: str, request: Any, item: Mapping[str, Any]) -> WriteOperation:
    written = orjson.dumps(item)
    if not is_plain_row(written):
        item = check_item(item) or item
        written = orjson.dumps(item)
    hash_key, sort_key = keys_of(table, item)
    check_index_keys(table, item)
    # orjson returns text in a buffer several times its size; a copy takes only what it needs.
    row = bytes(memoryview(written))
    units = 1
    if len(row) > 1_024:
        size = item_size(item)
        if size > limits.DYNAMODB_ITEM_BYTES:
            raise refusal("Item size has exceeded the maximum allowed size")
        units = write_units(size)
    return WriteOperation(table, table_name, hash_key, sort_key, row, units, request)


def check_key(table: Any, key: Any) -> None:
    """Raise DynamoDB's error for a key with invalid values. moto refuses one with other attributes."""
    if isinstance(key, Mapping) and key.keys() == set(table.table_key_attrs):
        check_item(key)
        keys_of(table, key)


def check_index_keys(table: Any, item: Mapping[str, Any]) -> None:
    """Raise DynamoDB's error for an attribute that is the key of an index and has another type."""
    for index in table.all_indexes() if table.indexes or table.global_indexes else ():
        for name in (key["AttributeName"] for key in index.schema):
            kind = next(each["AttributeType"] for each in table.attr if each["AttributeName"] == name)
            if kind not in item.get(name, kind):
                found = f"Expected: {kind} Actual: {next(iter(item[name]))} IndexName: {index.name}"
                raise invalid(f"Type mismatch for Index Key {name} {found}")


def keys_of(table: Any, item: Mapping[str, Any]) -> tuple[Key, Key]:
    """The key values of an item. Raises if they are missing, empty, too long or of another type."""
    hash_key = _key(item.get(table.hash_key_attr), table.hash_key_type, table.hash_key_attr)
    if table.range_key_attr is None:
        sort_key: Key = None
    else:
        sort_key = _key(item.get(table.range_key_attr), table.range_key_type, table.range_key_attr)
    if _too_long(hash_key, limits.DYNAMODB_HASH_KEY_BYTES):
        raise invalid(f"Size of hashkey has exceeded the maximum size limit of{limits.DYNAMODB_HASH_KEY_BYTES} bytes")
    if _too_long(sort_key, limits.DYNAMODB_RANGE_KEY_BYTES):
        limit = limits.DYNAMODB_RANGE_KEY_BYTES
        raise invalid(f"Aggregated size of all range keys has exceeded the size limit of {limit} bytes")
    return hash_key, sort_key


def _key(typed: Any, kind: str, name: str) -> Key:
    if type(typed) is not dict or len(typed) != 1 or kind not in typed:
        raise refusal(_KEY_MISMATCH)
    value = typed[kind]
    if kind == "N":
        return key_value(kind, _normalise_number(value))
    if not isinstance(value, str):
        raise refusal(_KEY_MISMATCH)
    if not value:
        raise refusal(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty {'string' if kind == 'S' else 'binary'} value. Key: {name}"
        )
    return value if kind == "S" else key_value(kind, value)


def _too_long(key: Key, limit: int) -> bool:
    # A character is at most four bytes, so shorter keys cannot reach the limit.
    if key is None or isinstance(key, Decimal) or 4 * len(key) <= limit:
        return False
    return len(key.encode() if isinstance(key, str) else key) > limit


def row_units(row: bytes | None) -> int:
    """Write units of a stored row; 1 if there is none, the cost of a write that changes nothing."""
    if row is None or len(row) <= 1_024:
        return 1
    return write_units(item_size(orjson.loads(row)))
