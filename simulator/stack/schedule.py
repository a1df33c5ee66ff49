"""Schedule expressions: `rate()`, `cron()` and Scheduler's `at()` -> due instants. Pure.

AWS: EventBridge User Guide, "Creating a rule that runs on a schedule"; EventBridge Scheduler User Guide, "Schedule
types". Rules accept rate and cron in UTC; Scheduler adds at(), and time zones. A schedule is due at most once per
minute.
"""

from __future__ import annotations

import calendar
import itertools
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from simulator.base import limits
from simulator.base.zones import zone, zone_names

_UNITS_S = {"minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(r"rate\((\d+) (minutes?|hours?|days?)\)")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr)}
_CALENDAR_END_AT = datetime.max.replace(tzinfo=UTC).timestamp()
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}


class ScheduleExpressionError(ValueError):
    """AWS would not accept the expression; the message says what is wrong with it, in AWS's words as far as known."""

    def __init__(self, expression: str, reason: str, parameter: str = "ScheduleExpression") -> None:
        super().__init__(f"Parameter {parameter} is not valid: '{expression}': {reason}")


Due = Callable[[float], Iterator[float]]
"""Every due instant from an instant on, ascending."""
DaysOf = Callable[[int, int], list[int]]
"""Year and month -> the days of that month that a cron expression names, ascending."""


def parse(expression: str, kind: Literal["rule", "scheduler"] = "rule", time_zone: str = "UTC") -> Due:
    """The schedule that `expression` means. Raises `ScheduleExpressionError` if AWS would refuse it.

    cron() and at() are local times in `time_zone`. Scheduler User Guide, "Schedule types": a time that does not exist
    when clocks are put forward is skipped; one that occurs twice when they are put back is due once.
    """
    if time_zone not in zone_names():
        why = "not the name of a time zone, like America/New_York"
        raise ScheduleExpressionError(time_zone, why, "ScheduleExpressionTimezone")
    if expression.startswith("rate("):
        return _parse_rate(expression, kind)
    if expression.startswith("cron("):
        return _parse_cron(expression, zone(time_zone))
    if kind == "scheduler" and expression.startswith("at("):
        return _parse_at(expression, zone(time_zone))
    known = "rate(), cron() or at()" if kind == "scheduler" else "rate() or cron()"
    raise ScheduleExpressionError(expression, f"write {known}")


def _parse_rate(expression: str, kind: Literal["rule", "scheduler"]) -> Due:
    """At fixed intervals from the rule's creation, until the calendar ends. Only rules mind the unit's number."""
    found = _RATE.fullmatch(expression)
    if not found:
        raise ScheduleExpressionError(expression, "write rate(VALUE UNIT), for example rate(5 minutes)")
    if len(found[1]) > 9:
        raise ScheduleExpressionError(expression, "the value has too many digits")
    value, unit = int(found[1]), found[2]
    if value == 0:
        raise ScheduleExpressionError(expression, "the value must be above zero")
    if kind == "rule" and (value == 1) == unit.endswith("s"):
        right = f"rate({value} {unit.rstrip('s')}{'' if value == 1 else 's'})"
        raise ScheduleExpressionError(expression, f"the unit is singular only for 1; write {right}")
    seconds = value * _UNITS_S[unit.rstrip("s")]
    return lambda start_at: itertools.takewhile(
        _CALENDAR_END_AT.__gt__, (start_at + number * seconds for number in itertools.count())
    )


def _instant(local: datetime) -> float | None:
    """The first instant at which a zone's clocks show this; None if they never do."""
    at = local.timestamp()
    return at if datetime.fromtimestamp(at, local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None) else None


def _parse_at(expression: str, zone: ZoneInfo) -> Due:
    """Once, unless the instant is in the past."""
    found = _AT.fullmatch(expression)
    try:
        instant = datetime.fromisoformat(found[1]) if found else None
    except ValueError:
        instant = None
    if instant is None:
        raise ScheduleExpressionError(expression, "write at(yyyy-mm-ddThh:mm:ss)")
    at = _instant(instant.replace(tzinfo=zone))
    return lambda start_at: iter(() if at is None or at < start_at else (at,))


def _parse_cron(expression: str, zone: ZoneInfo) -> Due:
    """Six fields: minutes, hours, day of month, month, day of week (1 = SUN), year. The last year ends it."""
    fields = expression.removeprefix("cron(").removesuffix(")").split() if expression.endswith(")") else []
    if len(fields) != 6:
        raise ScheduleExpressionError(expression, "write cron(minutes hours day-of-month month day-of-week year)")
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ScheduleExpressionError(expression, "one of day-of-month and day-of-week must be ?, and only one")
    try:
        minutes, hours = sorted(_values(fields[0], 0, 59)), sorted(_values(fields[1], 0, 23))
        days = _month_days(fields[2]) if fields[4] == "?" else _week_days(fields[4])
        months, years = sorted(_values(fields[3], 1, 12, _MONTHS)), sorted(_values(fields[5], *limits.SCHEDULE_YEARS))
    except ValueError as error:
        raise ScheduleExpressionError(expression, str(error)) from None

    def due(start_at: float) -> Iterator[float]:
        start = datetime.fromtimestamp(start_at, zone).date()
        for year, month in itertools.product(years, months):
            if (year, month) < (start.year, start.month):
                continue
            left = [day for day in days(year, month) if date(year, month, day) >= start]
            for day, hour, minute in itertools.product(left, hours, minutes):
                due_at = _instant(datetime(year, month, day, hour, minute, tzinfo=zone))
                if due_at is not None and due_at >= start_at:
                    yield due_at

    return due


def _month_days(field: str) -> DaysOf:
    if field == "L":
        return lambda year, month: [_length(year, month)]
    if field.endswith("W"):
        near = _value(field[:-1], 1, 31, {})
        return lambda year, month: _nearest_weekday(year, month, min(near, _length(year, month)))
    days = sorted(_values(field, 1, 31))
    return lambda year, month: [day for day in days if day <= _length(year, month)]


def _week_days(field: str) -> DaysOf:
    which = slice(None)
    if "#" in field:
        day, _, turn = field.partition("#")
        weekdays, number = {_value(day, 1, 7, _DAYS)}, _value(turn, 1, 5, {})
        which = slice(number - 1, number)
    elif field == "L":
        weekdays = {7}
    elif field.endswith("L"):
        weekdays, which = {_value(field[:-1], 1, 7, _DAYS)}, slice(-1, None)
    else:
        weekdays = _values(field, 1, 7, _DAYS)
    return lambda year, month: [
        day for day in range(1, _length(year, month) + 1) if _weekday(year, month, day) in weekdays
    ][which]


def _values(field: str, low: int, high: int, names: dict[str, int] | None = None) -> set[int]:
    """The values of one comma-separated field: `*`, a value, or a range `a-b`, each with an optional increment `/n`.

    An increment beyond the field's highest value is refused (aws-sdk-js issue 4212: */60 minutes).
    """
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        step = 1
        if slash:
            if not step_text.isdigit() or int(step_text) == 0:
                raise ValueError(f"'{part}' has no increment above zero")
            step = int(step_text)
            if step > high:
                raise ValueError(f"'{part}' has an increment above {high}")
        first_text, dash, last_text = span.partition("-")
        if span == "*":
            first, last = low, high
        elif dash:
            first, last = _value(first_text, low, high, names or {}), _value(last_text, low, high, names or {})
        else:
            first = _value(span, low, high, names or {})
            last = high if slash else first
        if first > last:
            raise ValueError(f"'{part}' runs backwards")
        found.update(range(first, last + 1, step))
    return found


def _value(text: str, low: int, high: int, names: dict[str, int]) -> int:
    number = names.get(text.upper(), int(text) if text.isascii() and text.isdigit() else -1)
    if not low <= number <= high:
        raise ValueError(f"'{text}' is not between {low} and {high}")
    return number


def _weekday(year: int, month: int, day: int) -> int:
    """1 = SUN ... 7 = SAT, as AWS counts."""
    return date(year, month, day).isoweekday() % 7 + 1


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _nearest_weekday(year: int, month: int, day: int) -> list[int]:
    """`15W`: the weekday nearest to the 15th within the month."""
    weekday = date(year, month, day).isoweekday()
    if weekday == 6:
        return [day - 1 if day > 1 else day + 2]
    if weekday == 7:
        return [day + 1 if day < _length(year, month) else day - 2]
    return [day]
