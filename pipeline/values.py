"""What a cell means as a number, whether DynamoDB can hold it, and why a row cannot be stored. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
MAX_DIGITS = 38
"""Significant digits of a DynamoDB number (Developer Guide, "Service quotas": data types)."""
MAX_EXPONENT = 125
"""9.99...E+125 is the largest magnitude, 1E-130 the smallest (the same page)."""
MIN_EXPONENT = -130


class Refusal(ValueError):
    """Why a row cannot be stored.

    `kind` is the reason without the parts that vary by row, `cell` the text at fault, `setting` the environment
    variable that might fix it; each is None if there is none.
    """

    def __init__(self, reason: str, kind: str | None = None, cell: str | None = None, setting: str | None = None):
        super().__init__(reason)
        self.kind = kind or reason
        self.cell = cell
        self.setting = setting


@cache
def number_reader(decimal_separator: str, *, lenient: bool) -> Callable[[str], str | None]:
    """A function from a cell to its JSON number, every digit as written; None if the cell is not a number.

    `decimal_separator` is a point or a comma. If `lenient`, a number may begin with a plus, the other of these two
    characters may separate thousands, and the digits before or after the decimal separator may be missing.
    """
    if decimal_separator == "." and not lenient:
        return lambda text: text if JSON_NUMBER.fullmatch(text) else None
    other = "," if decimal_separator == "." else "."
    sign, group = re.escape(decimal_separator), re.escape(other)
    digits = r"(?:0|[1-9][0-9]*)"
    exponent = r"(?P<exponent>[eE][+-]?[0-9]+)?"
    if lenient:
        whole = rf"(?P<whole>[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+|{digits})"
        fraction = rf"(?:{whole}(?:{sign}(?P<fraction>[0-9]*))?|{sign}(?P<only>[0-9]+))"
        number = rf"(?:[+]|(?P<minus>-))?{fraction}{exponent}"
    else:
        number = rf"(?P<minus>-)?(?P<whole>{digits})(?:{sign}(?P<fraction>[0-9]+))?{exponent}"
    pattern = re.compile(number)

    def read(text: str) -> str | None:
        match = pattern.fullmatch(text)
        if match is None:
            return None
        part = match.groupdict("")
        decimals = part["fraction"] or part.get("only", "")
        whole = part["whole"].replace(other, "") or "0"
        return f"{part['minus']}{whole}{'.' if decimals else ''}{decimals}{part['exponent']}"

    return read


def bad_number(text: str) -> str | None:
    """Why DynamoDB cannot hold this JSON number; None if it can, in which case every digit is kept as written."""
    if len(text) <= MAX_DIGITS and "e" not in text and "E" not in text:
        return None
    mantissa, _, exponent_text = text.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return None
    if len(significant) > MAX_DIGITS:
        return f"a number of {len(significant)} significant digits; DynamoDB holds {MAX_DIGITS}"
    # An exponent of nine digits is out of range whatever follows.
    exponent = int(exponent_text.lstrip("+-0")[:9] or "0") * (-1 if exponent_text.startswith("-") else 1)
    magnitude = exponent + len(digits) - len(fraction) - 1
    if not MIN_EXPONENT <= magnitude <= MAX_EXPONENT:
        return f"a number outside DynamoDB's range of 1E{MIN_EXPONENT} to 9.99E+{MAX_EXPONENT}"
    return None


def number_value(text: str) -> tuple[bool, str, int]:
    """Sign, digits and exponent of a JSON number that DynamoDB can hold: equal for numbers of equal value."""
    mantissa, _, exponent_text = text.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return False, "", 0
    exponent = int(exponent_text.lstrip("+-0") or "0") * (-1 if exponent_text.startswith("-") else 1)
    return mantissa.startswith("-"), significant, exponent - len(fraction) + len(digits) - len(significant)


def shown(text: str, longest: int = 60) -> str:
    """The text as shown in a message: quoted, and cut if it is longer."""
    return repr(text if len(text) <= longest else text[:longest] + "...")
