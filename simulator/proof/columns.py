"""What the names of an object's columns mean: which columns are the key, and what the others are called. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.proof.failures import Unreadable
from simulator.proof.splitting import BLANKS

HEADER_COLUMNS = 16_384
"""A wider header makes the object unreadable (docs/handlers.md, "Which rows are stored")."""
NAME_BYTES = 65_535
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_SHOWN_CHARACTERS = 200
_PAGES = ("<!doctype", "<html", "<?xml")


@dataclass(frozen=True, slots=True)
class KeyColumns:
    """Where an object's keys come from: `ticker` is a column's name, None: the file's name; `timestamp` a column.

    Two columns that form the timestamp are written `Date+Time`.
    """

    ticker: str | None
    timestamp: str


class Columns:
    """The meaning of a header, with TICKER_COLUMN and TIMESTAMP_COLUMN if given. The constructor raises `Unreadable`.

    `ticker_at` and `timestamp_at` are columns' positions, None: the file's name is the ticker; `attributes` are their
    names in the table, including those of the key.
    """

    def __init__(self, names: Sequence[str], ticker: str | None = None, timestamp: str | None = None) -> None:
        if len(names) > HEADER_COLUMNS:
            raise Unreadable(f"a header of {len(names):,} columns; at most {HEADER_COLUMNS:,} are read")
        if any(map(_NOT_TEXT.search, names)):
            raise Unreadable("the header is not text")
        find = _Finder(names)
        self.timestamp_at = _timestamp_at(find, timestamp)
        self.ticker_at = _ticker_at(find, ticker)
        if self.ticker_at in self.timestamp_at:
            raise Unreadable(f"the column {names[self.ticker_at]!r} cannot be both ticker and timestamp")
        self.attributes = [
            name.lower().replace(" ", "_") if name.strip() else f"column_{number}"
            for number, name in enumerate(names, 1)
        ]
        if len(set(self.attributes)) < len(names):
            raise Unreadable("the header has a column twice")
        if any(len(name.encode()) > NAME_BYTES for name in self.attributes):
            raise Unreadable("a column's name is too long for DynamoDB")
        self.keys = KeyColumns(
            None if self.ticker_at is None else names[self.ticker_at], "+".join(names[at] for at in self.timestamp_at)
        )


def joins_itself(timestamp_column: str) -> bool:
    """Whether a setting joins a column with itself, whatever the header is."""
    first, _, second = timestamp_column.partition("+")
    bare = _bare(_folded(first))
    return bare != "" and bare == _bare(_folded(second))


class _Finder:
    """Finds a column by its name: in any case, ignoring surrounding blanks and, if need be, angle brackets."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._folded: dict[str, int] = {}
        self._bare: dict[str, int] = {}
        for at, name in enumerate(names):
            folded = _folded(name)
            self._folded.setdefault(folded, at)
            self._bare.setdefault(_bare(folded), at)

    def __call__(self, wanted: str) -> int | None:
        folded = _folded(wanted)
        found = self._folded.get(folded)
        return self._bare.get(_bare(folded)) if found is None else found

    def header(self) -> str:
        """The header as shown in a message."""
        return ",".join(self.names)[:_SHOWN_CHARACTERS]


def _folded(name: str) -> str:
    return name.strip(BLANKS).lower()


def _bare(folded: str) -> str:
    return folded[1:-1] if folded.startswith("<") and folded.endswith(">") else folded


def _ticker_at(find: _Finder, wanted: str | None) -> int | None:
    if wanted is None:
        found = find("ticker")
        return find("symbol") if found is None else found
    if (found := find(wanted)) is None:
        raise Unreadable(f"TICKER_COLUMN {wanted!r} is not in the header")
    return found


def _timestamp_at(find: _Finder, wanted: str | None) -> tuple[int, ...]:
    if wanted is not None:
        return _wanted_timestamp(find, wanted)
    for name in ("timestamp", "datetime"):
        if (at := find(name)) is not None:
            return (at,)
    date_and_time = tuple(at for name in ("date", "time") if (at := find(name)) is not None)
    if date_and_time:
        return date_and_time
    if not _folded(find.names[0]):
        return (0,)
    raise Unreadable(f"no timestamp column in the header {find.header()!r}{_looks_like(find.header())}")


def _wanted_timestamp(find: _Finder, wanted: str) -> tuple[int, ...]:
    if (whole := find(wanted)) is not None:
        return (whole,)
    for plus in re.finditer(r"\+", wanted):
        first, second = find(wanted[: plus.start()]), find(wanted[plus.end() :])
        if first is None or second is None:
            continue
        if first == second:
            raise Unreadable(f"TIMESTAMP_COLUMN {wanted!r} joins the column {find.names[first]!r} with itself")
        return first, second
    raise Unreadable(f"TIMESTAMP_COLUMN {wanted!r} is not in the header")


def _looks_like(header: str) -> str:
    if header.startswith(("{", "[")):
        return "; it looks like JSON"
    return "; it looks like a web page or XML" if header.lower().startswith(_PAGES) else ""
