"""Cells -> what is stored of them: numbers that DynamoDB can hold, and texts. Pure.

This is the proof's own reading of docs/handlers.md, "Which rows are stored"; timestamps are in `timestamps.py`.
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context
from functools import lru_cache

from simulator.base import limits
from simulator.proof.content import number_value, text_value
from simulator.proof.failures import NotStorable

NUMBER_BYTES = 21
"""The size of a number of 38 digits."""
REMEMBERED_CHARACTERS = 40
_SURELY_HELD = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_EXPONENT_DIGITS = 9  # an exponent with more digits is always out of range
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_SIGNED = re.compile(r"([+-]?)([0-9]*)(\.?)([0-9]*)(.*)", re.DOTALL)


class Cells:
    """How cells are stored if numbers are written with this decimal separator, strictly or leniently."""

    def __init__(self, decimal: str = ".", lenient: bool = False) -> None:
        self._decimal, self._grouping = (decimal, "," if decimal == "." else ".")
        self._as_written = decimal == "." and not lenient
        point, group = re.escape(self._decimal), re.escape(self._grouping)
        exponent = "(?:[eE][+-]?[0-9]+)?"
        self._json = re.compile(f"-?(?:0|[1-9][0-9]*)(?:{point}[0-9]+)?{exponent}")
        whole = f"(?:0|[1-9][0-9]*|[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+)"
        free = f"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+){exponent}"
        self._number = re.compile(free) if lenient else self._json
        self.remembered_value = lru_cache(65_536)(self.value)
        """The same as `value`, cached: for cells of at most `REMEMBERED_CHARACTERS`."""

    def value(self, cell: str) -> str:
        """A filled cell as an attribute's value. Raises `NotStorable`."""
        number = self._stored(cell)
        if number is None:
            return text_value(cell)
        if not _SURELY_HELD.fullmatch(number) and not _held(number):
            raise NotStorable
        return number_value(number)

    def size(self, cell: str) -> int:
        """The bytes of a filled cell's stored form (DynamoDB Developer Guide, "Item sizes and formats")."""
        number = self._stored(cell)
        return len(cell.encode()) if number is None else min(len(number), NUMBER_BYTES)

    def uses(self, cell: str) -> set[str]:
        """The settings without which the cell would not be a number, or not this one."""
        if self._as_written or self._number.fullmatch(cell) is None:
            return set()
        used = set() if self._json.fullmatch(cell) else {"NUMBERS"}
        if self._decimal == "," and ("," in cell or "." in cell):
            used.add("DECIMAL_SEPARATOR")
        return used

    def _stored(self, cell: str) -> str | None:
        """A number as it is sent to DynamoDB; None if the cell is text."""
        if self._number.fullmatch(cell) is None:
            return None
        if self._as_written:
            return cell
        number = cell.replace(self._grouping, "").replace(self._decimal, ".")
        found = _SIGNED.fullmatch(number)
        if found is None:
            return number
        sign, whole, point, fraction, exponent = found.groups()
        return f"{sign.strip('+')}{whole or '0'}{point if fraction else ''}{fraction}{exponent}"


@lru_cache
def cells_of(decimal: str, lenient: bool) -> Cells:
    """One instance for all objects, because it caches what it has read."""
    return Cells(decimal, lenient)


def _held(number: str) -> bool:
    """Whether DynamoDB can hold this JSON number: 38 digits, 1E-130 to 9.99E+125."""
    mantissa, _, exponent = number.lower().partition("e")
    if not mantissa.strip("-0."):
        return True
    if len(exponent.lstrip("+-0")) > _EXPONENT_DIGITS:
        return False
    exact = _EXACT.create_decimal(mantissa)
    digits = "".join(map(str, exact.as_tuple().digits)).rstrip("0")
    magnitude = exact.adjusted() + int(exponent or "0")
    return (
        len(digits) <= limits.DYNAMODB_NUMBER_DIGITS
        and limits.DYNAMODB_NUMBER_EXPONENT_MINIMUM <= magnitude <= limits.DYNAMODB_NUMBER_EXPONENT_MAXIMUM
    )
