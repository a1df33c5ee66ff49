"""What a cell means: timestamps to their one stored form, numbers within DynamoDB's bounds. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
MAX_DIGITS = 38
"""Significant digits of a DynamoDB number (Developer Guide, "Service quotas": data types)."""
MAX_EXPONENT = 125
"""9.99...E+125 is the largest magnitude, 1E-130 the smallest (the same page)."""
MIN_EXPONENT = -130

# A date that exists (but for 29 February, which is looked up) and a time that does.
DATE = (
    r"(?!0000)[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_STORED = re.compile(rf"{DATE}(?:T{TIME}\.[0-9]{{6}}Z)?")
_ISO_8601 = re.compile(
    r"(?P<year>[0-9]{4})(?P<dash>-?)(?P<month>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})"
    r"(?:[Tt ](?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2})(?::?(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r" ?(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_TIME_DIRECTIVES = re.compile(r"%[HIMSfpXcT]")
_NO_SUCH = ": no such date or time"
_CACHED_TEXTS = 4096


class Refusal(ValueError):
    """Why a row cannot be stored.

    `kind` is the reason without what differs from row to row, `cell` the text that it is about, `setting` the
    environment variable that might mend it, each None where there is none.
    """

    def __init__(self, reason: str, kind: str | None = None, cell: str | None = None, setting: str | None = None):
        super().__init__(reason)
        self.kind = kind or reason
        self.cell = cell
        self.setting = setting


class BadTimestamp(Refusal):
    """The text is no timestamp; the message says what was read, and why it is none where there is more to say."""

    def __init__(self, text: str, why: str = "", setting: str | None = "TIMESTAMP_FORMAT") -> None:
        super().__init__(f"unreadable timestamp {shown(text)}{why}", f"unreadable timestamp{why}", text, setting)


def stored_instant(instant: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.ffffffZ`: always six digits, so that texts sort as instants do."""
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def timestamp_parser(strptime_format: str | None) -> Callable[[str], str]:
    """A function from a cell to the stored form: an instant in UTC, or `YYYY-MM-DD` where no time of day is given.

    It reads `strptime_format`, if there is one, and ISO 8601. It raises `BadTimestamp`. Texts repeat within a file, so
    it remembers the last few thousand.
    """
    if strptime_format is None:
        return lru_cache(_CACHED_TEXTS)(_iso_8601)
    has_time = _TIME_DIRECTIVES.search(strptime_format.replace("%%", "")) is not None

    def parse(text: str) -> str:
        try:
            instant = datetime.strptime(text.strip(), strptime_format)  # noqa: DTZ007 - no zone means UTC
        except ValueError:
            try:
                return _iso_8601(text)
            except BadTimestamp:
                raise BadTimestamp(text, f": neither {strptime_format!r} nor ISO 8601") from None
        if not has_time:
            return instant.date().isoformat()
        try:
            return stored_instant(instant.astimezone(UTC) if instant.tzinfo else instant)
        except OverflowError:
            raise BadTimestamp(text, _NO_SUCH) from None

    return lru_cache(_CACHED_TEXTS)(parse)


def bad_strptime_format(strptime_format: str) -> str | None:
    """Why this is no strptime format; None if it is one."""
    try:
        datetime.strptime("", strptime_format)  # noqa: DTZ007 - only the format is of interest
    except ValueError as error:
        text = str(error)
        return None if text.startswith("time data") else text
    except (re.error, IndexError) as error:
        return str(error)
    return "it is empty"


def bad_number(text: str) -> str | None:
    """Why DynamoDB cannot hold this JSON number; None if it can, which then keeps every digit as written."""
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
    # Nine digits of an exponent are out of range whatever follows them.
    exponent = int(exponent_text.lstrip("+-0")[:9] or "0") * (-1 if exponent_text.startswith("-") else 1)
    magnitude = exponent + len(digits) - len(fraction) - 1
    if not MIN_EXPONENT <= magnitude <= MAX_EXPONENT:
        return f"a number outside DynamoDB's range of 1E{MIN_EXPONENT} to 9.99E+{MAX_EXPONENT}"
    return None


def number_value(text: str) -> tuple[bool, str, int]:
    """Sign, digits and exponent of a JSON number that DynamoDB can hold: alike for numbers of the same value."""
    mantissa, _, exponent_text = text.lower().partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return False, "", 0
    exponent = int(exponent_text.lstrip("+-0") or "0") * (-1 if exponent_text.startswith("-") else 1)
    return mantissa.startswith("-"), significant, exponent - len(fraction) + len(digits) - len(significant)


def _iso_8601(text: str) -> str:
    if _STORED.fullmatch(text):
        return text
    match = _ISO_8601.fullmatch(text.strip())
    if match is None:
        raise BadTimestamp(text)
    part = match.groupdict()
    # Nanoseconds are common; digits that microseconds cannot hold must not vanish.
    fraction = part["fraction"] or ""
    if fraction[6:].strip("0"):
        raise BadTimestamp(text, ": finer than a microsecond", None)
    try:
        day = date(int(part["year"]), int(part["month"]), int(part["day"]))
        if part["hour"] is None:
            return day.isoformat()
        microsecond = int(fraction[:6].ljust(6, "0"))
        clock = time(int(part["hour"]), int(part["minute"]), int(part["second"] or 0), microsecond, _zone(part["zone"]))
        return stored_instant(datetime.combine(day, clock).astimezone(UTC))
    except (ValueError, OverflowError):
        raise BadTimestamp(text, _NO_SUCH) from None


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def shown(text: str, longest: int = 60) -> str:
    """The text in a message: quoted, and cut if it is longer."""
    return repr(text if len(text) <= longest else text[:longest] + "...")
