"""Filter criteria of an event source mapping: does a message's body match one of the patterns? Pure.

AWS: Lambda Developer Guide, "Control which events Lambda sends to your function" (invocation-eventfiltering) and
"Using event filtering with an Amazon SQS event source" (with-sqs-filtering). Only `body` can be filtered. A pattern for
a JSON body never matches a plain text one, and the other way round. What does not match is deleted from the queue.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TEXT_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "prefix": str.startswith,
    "suffix": str.endswith,
    "equals-ignore-case": operator.eq,
}
_ABSENT = object()


def matches(filters: Sequence[Mapping[str, Any]], body: str) -> bool:
    """Whether the message goes to the function: no filter at all, or at least one that matches."""
    return not filters or any(_matches_filter(pattern, body) for pattern in filters)


def _matches_filter(pattern: Mapping[str, Any], body: str) -> bool:
    wanted = pattern.get("body")
    if wanted is None:
        return not pattern
    if isinstance(wanted, list):
        return _matches_value(wanted, body)
    try:
        parsed = json.loads(body)
    except ValueError:
        return False
    return isinstance(parsed, dict) and _matches_object(wanted, parsed)


def _matches_object(pattern: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    """Every key of the pattern matches; `$or` needs one of its alternatives."""
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(_matches_object(alternative, value) for alternative in wanted):
                return False
        elif isinstance(wanted, Mapping):
            if not _matches_nested(wanted, value.get(key, _ABSENT)):
                return False
        elif not _matches_value(wanted, value.get(key, _ABSENT)):
            return False
    return True


def _matches_nested(pattern: Mapping[str, Any], found: Any) -> bool:
    """An object, or a list of which one element matches (as S3's Records); a missing one has no keys."""
    if isinstance(found, list):
        return any(isinstance(each, dict) and _matches_object(pattern, each) for each in found)
    return _matches_object(pattern, found if isinstance(found, dict) else {})


def _matches_value(rules: Sequence[Any], found: Any) -> bool:
    """One of the rules holds for the value, or for one element of a list."""
    values = found if isinstance(found, list) else [found]
    return any(_holds(rule, value) for rule in rules for value in values)


def _holds(rule: Any, value: Any) -> bool:
    if not isinstance(rule, dict):
        return (type(rule) is type(value) and rule == value) or (_is_number(rule, value) and rule == value)
    ((kind, operand),) = rule.items()
    if kind == "exists":
        return (value is not _ABSENT) is bool(operand)
    if value is _ABSENT:
        return False
    if kind == "numeric":
        return _is_number(value) and all(
            _COMPARISONS[sign](value, bound) for sign, bound in zip(operand[::2], operand[1::2], strict=True)
        )
    if kind == "anything-but":
        return not _matches_value(operand if isinstance(operand, list) else [operand], value)
    test = _TEXT_TESTS.get(kind)
    if test is None or not isinstance(value, str):
        return False
    if kind == "equals-ignore-case":
        operand = {kind: operand}
    if isinstance(operand, dict):
        return test(value.casefold(), str(operand.get("equals-ignore-case", "")).casefold())
    return test(value, operand)


def _is_number(*values: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
