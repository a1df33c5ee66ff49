"""What a header means: which columns are the key, and what each column is called in the table. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.decoding import ObjectUnreadable
from pipeline.values import shown

MAX_NAME_BYTES = 65535
"""The longest name of an attribute (DynamoDB Developer Guide, "Service quotas": attributes)."""
MAX_COLUMNS = 16_384
"""What a spreadsheet can hold. A wider header is unlikely to be one, and would delay other objects."""
SURROGATES = re.compile("[\ud800-\udfff]")
"""What remains of bytes that are not text."""
TIMESTAMP_NAMES = ("timestamp", "datetime", "date", "time")
"""The names that mean a time."""
_COMPARED_CHARS = 64
_OTHER_FORMATS = ((("{", "["), "JSON"), (("<!doctype", "<html", "<?xml"), "a web page or XML"))


class KeyPlaces(NamedTuple):
    """Where a row's key is: the ticker's column (None: the file's name) and the columns of the timestamp."""

    ticker: int | None
    timestamp: tuple[int, ...]


def folded_name(name: str) -> str:
    """A column's name for comparison: case and surrounding blanks do not count."""
    return name.strip(" \t").lower()


def bare_name(name: str) -> str:
    """The same without surrounding angle brackets."""
    folded = folded_name(name)
    return folded[1:-1] if folded.startswith("<") and folded.endswith(">") else folded


def key_columns(header: Sequence[str], ticker: str | None, timestamp: str | None, delimiter: str = ",") -> KeyPlaces:
    """Where the key's columns are: those that the settings name, or those with the usual names.

    Raises `ObjectUnreadable` if a named column is missing, because another one would give other keys; if there is no
    timestamp column; or if ticker and timestamp would be the same one. `delimiter` separates the names in a reason.
    """
    columns = HeaderNames(header, delimiter)
    if ticker is not None:
        ticker_at = columns.find(ticker)
        if ticker_at is None:
            raise columns.missing("TICKER_COLUMN", ticker, columns.nearest(ticker))
    else:
        ticker_at = columns.first_of("ticker", "symbol")
    timestamp_at = columns.timestamp() if timestamp is None else columns.named_timestamp(timestamp)
    if ticker_at in timestamp_at:
        raise ObjectUnreadable(
            f"the column {header[ticker_at]!r} cannot be both ticker and timestamp",
            "TIMESTAMP_COLUMN" if ticker is None else "TICKER_COLUMN",
        )
    return KeyPlaces(ticker_at, timestamp_at)


def attribute_names(header: Sequence[str]) -> list[str]:
    """What each column is called in the table. Raises `ObjectUnreadable` if two have the same name."""
    # DynamoDB has no nameless attributes, and pandas writes its index as a nameless column.
    named = [name.lower().replace(" ", "_") if name.strip() else f"column_{i + 1}" for i, name in enumerate(header)]
    twice = [name for name, count in Counter(named).items() if count > 1]
    if twice:
        raise ObjectUnreadable(f"the header has the column {shown(min(twice))} twice")
    if any(len(name.encode()) > MAX_NAME_BYTES for name in named):
        raise ObjectUnreadable(f"a column name of more than {MAX_NAME_BYTES} bytes")
    return named


def other_format(beginning: str) -> str | None:
    """The format that a text with this beginning probably has, if not CSV; None if it gives no sign of one."""
    folded = beginning.lstrip().lower()
    return next((name for signs, name in _OTHER_FORMATS if folded.startswith(signs)), None)


class HeaderNames:
    """Finds a header's names. `delimiter` separates them in a reason."""

    def __init__(self, header: Sequence[str], delimiter: str = ",") -> None:
        self._header = header
        self._delimiter = delimiter
        self._folded: dict[str, int] = {}
        self._bare: dict[str, int] = {}
        for at, name in enumerate(header):
            folded = folded_name(name)
            self._folded.setdefault(folded, at)
            self._bare.setdefault(bare_name(folded) if folded.startswith("<") else folded, at)

    def find(self, name: str) -> int | None:
        """The first column of this name, or else of this name with brackets added or removed."""
        at = self._folded.get(folded_name(name))
        return self._bare.get(bare_name(name)) if at is None else at

    def first_of(self, *names: str) -> int | None:
        """The first of these columns that exists."""
        return next((at for at in map(self.find, names) if at is not None), None)

    def timestamp(self) -> tuple[int, ...]:
        """The timestamp columns by the usual names. Raises `ObjectUnreadable` if there are none."""
        at = self.first_of("timestamp", "datetime")
        if at is None:
            day, clock = self.find("date"), self.find("time")
            if day is not None and clock is not None:
                return day, clock
            at = clock if day is None else day
        if at is None and not folded_name(self._header[0]):
            at = 0
        if at is not None:
            return (at,)
        reason = f"no timestamp column in the header {shown(self._delimiter.join(self._header), 120)}"
        other = other_format(self._header[0])
        if other is not None:
            raise ObjectUnreadable(f"{reason}, which looks like {other}")
        raise ObjectUnreadable(reason, "TIMESTAMP_COLUMN")

    def named_timestamp(self, wanted: str) -> tuple[int, ...]:
        """The column of this name, or the two joined by a plus in it. Raises `ObjectUnreadable` if missing."""
        at = self.find(wanted)
        if at is not None:
            return (at,)
        for first, second in _halves(wanted):
            day, clock = self.find(first), self.find(second)
            if day is None or clock is None:
                continue
            if day == clock:
                raise ObjectUnreadable(
                    f"TIMESTAMP_COLUMN {shown(wanted)} joins the column {shown(self._header[day])} with itself",
                    "TIMESTAMP_COLUMN",
                )
            return day, clock
        raise self.missing("TIMESTAMP_COLUMN", wanted, self._nearest_timestamp(wanted))

    def missing(self, setting: str, wanted: str, nearest: str) -> ObjectUnreadable:
        """The exception to raise when the wanted column is missing."""
        return ObjectUnreadable(
            f"{setting} {shown(wanted)} is not among the columns {self._shown()}; the nearest is {shown(nearest)}",
            setting,
            nearest,
        )

    def nearest(self, wanted: str, *, but: str | None = None) -> str:
        """The name most likely meant by a mistyped `wanted`, or the most similar one; never `but`."""
        import difflib  # hardly any object needs it

        text = folded_name(wanted)[:_COMPARED_CHARS]

        def likeness(name: str) -> float:
            return difflib.SequenceMatcher(None, text, folded_name(name)[:_COMPARED_CHARS]).ratio()

        return max((name for name in self._header if name != but), key=likeness)

    def _nearest_timestamp(self, wanted: str) -> str:
        """The same for one name, or for two that are joined."""
        halves = next(_halves(wanted), None)
        if halves is None or len(set(self._header)) == 1:
            return self.nearest(wanted)
        found = [self.find(half) for half in halves]
        names = [None if at is None else self._header[at] for at in found]
        if names[0] is None:
            names[0] = self.nearest(halves[0], but=names[1])
        if names[1] is None:
            names[1] = self.nearest(halves[1], but=names[0])
        return "+".join(name.strip(" \t") for name in names if name is not None)

    def _shown(self) -> str:
        return shown(self._delimiter.join(self._header), 120)[1:-1]


def _halves(name: str) -> Iterator[tuple[str, str]]:
    """Both halves of the name around each plus in it."""
    return ((name[:at], name[at + 1 :]) for at, sign in enumerate(name) if sign == "+")
