"""Timestamps and their one stored form: what is read, in which zone, and what is refused."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.timestamps import BadTimestamp, bad_strptime_format, joined_timestamp, timestamp_parser
from pipeline.zones import named_zone


@pytest.fixture(autouse=True)
def nothing_is_remembered():
    """Results from other tests are forgotten."""
    timestamp_parser.cache_clear()
    named_zone.cache_clear()


zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC) | zones)  # noqa: DTZ001


@settings(max_examples=200, deadline=None)
@given(instant=instants, separator=st.sampled_from(["T", " ", "t"]))
def test_an_instant_is_stored_in_utc_with_six_digits(instant, separator):
    """It covers any instant with any offset, as `isoformat` writes it."""
    stored = timestamp_parser(None)(instant.isoformat(separator))

    assert len(stored) == 27
    assert datetime.fromisoformat(stored) == instant


@settings(max_examples=100, deadline=None)
@given(first=instants, second=instants)
def test_stored_instants_sort_as_texts(first, second):
    """The sort key needs this."""
    parse = timestamp_parser(None)

    assert (parse(first.isoformat()) < parse(second.isoformat())) == (first < second)


@pytest.mark.parametrize("bad", ["%Q", "%", "", "%Y %Y", "%H:%M", "%d %b", "%%Y-%m-%d", "x"])
def test_a_malformed_strptime_format_is_named(bad):
    """It is refused before the first object comes, not with each of its rows."""
    assert bad_strptime_format(bad)


@pytest.mark.parametrize("good", ["%Y-%m-%d", "%b %d %y", "%d.%m.%Y %H:%M:%S %z", "%Y%%", "%G-%V-%u", "%c", "%x %X"])
def test_a_good_strptime_format_passes(good):
    """It includes literal per cent signs and zones."""
    assert bad_strptime_format(good) is None


def test_a_format_does_not_hide_iso_8601():
    """In mixed files, ISO 8601 reads what the format does not."""
    parse = timestamp_parser("%d.%m.%Y")

    assert parse("02.01.2024") == parse("2024-01-02") == "2024-01-02"
    with pytest.raises(BadTimestamp, match="neither"):
        parse("01/02/2024")


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2024-02-29", "2024-02-29"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("2024-01-02T23:59+23:59", "2024-01-02T00:00:00.000000Z"),
        ("2024-01-02T00:00-0030", "2024-01-02T00:30:00.000000Z"),
        ("2024-01-02T00:00:00.1234560000", "2024-01-02T00:00:00.123456Z"),
        ("2024-01-02T00:00:00,5z", "2024-01-02T00:00:00.500000Z"),
        ("20240102", "2024-01-02"),
    ],
)
def test_the_first_and_the_last_of_their_kind_are_read(text, stored):
    """These are limits of years, days, offsets and fractions, on the valid side."""
    assert timestamp_parser(None)(text) == stored


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29",
        "2023-02-29T00:00:00.000000Z",
        "0000-01-01",
        "2024-00-01",
        "2024-13-01",
        "2024-04-31",
        "2024-01-02T24:00:00Z",
        "2024-01-02T00:60:00Z",
        "2024-01-02T00:00:60Z",
        "2024-01-02T00:00+24:00",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:00-00:01",
        "2024-01-02T00:00:00.1234561",
        "2024-0102",
        "2024-01-02T",
    ],
)
def test_one_beyond_is_refused(text):
    """The same limits on the invalid side include instants for which UTC has no year."""
    with pytest.raises(BadTimestamp, match="unreadable timestamp"):
        timestamp_parser(None)(text)


@pytest.mark.parametrize(("length", "shown"), [(60, "x" * 60), (61, "x" * 60 + "...")])
def test_what_was_read_is_shown_up_to_a_length(length, shown):
    """A cell may be long; a reason is one line."""
    with pytest.raises(BadTimestamp) as refused:
        timestamp_parser(None)("x" * length)
    assert str(refused.value) == f"unreadable timestamp {shown!r}"


def test_a_format_with_a_zone_is_stored_in_utc_and_one_without_a_time_as_a_day():
    """The format's parts decide; a zone may move an instant outside the valid years."""
    assert timestamp_parser("%d.%m.%Y %H:%M %z")("02.01.2024 01:00 +0200") == "2024-01-01T23:00:00.000000Z"
    assert timestamp_parser("%d.%m.%Y %%H")("02.01.2024 %H") == "2024-01-02"
    with pytest.raises(BadTimestamp, match="no such date or time"):
        timestamp_parser("%Y-%m-%d %H:%M %z")("0001-01-01 00:00 +0001")


@settings(max_examples=200, deadline=None)
@given(
    local=st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - local times
    zone=st.sampled_from(
        ["America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Europe/Dublin", "Africa/Casablanca"]
    ),
)
def test_a_local_time_is_the_first_instant_that_clocks_show_it(local, zone):
    """The zone's rules decide; times that clocks skip are refused."""
    rules = named_zone(zone)
    first = local.replace(tzinfo=rules).astimezone(UTC)
    if first.astimezone(rules).replace(tzinfo=None, fold=0) == local:
        assert datetime.fromisoformat(timestamp_parser(None, zone)(local.isoformat())) == first
    else:
        with pytest.raises(BadTimestamp, match=f"no such local time in {zone}") as refused:
            timestamp_parser(None, zone)(local.isoformat())
        assert refused.value.setting == "TIME_ZONE"


def test_a_zone_is_for_what_says_none():
    """It holds with and without a format; a time with its own zone keeps it."""
    by_format = timestamp_parser("%d.%m.%Y %H:%M", "America/New_York")
    assert by_format("02.01.2024 09:30") == "2024-01-02T14:30:00.000000Z"
    for text in ("2024-01-02T09:30Z", "2024-01-02 09:30z", "2024-01-02 09:30+00:00"):
        assert timestamp_parser(None, "America/New_York")(text) == "2024-01-02T09:30:00.000000Z"


@pytest.mark.parametrize("strptime_format", [None, "%Y-%m-%dT%H:%M", "%d.%m.%Y"])
def test_what_clocks_leap_over_is_refused(strptime_format):
    """It holds with and without a format, and the message has the zone's name."""
    parse = timestamp_parser(strptime_format, "America/New_York")
    assert parse("2024-03-10T03:00") == "2024-03-10T07:00:00.000000Z"
    with pytest.raises(BadTimestamp, match="'2024-03-10T02:30': no such local time in America/New_York") as refused:
        parse("2024-03-10T02:30")
    assert refused.value.setting == "TIME_ZONE"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("0000000000", "1970-01-01T00:00:00.000000Z"),
        (" 1704189601 ", "2024-01-02T10:00:01.000000Z"),
        ("1704189601234", "2024-01-02T10:00:01.234000Z"),
        ("1704189601234567", "2024-01-02T10:00:01.234567Z"),
        ("1704189601234567000", "2024-01-02T10:00:01.234567Z"),
        ("9999999999999", "2286-11-20T17:46:39.999000Z"),
    ],
)
def test_unix_times_have_ten_digits_or_three_six_or_nine_more(text, stored):
    """They are seconds since 1970 and a fraction, without a sign."""
    assert timestamp_parser(None)(text) == stored


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1704189601234567001", ": finer than a microsecond"),
        ("1704189601234567100", ": finer than a microsecond"),
        *((text, "") for text in ("170418960", "17041896011", "17041896012345", "17041896012345678", "1" * 22)),
        *((text, "") for text in ("-1704189601", "+1704189601", "1704189601.5", "\u0661704189601")),
    ],
)
def test_other_numbers_are_not_times(text, why):
    """Digits that would vanish are refused, too."""
    with pytest.raises(BadTimestamp) as refused:
        timestamp_parser(None)(text)
    assert str(refused.value) == f"unreadable timestamp {text!r}{why}"


@pytest.fixture
def in_vienna(monkeypatch):
    """The machine's zone, with its own names."""
    monkeypatch.setenv("TZ", "Europe/Vienna")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_vienna")
@pytest.mark.parametrize("name", ["CET", "CEST", "cet"])
def test_the_machines_zone_has_no_name_in_a_format(name):
    """Python's own parser would read it and attach no zone."""
    with pytest.raises(BadTimestamp, match="of zone names %Z reads UTC, GMT and Z"):
        timestamp_parser("%Y-%m-%d %H:%M %Z")(f"2024-01-02 09:30 {name}")
    assert timestamp_parser("%Y-%m-%d %H:%M %Z")("2024-01-02 09:30 UTC") == "2024-01-02T09:30:00.000000Z"


def test_an_offset_goes_before_the_name_of_a_zone():
    """It applies if a format has both."""
    assert timestamp_parser("%d.%m.%Y %H:%M%z %Z")("02.01.2024 09:30+0200 GMT") == "2024-01-02T07:30:00.000000Z"


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (["a", "b"], "a b"),
        ([" a\t", " b "], "a b"),
        (["", "b"], "b"),
        (["a", " "], "a"),
        ([" ", ""], ""),
        ([" a "], " a "),
    ],
)
def test_cells_are_joined_by_a_blank(cells, text):
    """Empty cells are left out; a single one is unchanged."""
    assert joined_timestamp(cells) == text
