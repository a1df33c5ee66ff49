"""Reads whole columns of timestamps and numbers at once, with regular expressions over all cells of a column. Pure.

This costs a fraction of reading each cell alone. `timestamps.py` and `values.py` define what each text means and read
whatever is not in a usual form; for the usual forms, this file gives the same results.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from itertools import repeat

from pipeline.timestamps import DATE, TIME, BadTimestamp, joined_timestamp
from pipeline.zones import named_zone, utc_of

BLOCKS_MAX = 20_000
"""For each zone, how many hours, or parts of an hour, are cached."""


@cache
def _all(cell: str) -> re.Pattern[str]:
    """Matches cells joined by line ends if each of them matches. Compiled on first use."""
    return re.compile(rf"(?:{cell}\n)*{cell}")


_STORED_INSTANTS = _all(rf"{DATE}T{TIME}\.[0-9]{{6}}Z")
_STORED_DATES = _all(DATE)
_WHOLE_SECONDS = _all(rf"{DATE}[T ]{TIME}Z?")
_MINUTE = TIME.rpartition(":")[0]
# By length: how a local time is written, and the ending that makes it the stored form.
_LOCAL = {
    16: (rf"{DATE}[T ]{_MINUTE}", ":00.000000Z"),
    19: (rf"{DATE}[T ]{TIME}", ".000000Z"),
    23: (rf"{DATE}[T ]{TIME}[.,][0-9]{{3}}", "000Z"),
    26: (rf"{DATE}[T ]{TIME}[.,][0-9]{{6}}", "Z"),
}
_UTC = {
    17: (rf"{DATE}[T ]{_MINUTE}Z", ":00.000000Z"),
    20: (rf"{DATE}[T ]{TIME}Z", ".000000Z"),
    24: (rf"{DATE}[T ]{TIME}[.,][0-9]{{3}}Z", "000Z"),
    27: (rf"{DATE}[T ]{TIME}[.,][0-9]{{6}}Z", "Z"),
}
_BASIC = {
    13: r"[0-9]{8}[T ][0-9]{4}",
    15: r"[0-9]{8}[T ][0-9]{6}",
}
_UNIX = {
    10: "[0-9]{10}",
    13: "[0-9]{13}",
    16: "[0-9]{16}",
    19: "[0-9]{16}000",
}
_SHORT_HOUR = re.compile(r"(?<=[T ])(?=[0-9]:)")
# An hour, ten minutes, a minute: the fewest characters in which local time and UTC differ.
_BLOCKS = {len("YYYY-MM-DD HH"): 60, len("YYYY-MM-DD HH:M"): 10, len("YYYY-MM-DD HH:MM"): 1}


class TimestampColumn:
    """Reads the timestamps of many rows. `parse` reads one text, as local time in the zone `zone_name`.

    `iso_first`: there is no format that could read a usual form differently.
    """

    def __init__(self, parse: Callable[[str], str], zone_name: str | None, *, iso_first: bool) -> None:
        self._parse = parse
        self._zone = named_zone(zone_name)
        self._zone_name = zone_name
        self._iso_first = iso_first
        self._widths = list(_BLOCKS)

    def read(self, cells: Sequence[Sequence[str]]) -> Sequence[str] | None:
        """The stored form of each row's timestamp; None if any is not a timestamp. `cells` is one column or two."""
        column = cells[0] if len(cells) == 1 else [f"{day} {clock}" for day, clock in zip(*cells, strict=True)]
        if self._iso_first:
            joined = "\n".join(column)
            if joined.count("\n") == len(column) - 1:
                found = self._usual(column, joined)
                if found is not None:
                    return found
        if len(cells) > 1:
            column = list(map(joined_timestamp, zip(*cells, strict=True)))
        try:
            return list(map(self._parse, column))
        except BadTimestamp:
            return None

    def _usual(self, column: Sequence[str], joined: str) -> Sequence[str] | None:
        """The stored forms if all cells have the same usual form, else None."""
        if _STORED_INSTANTS.fullmatch(joined) or _STORED_DATES.fullmatch(joined):
            return column
        if self._zone is None and _WHOLE_SECONDS.fullmatch(joined):
            return [f"{text[:10]}T{text[11:19]}.000000Z" for text in column]
        first = column[0]
        length = len(first)
        if first.isdigit():
            unix = _UNIX.get(length)
            return _of_unix(column, length) if unix and _all(unix).fullmatch(joined) else None
        basic = _BASIC.get(length)
        if basic and _all(basic).fullmatch(joined):
            ends = ((11, 13),) if length == 13 else ((11, 13), (13, 15))
            column = [
                f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[9:11]}" + "".join(f":{text[a:b]}" for a, b in ends)
                for text in column
            ]
            return self._of_forms(column, "\n".join(column))
        found = self._of_forms(column, joined)
        if found is None and _SHORT_HOUR.search(joined):
            joined = _SHORT_HOUR.sub("0", joined)
            return self._of_forms(joined.split("\n"), joined)
        return found

    def _of_forms(self, column: Sequence[str], joined: str) -> Sequence[str] | None:
        length = len(column[0])
        utc = _UTC.get(length)
        if utc and _all(utc[0]).fullmatch(joined):
            return [f"{text[:10]}T{text[11:-1]}{utc[1]}" for text in joined.replace(",", ".").split("\n")]
        local = _LOCAL.get(length)
        if local is None or _all(local[0]).fullmatch(joined) is None:
            return None
        end = local[1]
        if "," in joined:
            column = joined.replace(",", ".").split("\n")
        if self._zone is None:
            return [f"{text[:10]}T{text[11:]}{end}" for text in column]
        while self._widths:
            width = self._widths[0]
            blocks = _blocks(self._zone_name, width)
            try:
                return [f"{blocks[text[:width]]}{text[width:]}{end}" for text in column]
            except _TooLarge:
                del self._widths[0]
            except _Undecided:
                return None
        return None


class _Undecided(Exception):
    """Local time and UTC do not differ by the same amount throughout a block of time."""


class _TooLarge(Exception):
    """Local time and UTC differ by an amount that is not a whole number of blocks."""


class _Blocks(dict[str, str]):
    """The beginning of a local time -> the beginning of the same time in UTC, for blocks of `minutes` minutes."""

    def __init__(self, zone: tzinfo, minutes: int) -> None:
        super().__init__()
        self._zone = zone
        self._minutes = minutes
        self._hours: dict[str, datetime | None] = {}

    def __missing__(self, local: str) -> str:
        if len(self) >= BLOCKS_MAX:
            self.clear()
            self._hours.clear()
        minute = int(local[14:].ljust(2, "0"))
        hour = local[:13]
        try:
            utc = self._hours[hour]
        except KeyError:
            utc = self._hours[hour] = self._begins(hour, 0, 60)
        if utc is None:
            utc = self._begins(hour, minute, self._minutes)
        else:
            utc += timedelta(minutes=minute)
        if utc is None:
            raise _Undecided
        if utc.second or utc.minute % self._minutes:
            raise _TooLarge
        found = self[local] = utc.isoformat()[: len(local)]
        return found

    def _begins(self, hour: str, minute: int, minutes: int) -> datetime | None:
        """The instant at which `minutes` minutes of an hour begin; None if local time jumps within them."""
        first = datetime.fromisoformat(f"{hour}:{minute:02}")
        last = first + timedelta(minutes=minutes, microseconds=-1)
        offset = self._zone.utcoffset(first)
        times = (last, first.replace(fold=1), last.replace(fold=1))
        try:
            if offset is not None and all(self._zone.utcoffset(time) == offset for time in times):
                return first - offset
            begin, end = utc_of(first, self._zone), utc_of(last, self._zone)
        except OverflowError:
            return None
        return begin if begin is not None and end is not None and end - begin == last - first else None


@cache
def _blocks(zone_name: str | None, width: int) -> _Blocks:
    zone = named_zone(zone_name)
    assert zone is not None  # noqa: S101 - UTC needs none
    return _Blocks(zone, _BLOCKS[width])


class _Hours(dict[int, str]):
    """Hours since 1970 -> the beginning of the stored form."""

    def __missing__(self, hour: int) -> str:
        if len(self) >= BLOCKS_MAX:
            self.clear()
        found = self[hour] = datetime.fromtimestamp(hour * 3600, UTC).isoformat()[:14]
        return found


_HOURS = _Hours()


@cache
def _clock() -> list[str]:
    """The minutes and seconds of each second of an hour."""
    return [f"{minute:02}:{second:02}" for minute in range(60) for second in range(60)]


def _of_unix(column: Sequence[str], length: int) -> list[str]:
    """Seconds since 1970, or thousandths, millionths or billionths of one."""
    clock = _clock()
    if length == len("1700000000"):
        return [
            f"{_HOURS[hour]}{clock[second]}.000000Z" for hour, second in map(divmod, map(int, column), repeat(3600))
        ]
    end = "000Z" if length == len("1700000000000") else "Z"
    seconds = map(divmod, [int(text[:10]) for text in column], repeat(3600))
    return [
        f"{_HOURS[hour]}{clock[second]}.{text[10:16]}{end}"
        for (hour, second), text in zip(seconds, column, strict=True)
    ]


class NumberColumn:
    """Reads the numbers of many rows: at most 36 digits and no exponent, which DynamoDB can always hold.

    `decimal_separator` and `lenient` say how the numbers are written, as for `number_reader`.
    """

    def __init__(self, decimal_separator: str, *, lenient: bool) -> None:
        self._sign = decimal_separator
        self._group = ("," if decimal_separator == "." else ".") if lenient else ""
        sign, group = re.escape(self._sign), re.escape(self._group)
        # At most 36 digits, no exponent and at most 18 decimals: within DynamoDB's limits without counting.
        # Possessive, because a shorter match never helps: this takes half the time of the backtracking form.
        whole = r"(?!0[0-9])[0-9]{1,18}+"
        if lenient:
            whole = rf"(?:[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}}){{1,5}}+|{whole})"
        self._numbers = _all(rf"-?+{whole}(?:{sign}[0-9]{{1,18}}+)?+")
        self.as_written = decimal_separator == "." and not lenient
        """Whether a number is stored as it is written."""

    def matches(self, joined: str) -> bool:
        """Whether all cells, joined by line ends, are such numbers."""
        return self._numbers.fullmatch(joined) is not None

    def read(self, column: Sequence[str], joined: str) -> Sequence[str]:
        """The stored form of each cell, given that all are such numbers."""
        if self._group and self._group in joined:
            joined = joined.replace(self._group, "")
            column = []
        if self._sign != "." and self._sign in joined:
            joined = joined.replace(self._sign, ".")
            column = []
        return column or joined.split("\n")


@cache
def number_column(decimal_separator: str, *, lenient: bool) -> NumberColumn:
    """The reader of numbers written in this way; the objects of a run share it."""
    return NumberColumn(decimal_separator, lenient=lenient)
