"""How cells write numbers and missing values, and what only resembles one. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from simulator.files.reading import number_reader

NULL_WORDS = (
    *("null", "NULL", "Null", "NaN", "nan", "NAN", "NA", "na", "N/A", "n/a", "#N/A", "#NA", "#N/A N/A", "#VALUE!"),
    *("#DIV/0!", "#REF!", "None", "none", "NONE", "nil", "NIL", "-", "--", "---", ".", "..", "?", "*", r"\N", "NaT"),
    *("<NA>", "<null>", "(null)", "missing", "n.a.", "N.A.", "n.d.", "k.A.", "inf", "-inf", "Inf", "\u2013", "\u2014"),
)
"""What people and programs write where there is no value."""
_KINDS = {
    "a percentage": re.compile(r"[+-]?[0-9][0-9.,]* ?%"),
    "a number with K, M or B": re.compile(r"[+-]?[0-9][0-9.,]* ?(?:[KkMmBbTt]|[Mm]n|[Bb]n|[Mm]io|[Mm]rd)\.?"),
    "an amount with a currency": re.compile(
        r"(?:[$€£¥₹]|USD|EUR|GBP|JPY|INR|CHF|Rs\.?) ?[+-]?[0-9][0-9.,]*|-[$€£¥₹] ?[0-9][0-9.,]*"
        r"|[+-]?[0-9][0-9.,]* ?(?:[$€£¥₹]|USD|EUR|GBP|JPY|INR|CHF)"
    ),
    "a number in brackets": re.compile(r"\([0-9][0-9.,]*\)"),
    "a grouped number": re.compile(
        r"[+-]?[0-9]{1,3}(?:([,. '\u00a0\u202f\u2019])[0-9]{3})(?:\1[0-9]{3})*(?:[.,][0-9]+)?"
        r"|[+-]?[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]+)?"
    ),
    "a leading plus": re.compile(r"\+[0-9]*[.,]?[0-9]+(?:[eE][+-]?[0-9]+)?"),
    "a decimal comma": re.compile(r"-?[0-9]*,[0-9]*"),
    "a decimal point": re.compile(r"-?[0-9]*\.[0-9]*"),
    "a minus sign of another kind": re.compile(r"(?:[\u2212\u2013\ufe63\uff0d] ?|- )[0-9][0-9.,]*|[0-9][0-9.,]*-"),
    "a number within blanks": re.compile(r"(?=\s|.*\s\Z)\s*[+-]?[0-9][0-9.,]*\s*"),
    "leading zeros": re.compile(r"-?0[0-9]+(?:[.,][0-9]+)?"),
}


def looks_like(text: str) -> str | None:
    """What a text cell was perhaps meant to be: a null word, or some form of number; None if neither."""
    if text in _NULLS:
        return "a null word"
    if len(text) > 40 or not any(map(str.isdecimal, text[:16])):
        return None
    return next((kind for kind, form in _KINDS.items() if form.fullmatch(text)), None)


_NULLS = frozenset(NULL_WORDS)


def is_number(text: str, point: str, *, lenient: bool) -> bool:
    """Whether the cell is a number under these two settings."""
    return number_reader(point, lenient=lenient)(text) is not None


def null_words(columns: Iterable[Sequence[str]], known: Sequence[str] = ()) -> tuple[str, ...]:
    """The words for "no value" in columns that otherwise hold numbers, or are mostly empty."""
    found: set[str] = set()
    for cells in columns:
        counts = Counter(cell for cell in cells if cell)
        words = {cell for cell in counts if cell in _NULLS and cell not in known}
        rest = {cell: count for cell, count in counts.items() if cell not in _NULLS}
        numbers = sum(count for cell, count in rest.items() if _is_some_number(cell))
        if words and numbers * 2 >= sum(rest.values()):
            found |= words
    return tuple(word for word in NULL_WORDS if word in found)


_DECIMAL_COMMA = re.compile(r"[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]*),[0-9]+")
_POINT_GROUP = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+")


def number_settings(
    columns: Iterable[Sequence[str]], point: str | None, lenient: bool | None, *, semicolons: bool = False
) -> tuple[str, bool, bool]:
    """The decimal separator, whether numbers must be read leniently, and whether another reading fits as well.

    The settings chosen are those under which the most cells are numbers. `point` and `lenient` are already given.
    `semicolons` separate the cells, which makes a comma decimal.
    """
    columns = list(columns)
    counts = Counter(cell for cells in columns for cell in cells if cell)
    # Three digits after a comma may be thousands: only another cell shows whether the comma is decimal.
    decimal = any(_DECIMAL_COMMA.fullmatch(cell) and not _GROUPS.fullmatch(cell) for cell in counts)
    points = [point] if point else [".", ","] if decimal or semicolons else ["."]
    ways = [(each, free) for each in points for free in ([lenient] if lenient is not None else [False, True])]
    numbers = {way: _count(counts, *way) for way in ways}
    # The first of those that read the most numbers: the fewest settings.
    chosen = max(ways, key=lambda way: (numbers[way], not way[1], way[0] == "."))
    single = any(_GROUPS.fullmatch(cell) and cell.count(",") == 1 for cell in counts)
    others = {(".", True): (",", False), (",", False): (".", True)}
    ambiguous = single and chosen in others and _count(counts, *others[chosen]) == numbers[chosen]
    if semicolons and chosen == (".", False):
        ambiguous = _count(counts, ",", True) == numbers[chosen] and any(map(_may_be_thousands, columns))
    return chosen[0], chosen[1], ambiguous and point is None


def _may_be_thousands(cells: Sequence[str]) -> bool:
    """Whether every point in a column is followed by three digits."""
    pointed = [cell for cell in cells if "." in cell]
    return bool(pointed) and all(map(_POINT_GROUP.fullmatch, pointed))


def _count(counts: Mapping[str, int], point: str, lenient: bool) -> int:
    return sum(count for cell, count in counts.items() if is_number(cell, point, lenient=lenient))


def _is_some_number(text: str) -> bool:
    # A JSON number is a number under lenient reading, too.
    return any(is_number(text, point, lenient=True) for point in ".,")
