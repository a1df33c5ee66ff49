"""What a timestamp means: any of its forms -> the stored form, an instant in UTC or a date. Pure.

`timestamp_parser` reads one text, and says what is wrong with it. `TimestampColumn` (in `columns.py`) gives the same
results for a column in which all texts have one of the usual forms, by regular expressions over all of them and a cache
per hour, and leaves everything else to the parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache

from pipeline.values import Refusal, shown
from pipeline.zones import named_zone, utc_of

DATE = (
    r"(?!0000)[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
"""A date that exists; 29 February is not included, and is looked up."""
TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_STORED = re.compile(rf"{DATE}(?:T{TIME}\.[0-9]{{6}}Z)?")
_ISO_8601 = re.compile(
    r"(?P<year>[0-9]{4})(?P<dash>-?)(?P<month>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})"
    r"(?:[Tt ](?P<hour>[0-9]{2}|[0-9](?=:)):?(?P<minute>[0-9]{2})"
    r"(?::?(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r" ?(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_UNIX = re.compile(r"[0-9]{10}(?:[0-9]{3}){0,3}")
_TIME_DIRECTIVES = re.compile(r"%[HIMSfpXcT]")
_DIRECTIVE = re.compile(r"%(.)", re.DOTALL)
_YEARS = frozenset("YyGcxDF")
"""The directives that give a year."""
_NO_SUCH = ": no such date or time"
_FINER = ": finer than a microsecond"
_CACHED_TEXTS = 4096


class BadTimestamp(Refusal):
    """The text is not a timestamp; the message quotes it, and adds why where there is more to say."""

    def __init__(self, text: str, why: str = "", setting: str | None = "TIMESTAMP_FORMAT") -> None:
        super().__init__(f"unreadable timestamp {shown(text)}{why}", f"unreadable timestamp{why}", text, setting)


def stored_instant(instant: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.ffffffZ`: always six digits, so that texts sort like instants."""
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def joined_timestamp(cells: Sequence[str]) -> str:
    """The text of a timestamp in several columns: the cells that are not empty, joined by blanks."""
    if len(cells) == 1:
        return cells[0]
    return " ".join(filter(None, (cell.strip(" \t") for cell in cells)))


@lru_cache(16)
def timestamp_parser(strptime_format: str | None, zone_name: str | None = None) -> Callable[[str], str]:
    """A function from a cell to the stored form: an instant in UTC, or `YYYY-MM-DD` if no time of day is given.

    It reads `strptime_format`, if there is one, ISO 8601 and Unix times. A time of day without a zone is in the zone
    `zone_name`, by default UTC. It raises `BadTimestamp`. Texts repeat within a file, so the last few thousand results
    are cached; the objects of a run share the cache.
    """
    reader = _Reader(strptime_format, zone_name)
    return lru_cache(_CACHED_TEXTS)(reader.iso_8601_or_unix if strptime_format is None else reader.by_format)


class _Reader:
    """Reads one text, as `timestamp_parser` describes."""

    def __init__(self, strptime_format: str | None, zone_name: str | None) -> None:
        self._zone = named_zone(zone_name)
        self._no_such_local = f": no such local time in {zone_name}"
        given = strptime_format or ""
        self._formats = _without_zone_names(given)
        self._names_zone = self._formats != [given]
        self._has_time = _TIME_DIRECTIVES.search(given.replace("%%", "")) is not None
        self._neither = f": neither {given!r} nor ISO 8601"
        if self._names_zone:
            self._neither += "; of zone names %Z reads UTC, GMT and Z"

    def by_format(self, text: str) -> str:
        """The text read by the format, or else as ISO 8601 or a Unix time."""
        stripped = text.strip()
        for candidate in self._formats:
            try:
                instant = datetime.strptime(stripped, candidate)  # noqa: DTZ007 - the zone comes next
            except ValueError:
                continue
            if not self._has_time:
                return instant.date().isoformat()
            if self._names_zone and instant.tzinfo is None:
                instant = instant.replace(tzinfo=UTC)
            return self._stored(instant, text)
        try:
            return self.iso_8601_or_unix(text)
        except BadTimestamp as bad:
            if bad.setting == "TIME_ZONE":
                raise
            raise BadTimestamp(text, self._neither) from None

    def iso_8601_or_unix(self, text: str) -> str:
        """The text read as ISO 8601, or else as a Unix time."""
        if _STORED.fullmatch(text):
            return text
        stripped = text.strip()
        match = _ISO_8601.fullmatch(stripped)
        if match is None:
            return _unix(stripped, text)
        part = match.groupdict()
        # Nanoseconds are common; digits that do not fit into microseconds must not vanish.
        fraction = part["fraction"] or ""
        if fraction[6:].strip("0"):
            raise BadTimestamp(text, _FINER, None)
        try:
            day = date(int(part["year"]), int(part["month"]), int(part["day"]))
            if part["hour"] is None:
                return day.isoformat()
            microsecond = int(fraction[:6].ljust(6, "0"))
            offset = _offset(part["zone"])
            clock = time(int(part["hour"]), int(part["minute"]), int(part["second"] or 0), microsecond, offset)
        except ValueError:
            raise BadTimestamp(text, _NO_SUCH) from None
        return self._stored(datetime.combine(day, clock), text)

    def _stored(self, instant: datetime, text: str) -> str:
        try:
            if instant.tzinfo is not None:
                return stored_instant(instant.astimezone(UTC))
            utc = instant if self._zone is None else utc_of(instant, self._zone)
        except (ValueError, OverflowError):
            raise BadTimestamp(text, _NO_SUCH) from None
        if utc is None:
            raise BadTimestamp(text, self._no_such_local, "TIME_ZONE")
        return stored_instant(utc)


def bad_strptime_format(strptime_format: str) -> str | None:
    """What is wrong with a strptime format; None if it can be used."""
    try:
        datetime.strptime("", strptime_format)  # noqa: DTZ007 - only the format is of interest
    except ValueError as error:
        text = str(error)
        if not text.startswith("time data"):
            return f"is not a strptime format: {text}"
    except (re.error, IndexError) as error:
        return f"is not a strptime format: {error}"
    if _YEARS.isdisjoint(_DIRECTIVE.findall(strptime_format)):
        return "has no year, so every time would be in 1900"
    return None


def _without_zone_names(strptime_format: str) -> list[str]:
    """The format with each of the names that `%Z` may match, or unchanged.

    Python's own `%Z` also accepts the names of the machine's zone, and attaches a zone for none of them.
    """
    if "Z" not in _DIRECTIVE.findall(strptime_format):
        return [strptime_format]

    def named(name: str) -> str:
        return _DIRECTIVE.sub(lambda found: name if found[1] == "Z" else found[0], strptime_format)

    return [named(name) for name in ("UTC", "GMT", "Z")]


def _unix(stripped: str, text: str) -> str:
    if _UNIX.fullmatch(stripped) is None:
        raise BadTimestamp(text)
    if stripped[16:].strip("0"):
        raise BadTimestamp(text, _FINER, None)
    second = datetime.fromtimestamp(int(stripped[:10]), UTC)
    return stored_instant(second.replace(microsecond=int(stripped[10:16].ljust(6, "0"))))


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
