"""Whole columns at once: they give exactly what the texts give one by one, and are used for all usual forms."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import columns
from pipeline.columns import NumberColumn, TimestampColumn, number_column
from pipeline.timestamps import BadTimestamp, timestamp_parser
from pipeline.values import number_reader

FORMS = [
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S,%f",
    "%Y-%m-%d %H:%MZ",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S.%fZ",
    "%Y%m%d %H%M",
    "%Y%m%dT%H%M%S",
]
ZONES = [None, "UTC", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Monrovia"]
starts = st.datetimes(datetime(1880, 1, 1), datetime(2100, 1, 1)) | st.sampled_from(  # noqa: DTZ001 - local times
    [
        *(datetime(2024, 3, 10, 1, 55), datetime(2024, 11, 3, 0, 55)),  # noqa: DTZ001
        *(datetime(2024, 10, 6, 1, 55), datetime(2024, 4, 7, 1, 25)),  # noqa: DTZ001
        *(datetime(1, 1, 1), datetime(9999, 12, 31, 20), datetime(1972, 1, 6, 23)),  # noqa: DTZ001
    ]
)


@pytest.fixture(autouse=True)
def nothing_is_remembered():
    """Results from other tests are forgotten."""
    columns._blocks.cache_clear()
    columns._HOURS.clear()
    columns._clock.cache_clear()
    number_column.cache_clear()


def one_by_one(column: list[str], zone: str | None) -> list[str] | None:
    """What each text gives on its own; None if any is invalid."""
    try:
        return list(map(timestamp_parser(None, zone), column))
    except BadTimestamp:
        return None


@settings(max_examples=400, deadline=None)
@given(
    start=starts,
    steps=st.lists(st.integers(0, 7200), min_size=1, max_size=6),
    form=st.sampled_from(FORMS),
    zone=st.sampled_from(ZONES),
    odd=st.sampled_from(
        [None, None, "2024-01-02", "x", "", "2024-01-02 9:30", "2024-01-02 09:30:00.123", "1704189600"]
    ),
    milliseconds=st.booleans(),
)
def test_a_column_of_timestamps_is_what_its_texts_are(start, steps, form, zone, odd, milliseconds):
    """It holds in every form and zone, over clock changes and to the ends of time, with one cell of another form."""
    column = []
    for step in steps:
        try:
            start += timedelta(seconds=step, microseconds=step)
        except OverflowError:
            break
        text = start.strftime(form).rjust(len(datetime(2024, 1, 2).strftime(form)), "0")  # noqa: DTZ001
        column.append(text.replace(f"{start:%f}", f"{start:%f}"[:3]) if milliseconds and "%f" in form else text)
    column += [odd] if odd is not None else []
    if column:
        reader = TimestampColumn(timestamp_parser(None, zone), zone, iso_first=True)
        assert reader.read([column]) == one_by_one(column, zone)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("form", FORMS)
def test_a_usual_form_is_not_looked_at_by_cells(form, zone):
    """The parser is not called."""

    def never(text: str) -> str:
        raise AssertionError(text)

    column = [datetime(2024, 1, 2, hour, 7 * hour).strftime(form) for hour in range(8)]  # noqa: DTZ001
    assert TimestampColumn(never, zone, iso_first=True).read([column]) == one_by_one(column, zone)
    thousandths = [text.replace(".000000", ".000").replace(",000000", ",000") for text in column]
    assert TimestampColumn(never, zone, iso_first=True).read([thousandths]) == one_by_one(column, zone)
    short = [re.sub("(?<=[T ])0(?=[0-9]:)", "", text) for text in column]
    assert TimestampColumn(never, zone, iso_first=True).read([short]) == one_by_one(column, zone)


@pytest.mark.parametrize(
    "column",
    [
        ["20240102"],
        ["1704189600", "2024-01-02"],
        ["1704189600000", "1704189600"],
        ["20240102 0930", "2024-01-02 0930"],
        ["20240102 093000", "20240102 0930"],
    ],
)
@pytest.mark.parametrize("zone", [None, "Asia/Kolkata"])
def test_a_column_that_begins_in_a_usual_form_may_go_on_in_another(column, zone):
    """The first cell alone does not decide."""
    reader = TimestampColumn(timestamp_parser(None, zone), zone, iso_first=True)
    assert reader.read([column]) == one_by_one(column, zone)


@pytest.mark.parametrize("day", ["1989-04-02", "1989-10-29"])
@pytest.mark.parametrize("minutes", [(0, 1), (0, 5), (0,), (1,), (5,), (61,), (65,), (0, 120)])
def test_clocks_may_leap_within_an_hour(day, minutes):
    """Clocks change at one minute past midnight in Newfoundland: the earlier part of that hour does not decide."""
    zone = "America/St_Johns"
    reader = TimestampColumn(timestamp_parser(None, zone), zone, iso_first=True)
    assert reader.read([["1989-01-01 12:00"]]) == ["1989-01-01T15:30:00.000000Z"]
    column = [f"{day} {minute // 60:02}:{minute % 60:02}" for minute in minutes]
    assert reader.read([column]) == one_by_one(column, zone)


@pytest.mark.parametrize(("zone", "width"), [("Asia/Kolkata", 15), ("Asia/Tokyo", 13)])
def test_no_more_hours_are_remembered_than_may_be(monkeypatch, zone, width):
    """It holds for local time and for Unix times."""
    monkeypatch.setattr(columns, "BLOCKS_MAX", 3)
    local = [f"2024-01-02 {hour:02}:{minute:02}" for hour in range(12) for minute in range(0, 60, 10)]
    unix = [f"{3600 * hour:010}" for hour in range(12)]
    for column in (local, unix):
        reader = TimestampColumn(timestamp_parser(None, zone), zone, iso_first=True)
        assert reader.read([column]) == one_by_one(column, zone)
    blocks = columns._blocks(zone, width)
    assert max(map(len, (blocks, blocks._hours, columns._HOURS))) == 3


@pytest.mark.parametrize("digits", [10, 13, 16, 19])
@pytest.mark.parametrize("zone", [None, "Asia/Kolkata"])
def test_unix_times_are_read_together(digits, zone):
    """Each hour is looked up once; leading zeros and the last second are also valid times."""

    def never(text: str) -> str:
        raise AssertionError(text)

    column = [f"{second:010}123456000"[:digits] for second in (0, 3599, 3600, 1704189600, 9999999999)]
    assert TimestampColumn(never, zone, iso_first=True).read([column]) == one_by_one(column, zone)


@settings(max_examples=200, deadline=None)
@given(
    days=st.lists(st.sampled_from(["2024-01-02", "20240102", "", " 2024-01-02", "x"]), min_size=3, max_size=3),
    times=st.lists(st.sampled_from(["09:30", "9:30", "093000", "", " 09:30 ", "09:30:00"]), min_size=3, max_size=3),
    zone=st.sampled_from(ZONES),
)
def test_two_columns_are_read_as_joined_texts(days, times, zone):
    """It holds whichever cell is empty, and with surrounding blanks."""
    joined = [" ".join(filter(None, (day.strip(), clock.strip()))) for day, clock in zip(days, times, strict=True)]
    reader = TimestampColumn(timestamp_parser(None, zone), zone, iso_first=True)
    assert reader.read([days, times]) == one_by_one(joined, zone)


numbers = st.from_regex(r"[+-]?[0-9]{0,3}([.,][0-9]{1,3}){0,2}[.,]?", fullmatch=True) | st.from_regex(
    "[1-9][0-9]{0,19}", fullmatch=True
)


@settings(max_examples=400, deadline=None)
@given(column=st.lists(numbers, min_size=1, max_size=4), sign=st.sampled_from([".", ","]), lenient=st.booleans())
def test_a_column_of_numbers_is_what_its_texts_are(column, sign, lenient):
    """Matching columns give the same stored forms; the rest is left to the cell-by-cell reader."""
    reader, read = NumberColumn(sign, lenient=lenient), number_reader(sign, lenient=lenient)
    joined = "\n".join(column)
    if reader.matches(joined):
        assert list(reader.read(column, joined)) == list(map(read, column))


@pytest.mark.parametrize(
    ("column", "sign", "lenient", "stored"),
    [
        (["1.5", "-2"], ".", False, ["1.5", "-2"]),
        (["1,5", "-2"], ",", False, ["1.5", "-2"]),
        (["1,234", "1,234,567.5", "7"], ".", True, ["1234", "1234567.5", "7"]),
        (["1.234", "1.234.567,5", "1234"], ",", True, ["1234", "1234567.5", "1234"]),
    ],
)
def test_usual_numbers_are_read_together(column, sign, lenient, stored):
    """Decimal commas and thousands separators are among them."""
    reader = number_column(sign, lenient=lenient)
    assert reader.matches("\n".join(column))
    assert list(reader.read(column, "\n".join(column))) == stored
    assert reader.as_written == (sign == "." and not lenient)
