"""Cells -> the stored form of a timestamp: an instant in UTC with six digits after the seconds, or only a date.

This is the proof's own reading of docs/handlers.md, "Which rows are stored". Zones come from the package `tzdata`,
never from the machine, so that a timestamp means the same everywhere.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from simulator.base.zones import zone
from simulator.proof.failures import NotStorable

_ISO_8601 = re.compile(
    r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}|[0-9](?=:)):?([0-9]{2})(?::?([0-9]{2})(?:[.,]([0-9]+))?)?"
    r" ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_SECOND = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z?")
_TIME_OF_DAY = re.compile(r"%[HIMSfpXcT]")
_UNIX = re.compile(r"([0-9]{10})((?:[0-9]{3}){0,3})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIRECTIVE = re.compile(r"%(.)", re.DOTALL)
_UTC_NAMES = ("UTC", "GMT", "Z")


class Timestamps:
    """Reads timestamps: by the format, if there is one, as ISO 8601, or as a Unix time, in that order.

    A time of day without a zone is local in `time_zone`. `used` are the settings that made a difference.
    """

    def __init__(self, timestamp_format: str | None = None, time_zone: str = "UTC") -> None:
        self.used: set[str] = set()
        self._zone = None if time_zone == "UTC" else zone(time_zone)
        self._formats = () if timestamp_format is None else _with_utc_named(timestamp_format)
        plain = (timestamp_format or "").replace("%%", "")
        self._with_time = _TIME_OF_DAY.search(plain) is not None
        self._names_utc = "%Z" in plain

    def read(self, text: str) -> str:
        """The stored form. Raises `NotStorable`."""
        if self._formats and (moment := self._by_format(text.strip())) is not None:
            self.used.add("TIMESTAMP_FORMAT")
            return self._instant(moment) if self._with_time else f"{moment.date()}"
        if (self._zone is None or text.endswith("Z")) and _SECOND.fullmatch(text):
            try:
                datetime.fromisoformat(text)
            except ValueError:
                raise NotStorable from None
            return f"{text[:10]}T{text[11:19]}.000000Z"
        text = text.strip()
        if (found := _ISO_8601.fullmatch(text)) is not None:
            return self._by_iso_8601(found)
        if (found := _UNIX.fullmatch(text)) is not None:
            return _by_unix(*found.groups())
        raise NotStorable

    def _by_format(self, text: str) -> datetime | None:
        for each in self._formats:
            try:
                moment = datetime.strptime(text, each)  # noqa: DTZ007 - the zone is added where it is not in the text
            except ValueError:
                continue
            return moment.replace(tzinfo=UTC) if self._names_utc and moment.tzinfo is None else moment
        return None

    def _by_iso_8601(self, found: re.Match[str]) -> str:
        year, _, month, day, hour, minute, second, fraction, zone = found.groups()
        digits = (fraction or "").ljust(6, "0")
        if digits[6:].strip("0"):
            raise NotStorable  # finer than a microsecond
        try:
            if hour is None:
                return f"{datetime(int(year), int(month), int(day), tzinfo=UTC).date()}"
            clock = int(hour), int(minute), int(second or 0), int(digits[:6])
            moment = datetime(int(year), int(month), int(day), *clock, tzinfo=_offset(zone))
        except ValueError:
            raise NotStorable from None
        return self._instant(moment)

    def _instant(self, moment: datetime) -> str:
        try:
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC)
            elif self._zone is not None:
                # Even if it takes the time for one that does not exist.
                self.used.add("TIME_ZONE")
                moment = _from_local(moment, self._zone)
        except (OverflowError, ValueError):
            raise NotStorable from None
        return _stored(moment)


def _with_utc_named(timestamp_format: str) -> tuple[str, ...]:
    """The format with each name of UTC instead of `%Z`, with which strptime also reads the machine's zone."""
    directives = _DIRECTIVE.split(timestamp_format)
    # Every other part is the character after a per cent sign.
    return tuple(
        "".join(part if at % 2 == 0 else name if part == "Z" else f"%{part}" for at, part in enumerate(directives))
        for name in (_UTC_NAMES if "Z" in directives[1::2] else _UTC_NAMES[:1])
    )


def _by_unix(seconds: str, fraction: str) -> str:
    if fraction[6:].strip("0"):
        raise NotStorable  # finer than a microsecond
    microseconds = int(fraction[:6].ljust(6, "0"))
    return _stored(_EPOCH + timedelta(seconds=int(seconds), microseconds=microseconds))


def _from_local(moment: datetime, zone: ZoneInfo) -> datetime:
    """The instant in UTC; the first of two. Raises `NotStorable` for a time that the clocks there skipped."""
    instant = moment.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != moment:
        raise NotStorable
    return instant


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text in ("Z", "z"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _stored(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z".rjust(27, "0")
