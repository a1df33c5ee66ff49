"""Cells -> what is stored of them: the one form of a timestamp, and numbers that DynamoDB can hold. Pure.

The proof's own reading of docs/handlers.md, "Which rows are stored".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context

from simulator.base import limits
from simulator.proof.content import number_value, text_value

JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SURELY_HELD = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_EXPONENT_DIGITS = 9  # more of them are out of range whatever they say
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_INSTANT = re.compile(
    r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:[.,]([0-9]+))?)? ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_SECOND = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z?")
_TIME_OF_DAY = re.compile(r"%[HIMSfpXcT]")


class NotStorable(Exception):
    """A cell that keeps its row out of the table."""


def value(cell: str) -> str:
    """What a filled cell becomes, as an attribute's value. Raises `NotStorable`."""
    if not JSON_NUMBER.fullmatch(cell):
        return text_value(cell)
    if not _SURELY_HELD.fullmatch(cell) and not _held(cell):
        raise NotStorable
    return number_value(cell)


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


def timestamp_reader(timestamp_format: str | None) -> Callable[[str], str]:
    """From a cell to the stored form: UTC with six digits of a second, or a date alone. It raises `NotStorable`."""
    if timestamp_format is None:
        return _by_iso_8601
    with_time = _TIME_OF_DAY.search(timestamp_format.replace("%%", "")) is not None

    def read(text: str) -> str:
        try:
            moment = datetime.strptime(text.strip(), timestamp_format)  # noqa: DTZ007 - no zone means UTC
        except ValueError:
            return _by_iso_8601(text)
        return _stored(moment) if with_time else f"{moment.date()}"

    return read


def _by_iso_8601(text: str) -> str:
    if _SECOND.fullmatch(text):
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise NotStorable from None
        return f"{text[:10]}T{text[11:19]}.000000Z"
    found = _INSTANT.fullmatch(text.strip())
    if found is None:
        raise NotStorable
    year, _, month, day, hour, minute, second, fraction, zone = found.groups()
    digits = (fraction or "").ljust(6, "0")
    if digits[6:].strip("0"):
        raise NotStorable  # finer than a microsecond
    try:
        if hour is None:
            return f"{datetime(int(year), int(month), int(day), tzinfo=UTC).date()}"
        clock = int(hour), int(minute), int(second or 0), int(digits[:6])
        return _stored(datetime(int(year), int(month), int(day), *clock, tzinfo=_zone(zone)))
    except ValueError:
        raise NotStorable from None


def _zone(text: str | None) -> timezone:
    if text in (None, "Z", "z"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _stored(moment: datetime) -> str:
    try:
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except OverflowError:
        raise NotStorable from None
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z".rjust(27, "0")
