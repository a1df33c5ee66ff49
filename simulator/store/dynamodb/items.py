"""What DynamoDB accepts as an item, and how large one is. Pure: values in, values or an `AwsError` out.

Items are in DynamoDB's JSON: attribute name -> {type: value}. Sizes follow the "Item sizes and formats" page of the
DynamoDB developer guide, limits its "Service, account, and table quotas" page; texts are DynamoDB's own.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from simulator.base import limits
from simulator.store.wire.aws_errors import AwsError

# What no rule could object to and no normalisation would change: at most 20 digits, no zeros to trim.
_PLAIN = r"-?(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{0,9}[1-9])?"
_plain_number = re.compile(rf"(?!-0\Z){_PLAIN}").fullmatch
# A row of texts without escapes and such numbers: one look at its JSON instead of one at each attribute.
is_plain_row = re.compile(
    rb'\{(?:"[^"\\]*+":\{"(?:N":"(?!-0")' + _PLAIN.encode() + rb'"|S":"[^"\\]*+")\},?)++\}'
).fullmatch
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_SETS = {"SS": "string", "NS": "number", "BS": "binary"}


def validation(message: str) -> AwsError:
    """DynamoDB's ValidationException."""
    return AwsError("ValidationException", message)


def check_item(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """Raise what DynamoDB would; return the item with its numbers normalised, None where nothing had to change."""
    changed: dict[str, Any] | None = None
    for name, typed in item.items():
        if type(typed) is not dict or len(typed) != 1:
            raise _wrong_attribute(typed)
        for kind, value in typed.items():
            if kind == "S":
                if type(value) is str:
                    continue
            elif kind == "N" and type(value) is str and _plain_number(value):
                continue
            normal = check_value(kind, value, 1)
            if normal != value:
                changed = dict(item) if changed is None else changed
                changed[name] = {kind: normal}
    return changed


def check_value(kind: str, value: Any, level: int) -> Any:
    """One attribute's value: raise what DynamoDB would, return the value as it is stored."""
    if level > limits.DYNAMODB_NESTING_LEVELS:
        raise validation("Nesting Levels have exceeded supported limits")
    if kind == "N":
        return normalise_number(value)
    if kind in ("S", "B"):
        return _check_text(kind, value)
    if kind in _SETS:
        return _check_set(kind, value)
    if kind == "L" and isinstance(value, list):
        return [_check_nested(element, level + 1) for element in value]
    if kind == "M" and isinstance(value, dict):
        return {name: _check_nested(element, level + 1) for name, element in value.items()}
    if kind == "BOOL" and isinstance(value, bool):
        return value
    if kind == "NULL" and isinstance(value, bool):
        if value is not True:
            raise validation(
                "One or more parameter values were invalid: Null attribute value types must have the value of true"
            )
        return value
    raise _wrong_type(kind)


def _check_nested(typed: Any, level: int) -> dict[str, Any]:
    if type(typed) is not dict or len(typed) != 1:
        raise _wrong_attribute(typed)
    ((kind, value),) = typed.items()
    return {kind: check_value(kind, value, level)}


def _check_text(kind: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong_type(kind)
    if kind == "B":
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise AwsError(
                "SerializationException", "Base64 encoded length is expected a multiple of 4 bytes"
            ) from None
    return value


def _check_set(kind: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong_type(kind)
    if not value:
        if kind == "BS":
            raise validation("One or more parameter values were invalid: Binary sets should not be empty")
        raise validation(f"One or more parameter values were invalid: An {_SETS[kind]} set  may not be empty")
    normal = [check_value(kind[0], element, 1) for element in value]
    if len(set(normal)) != len(normal):
        shown = ", ".join(map(str, value))
        raise validation(f"One or more parameter values were invalid: Input collection [{shown}] contains duplicates.")
    return normal


def normalise_number(text: Any) -> str:
    """A number as DynamoDB stores it, leading and trailing zeros trimmed. Raises where it would not store it."""
    if not isinstance(text, str):
        raise AwsError("SerializationException", "NUMBER_VALUE cannot be converted to String")
    if not _NUMBER.fullmatch(text):
        raise validation(f"The parameter cannot be converted to a numeric value: {text}")
    with localcontext() as context:
        context.prec = max(limits.DYNAMODB_NUMBER_DIGITS, len(text)) + 1
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise validation(f"The parameter cannot be converted to a numeric value: {text}") from None
        if number == 0:
            return "0"
        digits = "".join(map(str, number.as_tuple().digits)).strip("0")
        if len(digits) > limits.DYNAMODB_NUMBER_DIGITS:
            raise validation("Attempting to store more than 38 significant digits in a Number")
        if number.adjusted() > limits.DYNAMODB_NUMBER_EXPONENT_MAXIMUM:
            raise validation("Number overflow. Attempting to store a number with magnitude larger than supported range")
        if number.adjusted() < limits.DYNAMODB_NUMBER_EXPONENT_MINIMUM:
            raise validation(
                "Number underflow. Attempting to store a number with magnitude smaller than supported range"
            )
        return f"{number.normalize():f}"


def item_size(item: Mapping[str, Any]) -> int:
    """The size DynamoDB bills, in bytes: names and values. Never more than the length of the item's JSON."""
    total = 0
    for name, typed in item.items():
        ((kind, value),) = typed.items()
        total += len(name.encode()) + value_size(kind, value)
    return total


def value_size(kind: str, value: Any) -> int:
    """One value's size in bytes."""
    if kind == "S":
        return len(value.encode())
    if kind == "N":
        digits = value.lstrip("-").split("e")[0].split("E")[0].replace(".", "").strip("0")
        return (len(digits) + 1) // 2 + 1 + int(value.startswith("-"))
    if kind == "B":
        return len(value) if isinstance(value, bytes) else len(base64.b64decode(value))
    if kind in _SETS:
        return sum(value_size(kind[0], element) for element in value)
    if kind == "L":
        return 3 + sum(1 + value_size(*next(iter(element.items()))) for element in value)
    if kind == "M":
        return 3 + sum(
            1 + len(name.encode()) + value_size(*next(iter(element.items()))) for name, element in value.items()
        )
    return 1


def write_units(size_bytes: int) -> int:
    """Write units of one item: 1 for each started KB, at least 1."""
    return max(1, -(-size_bytes // 1_024))


def read_units(size_bytes: int, *, consistent: bool) -> float:
    """Read units of what was read: 1 for each started 4 KB, half of it for eventually consistent reads."""
    units = max(1, -(-size_bytes // 4_096))
    return float(units) if consistent else units / 2


def _wrong_attribute(typed: Any) -> AwsError:
    if isinstance(typed, dict) and len(typed) > 1:
        return validation(
            "Supplied AttributeValue has more than one datatypes set, "
            "must contain exactly one of the supported datatypes"
        )
    if isinstance(typed, dict):
        return validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    return AwsError("SerializationException", "Unexpected value type in payload")


def _wrong_type(kind: str) -> AwsError:
    if kind not in ("S", "N", "B", "L", "M", "BOOL", "NULL", *_SETS):
        return validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    return AwsError("SerializationException", f"Unexpected value type in payload for attribute type {kind}")
