"""What an item says, as one text: two contents are equal texts exactly when they mean the same. Pure.

A content is DynamoDB's own JSON of the attributes except the key, without the outer braces: names in order, numbers
in one spelling. A rejected row's is the JSON list of its fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Context, DecimalException, Inexact, InvalidOperation, Overflow
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any, cast

# DynamoDB keeps 38 digits; a store that keeps more differs from one that does not.
_EXACT = Context(prec=400, traps=[InvalidOperation, Overflow, Inexact])
_LARGEST_EXPONENT = 200
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?")
_ZERO = re.compile(r"-?0+(?:\.0*)?[eE][+-]?[0-9]+")
_list_text = json.JSONEncoder(separators=(",", ":")).encode
_any_text = json.JSONEncoder(separators=(",", ":"), sort_keys=True, default=str).encode

quoted = cast("Any", encode_basestring_ascii)
"""A text as JSON, in ASCII: a lone surrogate is an escape, too."""


def number_text(text: str) -> str:
    """The number's one spelling: `1.50`, `1.5` and `15e-1` are the same number, and DynamoDB returns any of them.

    What is not a number, or has an exponent that no store takes, stays as it is.
    """
    if plain := _PLAIN_NUMBER.fullmatch(text):
        short = text.rstrip("0").rstrip(".") if plain[1] else text
        return "0" if short == "-0" else short
    if _ZERO.fullmatch(text):
        return "0"  # whatever its exponent, which may be beyond what can be computed with
    try:
        number = _EXACT.create_decimal(text)
    except DecimalException:
        return text
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        return text
    return format(number.normalize(_EXACT), "f") if number else "0"


@lru_cache(65_536)
def number_value(text: str) -> str:
    """A number as an attribute's value."""
    return f'{{"N":{quoted(number_text(text))}}}'


def text_value(text: str) -> str:
    """A text as an attribute's value."""
    return f'{{"S":{quoted(text)}}}'


@lru_cache(4_096)
def label(name: str) -> str:
    """An attribute's name before its value."""
    return f"{quoted(name)}:"


def item_content(item: Mapping[str, Mapping[str, Any]]) -> str:
    """The content of an item in DynamoDB's own JSON, its key attributes already taken away."""
    parts = []
    for name in sorted(item):
        typed = item[name]
        if len(typed) == 1 and isinstance(number := typed.get("N"), str):
            parts.append(label(name) + number_value(number))
        else:
            parts.append(label(name) + _any_text(typed))
    return ",".join(parts)


def rejection_content(row: Iterable[str]) -> str:
    """A rejected row's fields as one text."""
    return _list_text(list(row))


def cells(content: str) -> dict[str, tuple[str, str]]:
    """What a content says: type and value by attribute's name."""
    found = {}
    for name, typed in json.loads(f"{{{content}}}").items():
        kind, value = next(iter(typed.items()), ("", ""))
        found[name] = (kind, value if isinstance(value, str) else _any_text(value))
    return found
