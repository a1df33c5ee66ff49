"""What a filter pattern may require of one value, and AWS's words for refusing anything else. Pure.

AWS: Lambda Developer Guide, "Control which events Lambda sends to your function" (invocation-eventfiltering), for the
operators; EventBridge User Guide, "Comparison operators for use in event patterns", for how each of them compares.
A sentence of `PatternError` is AWS's own if we have seen it, otherwise in the same style.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any


class PatternError(ValueError):
    """AWS refuses a pattern; the text says why."""


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number as written."""

    text: str

    def comparable(self) -> float | None:
        """Its value; None if no double has exactly the digits written: such a number cannot be ordered."""
        value = float(self.text)
        with suppress(InvalidOperation):
            return value if Decimal(repr(value)) == Decimal(self.text) else None
        return None

    def equals(self, other: Number) -> bool:
        """3, 3.0 and 0.3e1 are equal; a number that cannot be ordered equals only one with the same digits."""
        mine = self.comparable()
        return self.text == other.text or (mine is not None and mine == other.comparable())


Scalar = str | Number | bool | None
Test = Callable[[Scalar], bool]


class Members(tuple[tuple[str, Any], ...]):
    """The members of a JSON object as written; a name may occur more than once."""

    __slots__ = ()


def read_json(text: str, *, as_written: bool = False) -> Any:
    """The text's value, numbers as `Number`; objects as `Members` if `as_written`, else with the last of each name.

    Raises ValueError for anything but JSON: NaN and Infinity are not, nor is text nested too deeply to be read.
    """
    try:
        return json.loads(
            text,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_no_constant,
            object_pairs_hook=Members if as_written else None,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number in JSON")


def read_test(wanted: Any) -> Test | None:
    """The test for an element of a pattern's list, None if the value must be absent. Raises `PatternError`."""
    if not isinstance(wanted, Members):
        return equal_to(wanted)
    name, operand = _only_member(wanted)
    if name == "exists":
        if not isinstance(operand, bool):
            raise PatternError("exists match pattern must be either true or false")
        return (lambda _: True) if operand else None
    if name == "anything-but":
        return _anything_but(operand)
    if name not in OPERATORS:
        raise PatternError(f"Unrecognized match type {name}")
    return OPERATORS[name](operand)


def _anything_but(operand: Any) -> Test:
    if isinstance(operand, Members):
        name, operand = _only_member(operand)
        if name not in _NEGATED:
            raise PatternError(f"anything-but does not take {name}")
        unwanted = [_unwanted(name, each) for each in _listed(operand)]
    else:
        values = _listed(operand)
        if any(not isinstance(value, str | Number) for value in values):
            raise PatternError("Inside anything but list, start|null|boolean is not supported.")
        if len({type(value) for value in values}) > 1:
            raise PatternError("Inside anything but list, all values must be texts, or all numbers")
        unwanted = [equal_to(_ordered(value)) for value in values]
    return lambda value: not any(test(value) for test in unwanted)


def _unwanted(name: str, operand: Any) -> Test:
    if not isinstance(operand, str):
        if name == "equals-ignore-case":
            where = "Inside anything-but/equals-ignore-case list"
            raise PatternError(f"{where}, number|start|null|boolean is not supported.")
        raise PatternError("prefix/suffix match pattern must be a string")
    if not operand and name != "equals-ignore-case":
        raise PatternError("Null prefix/suffix not allowed")
    return _NEGATED[name](operand)


def equal_to(wanted: Any) -> Test:
    """Equality with text, a number, true, false or null."""
    if isinstance(wanted, Number):
        return lambda value: isinstance(value, Number) and wanted.equals(value)
    if isinstance(wanted, str):
        return lambda value: value == wanted
    if isinstance(wanted, list):
        raise PatternError("Match value must be a text, a number, true, false or null, not a list")
    return lambda value: value is wanted


def _only_member(members: Members) -> tuple[str, Any]:
    if len(members) != 1:
        raise PatternError(f"Only one key allowed in match expression, not {len(members)}")
    return members[0]


def _listed(operand: Any) -> list[Any]:
    """The operands of anything-but: one, or a list."""
    if not isinstance(operand, str | Number | list):
        raise PatternError("Value of anything-but must be an array or single string/number value.")
    if operand == []:
        raise PatternError("Inside anything but list, there must be a value")
    return operand if isinstance(operand, list) else [operand]


def _ordered(value: Scalar) -> Scalar:
    """The value, if it is text or a number that can be ordered."""
    if isinstance(value, Number) and value.comparable() is None:
        raise PatternError(f"Cannot compare number : {value.text}")
    return value


def _begins_with(text: str) -> Test:
    return lambda value: isinstance(value, str) and value.startswith(text)


def _ends_with(text: str) -> Test:
    return lambda value: isinstance(value, str) and value.endswith(text)


def _equals_ignoring_case(text: str) -> Test:
    expression = _letters(text)
    return lambda value: isinstance(value, str) and expression.fullmatch(value) is not None


def _begins_ignoring_case(text: str) -> Test:
    expression = _letters(text)
    return lambda value: isinstance(value, str) and expression.match(value) is not None


def _ends_ignoring_case(text: str) -> Test:
    expression = re.compile(_letters(text).pattern + r"\Z")
    # No letter's other case is longer than three characters. Trying every position of a long text would be wasted work.
    longest = 3 * len(text)
    return lambda value: isinstance(value, str) and expression.search(value, max(0, len(value) - longest)) is not None


def _letters(text: str) -> re.Pattern[str]:
    """Each letter of the pattern as its lower or upper case, whatever case folding does to whole texts.

    Only the pattern's letters change case: a sharp s there matches SS, while an S there does not match sharp s. Letters
    beyond 16 bits have no case, as in Java.
    """
    cases = [{letter.lower(), letter.upper()} if letter <= "\uffff" else {letter} for letter in text]
    return re.compile("".join("(?:" + "|".join(map(re.escape, sorted(each))) + ")" for each in cases))


def _affix(name: str, exactly: Callable[[str], Test], ignoring_case: Callable[[str], Test]) -> Callable[[Any], Test]:
    def read(operand: Any) -> Test:
        if isinstance(operand, Members):
            inner, text = _only_member(operand)
            if inner != "equals-ignore-case":
                raise PatternError(f"{name} does not take {inner}")
            return ignoring_case(_text("equals-ignore-case", text))
        return exactly(_text(name, operand))

    return read


def _text(name: str, operand: Any) -> str:
    if not isinstance(operand, str):
        raise PatternError(f"{name} match pattern must be a string")
    return operand


def _numeric(operand: Any) -> Test:
    """One comparison, or two that form a range: a lower bound first, then an upper one."""
    if not isinstance(operand, list):
        raise PatternError("Value of numeric must be an array.")
    if not operand:
        raise PatternError("Value of numeric must have a comparison")
    if len(operand) > 4:
        raise PatternError("Too many elements in numeric expression")
    signs, bounds = operand[::2], [*operand[1::2], None]
    for sign, allowed in zip(signs, (("=", ">", ">=", "<", "<="), ("<", "<=")), strict=False):
        if sign not in allowed:
            raise PatternError(f"Bad numeric range operator: {_shown(sign)}")
    if len(signs) == 2 and signs[0] not in (">", ">="):
        raise PatternError("Too many elements in numeric expression")
    comparisons = [(_COMPARISONS[sign], _bound(sign, bound)) for sign, bound in zip(signs, bounds, strict=False)]
    if len(comparisons) == 2 and comparisons[0][1] >= comparisons[1][1]:
        raise PatternError("Bottom of a numeric range must be less than its top")
    return lambda value: _within(value, comparisons)


def _bound(sign: str, bound: Any) -> float:
    if not isinstance(bound, Number):
        raise PatternError(f"Value of {'equals' if sign == '=' else sign} must be numeric")
    value = bound.comparable()
    if value is None:
        raise PatternError(f"Cannot compare number : {bound.text}")
    return value


def _within(value: Scalar, comparisons: list[tuple[Callable[[float, float], bool], float]]) -> bool:
    number = value.comparable() if isinstance(value, Number) else None
    return number is not None and all(holds(number, bound) for holds, bound in comparisons)


def _cidr(operand: Any) -> Test:
    """Addresses in a network. Lambda's guide does not list this operator, but AWS's own samples deploy it."""
    if (network := _network(_text("cidr", operand))) is None:
        raise PatternError("Malformed CIDR")
    return lambda value: isinstance(value, str) and (at := _network(value)) is not None and at[0] in network


def _network(text: str) -> IPv4Network | IPv6Network | None:
    """A network, or that of one address; None if the text is neither."""
    with suppress(ValueError):
        return ip_network(text, strict=False)
    return None


def _shown(operand: Any) -> str:
    return operand.text if isinstance(operand, Number) else str(operand)


_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": float.__eq__,
    "<": float.__lt__,
    "<=": float.__le__,
    ">": float.__gt__,
    ">=": float.__ge__,
}

_NEGATED: Mapping[str, Callable[[str], Test]] = {
    "equals-ignore-case": _equals_ignoring_case,
    "prefix": _begins_with,
    "suffix": _ends_with,
}

OPERATORS: Mapping[str, Callable[[Any], Test]] = {
    "cidr": _cidr,
    "equals-ignore-case": lambda operand: _equals_ignoring_case(_text("equals-ignore-case", operand)),
    "numeric": _numeric,
    "prefix": _affix("prefix", _begins_with, _begins_ignoring_case),
    "suffix": _affix("suffix", _ends_with, _ends_ignoring_case),
}
"""What reads the operand of each operator but `exists` and `anything-but`; raises `PatternError`."""
