"""Schedule expressions: AWS's grammar, and when they are due."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.stack.schedule import ScheduleExpressionError, parse


def instant(text: str) -> float:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def due(expression: str, start: str, count: int = 3) -> list[str]:
    """The first due instants in readable form."""
    instants = itertools.islice(parse(expression)(instant(start)), count)
    return [datetime.fromtimestamp(each, UTC).strftime("%Y-%m-%dT%H:%M") for each in instants]


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(1 hour)", 3600), ("rate(2 days)", 172_800)],
)
def test_rates(expression: str, seconds: int) -> None:
    """A rate is a value and its unit, singular only for one."""
    assert list(itertools.islice(parse(expression)(7.5), 3)) == [7.5, 7.5 + seconds, 7.5 + 2 * seconds]


def test_scheduler_takes_either_number_of_a_unit() -> None:
    """CreateSchedule lists both without a condition, and AWS's samples use `rate(5 minute)`; a rule refuses it."""
    assert list(itertools.islice(parse("rate(5 minute)", "scheduler")(0.0), 2)) == [0.0, 300.0]
    assert list(itertools.islice(parse("rate(1 minutes)", "scheduler")(0.0), 2)) == [0.0, 60.0]


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "rate(30 seconds)",
        "rate(1.5 hours)",
        "rate(minute)",
        "rate(1 minute",
        "every minute",
        "at(2026-11-22T09:00:00)",
        "cron(0 9 * * ? )",
        "cron(0 9 * * * *)",
        "cron(0 9 ? * ? *)",
        "cron(60 9 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 9 32 * ? *)",
        "cron(0 9 * 13 ? *)",
        "cron(0 9 ? * 8 *)",
        "cron(0 9 * * ? 1969)",
        "cron(0/0 9 * * ? *)",
        "cron(30-10 9 * * ? *)",
        "cron(x 9 * * ? *)",
        "cron(0 9 ? * MON#6 *)",
        "cron(0 9 ? * 8#1 *)",
        "cron(0 9 ? * 8L *)",
        "cron(0 9 32W * ? *)",
        "cron(٣ 9 * * ? *)",
    ],
)
def test_refused(expression: str) -> None:
    """What AWS does not accept is refused, with its words and the expression."""
    with pytest.raises(ScheduleExpressionError, match="Parameter ScheduleExpression is not valid") as refused:
        parse(expression)
    assert expression in str(refused.value)


@pytest.mark.parametrize(
    ("expression", "kind", "advice"),
    [
        ("rate(1 minutes)", "rule", "write rate(1 minute)"),
        ("rate(5 minute)", "rule", "write rate(5 minutes)"),
        ("cron(0/0 9 * * ? *)", "rule", "'0/0' has no increment above zero"),
        ("cron(0/x 9 * * ? *)", "rule", "'0/x' has no increment above zero"),
        ("cron(*/60 * * * ? *)", "rule", "'*/60' has an increment above 59"),
        ("cron(0 */24 * * ? *)", "rule", "'*/24' has an increment above 23"),
        ("every minute", "rule", "write rate() or cron()"),
        ("every minute", "scheduler", "write rate(), cron() or at()"),
        ("at(noon)", "scheduler", "write at(yyyy-mm-ddThh:mm:ss)"),
        ("at(2026-02-30T09:00:00)", "scheduler", "write at(yyyy-mm-ddThh:mm:ss)"),
    ],
)
def test_refusals_say_what_to_write(expression: str, kind: Literal["rule", "scheduler"], advice: str) -> None:
    """The reason says what to write instead."""
    with pytest.raises(ScheduleExpressionError) as refused:
        parse(expression, kind)
    assert str(refused.value).endswith(advice)


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        ("cron(0 9 * * ? *)", "2026-11-22T10:00", ["2026-11-23T09:00", "2026-11-24T09:00", "2026-11-25T09:00"]),
        ("cron(*/59 9 * * ? *)", "2026-11-22T08:00", ["2026-11-22T09:00", "2026-11-22T09:59", "2026-11-23T09:00"]),
        ("cron(0/20 9 * * ? *)", "2026-11-22T09:01", ["2026-11-22T09:20", "2026-11-22T09:40", "2026-11-23T09:00"]),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-20T19:00", ["2026-11-23T18:00", "2026-11-24T18:00", "2026-11-25T18:00"]),
        ("cron(0 0 L * ? *)", "2027-01-31T00:01", ["2027-02-28T00:00", "2027-03-31T00:00", "2027-04-30T00:00"]),
        ("cron(0 0 1W * ? *)", "2026-08-01T00:00", ["2026-08-03T00:00", "2026-09-01T00:00", "2026-10-01T00:00"]),
        ("cron(0 0 31W * ? *)", "2027-01-01T00:00", ["2027-01-29T00:00", "2027-02-26T00:00", "2027-03-31T00:00"]),
        ("cron(0 0 15W 8 ? *)", "2026-01-01T00:00", ["2026-08-14T00:00", "2027-08-16T00:00", "2028-08-15T00:00"]),
        ("cron(0 0 2W 5 ? *)", "2026-01-01T00:00", ["2026-05-01T00:00", "2027-05-03T00:00", "2028-05-02T00:00"]),
        ("cron(0 8 ? * SUN *)", "2026-11-22T00:00", ["2026-11-22T08:00", "2026-11-29T08:00", "2026-12-06T08:00"]),
        ("cron(0 8 ? * 1#5 *)", "2026-11-22T00:00", ["2026-11-29T08:00", "2027-01-31T08:00", "2027-05-30T08:00"]),
        ("cron(0 8 ? * 1L *)", "2026-11-22T00:00", ["2026-11-29T08:00", "2026-12-27T08:00", "2027-01-31T08:00"]),
        ("cron(0 8 ? * 1-7 *)", "2026-11-29T09:00", ["2026-11-30T08:00", "2026-12-01T08:00", "2026-12-02T08:00"]),
        ("cron(0/1 9 * * ? *)", "2026-11-22T09:01", ["2026-11-22T09:01", "2026-11-22T09:02", "2026-11-22T09:03"]),
        ("cron(0 8 ? * 2#1 *)", "2026-11-22T00:00", ["2026-12-07T08:00", "2027-01-04T08:00", "2027-02-01T08:00"]),
        ("cron(0 8 ? * FRIL *)", "2026-11-22T00:00", ["2026-11-27T08:00", "2026-12-25T08:00", "2027-01-29T08:00"]),
        (
            "cron(0 8 ? JAN,jul L 2027)",
            "2026-01-01T00:00",
            ["2027-01-02T08:00", "2027-01-09T08:00", "2027-01-16T08:00"],
        ),
        ("cron(15,45 8 29 2 ? *)", "2026-11-22T00:00", ["2028-02-29T08:15", "2028-02-29T08:45", "2032-02-29T08:15"]),
    ],
)
def test_cron(expression: str, start: str, expected: list[str]) -> None:
    """Every form of the six fields is due when a calendar says so."""
    assert due(expression, start) == expected


def test_cron_ends_with_its_years() -> None:
    """A year in the past is never due again."""
    assert due("cron(0 9 1 1 ? 2025)", "2026-01-01T00:00") == []


def test_at_is_schedulers() -> None:
    """Only Scheduler has `at()`, which is due once."""
    due_from = parse("at(2026-11-22T09:00:00)", "scheduler")
    assert list(due_from(instant("2026-11-01T00:00"))) == [instant("2026-11-22T09:00")]
    assert list(due_from(instant("2026-11-22T09:00"))) == [instant("2026-11-22T09:00")]
    assert list(due_from(instant("2026-12-01T00:00"))) == []


@given(st.integers(2, 1000), st.floats(0, 4e9), st.integers(0, 1000))
def test_rate_tick_n(value: int, start_at: float, number: int) -> None:
    """Tick n of a rate is due at start + n x rate, exactly."""
    instants = parse(f"rate({value} minutes)")(start_at)
    assert next(itertools.islice(instants, number, None)) == start_at + number * value * 60


@given(st.floats(0, 4e9))
def test_cron_ascends_in_whole_minutes(start_at: float) -> None:
    """Due instants ascend, are whole minutes and none is before the start."""
    instants = list(itertools.islice(parse("cron(0/7 0/5 ? * * *)")(start_at), 20))
    assert instants == sorted(set(instants))
    assert all(each % 60 == 0 and each >= start_at for each in instants)


def test_a_rate_has_at_most_nine_digits() -> None:
    """With more digits it exceeds every calendar: only the first instant is due."""
    assert list(parse("rate(999999999 days)")(0.0)) == [0.0]
    for digits in (10, 5_000):
        with pytest.raises(ScheduleExpressionError, match="the value has too many digits"):
            parse(f"rate({'9' * digits} days)")


def test_a_rate_ends_with_the_calendar() -> None:
    """Every due instant has a date."""
    last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC).timestamp()
    assert list(parse("rate(1 minute)")(last)) == [last]


def local(expression: str, time_zone: str, start: str, count: int = 4) -> list[str]:
    """The first due instants in UTC of a Scheduler's schedule in that zone."""
    instants = itertools.islice(parse(expression, "scheduler", time_zone)(instant(start)), count)
    return [datetime.fromtimestamp(each, UTC).strftime("%Y-%m-%dT%H:%M") for each in instants]


def test_cron_and_at_are_local_in_their_zone() -> None:
    """Nine o'clock in Berlin is eight in UTC, and seven in summer; a rate has no zone."""
    assert local("cron(0 9 * * ? *)", "Europe/Berlin", "2027-03-27T00:00", 2) == [
        "2027-03-27T08:00",
        "2027-03-28T07:00",
    ]
    assert local("at(2027-07-01T09:00:00)", "Europe/Berlin", "2027-01-01T00:00") == ["2027-07-01T07:00"]
    assert local("cron(0 9 1 * ? *)", "Pacific/Kiritimati", "2026-12-31T19:01", 1) == ["2027-01-31T19:00"]
    assert local("rate(1 day)", "Europe/Berlin", "2027-03-27T00:00", 2) == ["2027-03-27T00:00", "2027-03-28T00:00"]


def test_a_time_that_the_clocks_skip_is_skipped() -> None:
    """At 02:00 on 14 March 2027 New York's clocks go to 03:00."""
    assert local("cron(30 2 * * ? *)", "America/New_York", "2027-03-13T00:00", 2) == [
        "2027-03-13T07:30",
        "2027-03-15T06:30",
    ]
    assert local("at(2027-03-14T02:30:00)", "America/New_York", "2027-01-01T00:00") == []


def test_a_time_that_the_clocks_repeat_is_due_once() -> None:
    """At 02:00 on 7 November 2027 they go back to 01:00: half past one is due in its first hour only."""
    assert local("cron(0/30 1-2 7 11 ? 2027)", "America/New_York", "2027-01-01T00:00") == [
        "2027-11-07T05:00",
        "2027-11-07T05:30",
        "2027-11-07T07:00",
        "2027-11-07T07:30",
    ]


@pytest.mark.parametrize("time_zone", ["Europe/Gotham", "", "../zones", "Europe", "a\0b", "x" * 5_000])
def test_an_unknown_time_zone_is_refused(time_zone: str) -> None:
    """What is no name of a zone is refused, whatever characters it has."""
    with pytest.raises(ScheduleExpressionError, match="Parameter ScheduleExpressionTimezone is not valid"):
        parse("rate(1 day)", "scheduler", time_zone)
