"""The stored form of a timestamp: from ISO 8601, a format, Unix times, and local times of a zone."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.base import zones
from simulator.base.zones import zone_names
from simulator.proof.failures import NotStorable
from simulator.proof.timestamps import Timestamps

ISO = Timestamps().read


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    """Results from other tests are forgotten."""
    zones.zone.cache_clear()
    zones.zone_names.cache_clear()


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2024-01-02", "2024-01-02"),
        ("20240102", "2024-01-02"),
        (" 2024-01-02 ", "2024-01-02"),
        ("0001-01-01", "0001-01-01"),
        ("9999-12-31", "9999-12-31"),
        ("2024-02-29", "2024-02-29"),
        ("2000-02-29", "2000-02-29"),
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05.000000Z"),
        ("2024-01-02 03:04:05", "2024-01-02T03:04:05.000000Z"),
        ("2024-01-02t03:04:05z", "2024-01-02T03:04:05.000000Z"),
        ("2024-01-02T03:04", "2024-01-02T03:04:00.000000Z"),
        ("2024-01-02 3:04", "2024-01-02T03:04:00.000000Z"),
        ("2024-01-02T3:04:05.5Z", "2024-01-02T03:04:05.500000Z"),
        ("20240102 3:0405", "2024-01-02T03:04:05.000000Z"),
        ("20240102 030405", "2024-01-02T03:04:05.000000Z"),
        ("1704189845", "2024-01-02T10:04:05.000000Z"),
        (" 0000000000 ", "1970-01-01T00:00:00.000000Z"),
        ("9999999999", "2286-11-20T17:46:39.000000Z"),
        ("1704189845123", "2024-01-02T10:04:05.123000Z"),
        ("1704189845123456", "2024-01-02T10:04:05.123456Z"),
        ("1704189845123456000", "2024-01-02T10:04:05.123456Z"),
        ("2024-01-02T0304", "2024-01-02T03:04:00.000000Z"),
        ("20240102T030405Z", "2024-01-02T03:04:05.000000Z"),
        ("2024-01-02T23:59:59.999999Z", "2024-01-02T23:59:59.999999Z"),
        ("2024-01-02T03:04:05.1", "2024-01-02T03:04:05.100000Z"),
        ("2024-01-02T03:04:05,123456", "2024-01-02T03:04:05.123456Z"),
        ("2024-01-02T03:04:05.123456000000Z", "2024-01-02T03:04:05.123456Z"),
        ("2024-01-02T03:04:05 Z", "2024-01-02T03:04:05.000000Z"),
        ("2024-01-02T03:04:05+05:30", "2024-01-01T21:34:05.000000Z"),
        ("2024-01-02T23:04:05-0530", "2024-01-03T04:34:05.000000Z"),
        ("2024-01-02T03:04:05 -01", "2024-01-02T04:04:05.000000Z"),
        ("2024-01-02T00:00:00+23:59", "2024-01-01T00:01:00.000000Z"),
        ("0001-01-01T00:00:00", "0001-01-01T00:00:00.000000Z"),
        ("0999-01-01T00:00:00.5", "0999-01-01T00:00:00.500000Z"),
        ("9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_an_iso_timestamp_has_one_form(text: str, stored: str) -> None:
    """A date stays one; an instant is in UTC, with six digits after the seconds."""
    assert ISO(text) == stored


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "x", "2024", "2024-01", "2024-1-2", "24-01-02", "2024/01/02", "02.01.2024", "170418960000"),
        *("0000-01-01", "10000-01-01", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-04-31"),
        *(
            "2024-0102",
            "202401-02",
            "2024-01-02T",
            "2024-01-02T03",
            "2024-01-02T304",
            "2024-01-02T3",
            "20240102 304",
            "2024-01-02T24:00:00",
        ),
        *(
            "2024-01-02T24:00:00Z",
            "2024-01-02 24:00:00",
            "2024-01-02T23:59:60Z",
            "2024-01-02T00:60:00",
            "2024-01-02_00:00",
        ),
        *("2024-01-02T03:04:05.", "2024-01-02T03:04:05.1234567", "2024-01-02T03:04:05+24:00", "2024-01-02T03:04:05+5"),
        *("2024-01-02T03:04:05 EST", "2024-01-02T03:04:05ZZ", "2024-01-02Z", "２０２４-01-02", "2024-01-02\n03:04"),
        *(
            "1704189845123456001",
            "1704189845123456100",
            "17041898451",
            "-1704189845",
            "１７０４１８９８４５",
            "1704189845.5",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
        ),
    ],
)
def test_what_is_not_a_timestamp_keeps_its_row_out(text: str) -> None:
    """There is no such day or time, no such form, it is finer than a microsecond, or beyond the calendar in UTC."""
    with pytest.raises(NotStorable):
        ISO(text)


@given(
    st.datetimes(),
    st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    st.sampled_from(["T", " ", "t"]),
)
def test_any_instant_is_stored_as_its_own_in_utc(moment: datetime, zone: timezone, sign: str) -> None:
    """Any instant in any zone is stored as the same instant, in one form, if the calendar has it in UTC."""
    text = moment.replace(tzinfo=zone).isoformat(sep=sign)
    try:
        instant = moment.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        with pytest.raises(NotStorable):
            ISO(text)
        return
    stored = ISO(text)
    assert datetime.fromisoformat(stored) == instant
    assert len(stored) == len("2024-01-02T03:04:05.000000Z")
    assert ISO(stored) == stored


@pytest.mark.parametrize(
    ("timestamp_format", "text", "stored"),
    [
        ("%b %d %Y", "Jan 2 2000", "2000-01-02"),
        ("%b %d %Y", " jan 02 2000 ", "2000-01-02"),
        ("%b %d %Y", "2000-01-02", "2000-01-02"),
        ("%b %d %Y", "2000-01-02T03:04:05Z", "2000-01-02T03:04:05.000000Z"),
        ("%d.%m.%Y %H:%M", "02.01.2000 03:04", "2000-01-02T03:04:00.000000Z"),
        ("%d/%m/%Y %H:%M %z", "02/01/2000 03:04 -0500", "2000-01-02T08:04:00.000000Z"),
        ("%Y-%m-%d %z", "2000-01-02 -0500", "2000-01-02"),
        ("%Y%%H %m", "2000%H 02", "2000-02-01"),
        ("%m/%d/%y %I %p", "01/02/99 3 PM", "1999-01-02T15:00:00.000000Z"),
        ("%Y %f", "0007 5", "0007-01-01T00:00:00.500000Z"),
        ("%x", "01/02/99", "1999-01-02"),
        ("%Y-%d-%m", "2000-01-02", "2000-02-01"),
    ],
)
def test_a_format_comes_before_iso(timestamp_format: str, text: str, stored: str) -> None:
    """A format without a time of day makes dates; what it does not read may still be ISO 8601."""
    assert Timestamps(timestamp_format).read(text) == stored


@pytest.mark.parametrize("directive", ["%H", "%I", "%M", "%S", "%f", "%p", "%X", "%c"])
def test_each_directive_of_a_time_makes_instants(directive: str) -> None:
    """An instant at midnight does not look like a date."""
    moment = datetime(2000, 1, 2, tzinfo=UTC)
    timestamp_format = directive if directive == "%c" else f"%Y-%m-%d|{directive}"
    assert Timestamps(timestamp_format).read(f"{moment:{timestamp_format}}") == "2000-01-02T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("timestamp_format", "text"),
    [
        ("%b %d %Y", "Jam 2 2000"),
        ("%b %d %Y", "Jan 32 2000"),
        ("%b %d %Y", ""),
        ("%Y-%m-%d %H:%M %z", "0001-01-01 00:00 +0100"),
        ("%Y-%m-%d %H:%M %z", "9999-12-31 23:59 -0100"),
    ],
)
def test_what_neither_the_format_nor_iso_reads_keeps_its_row_out(timestamp_format: str, text: str) -> None:
    """It is a day that does not exist, no day at all, or one beyond the calendar in UTC."""
    with pytest.raises(NotStorable):
        Timestamps(timestamp_format).read(text)


@pytest.mark.parametrize(
    ("zone", "text", "stored"),
    [
        ("America/New_York", "2024-01-02 09:30:00", "2024-01-02T14:30:00.000000Z"),
        ("America/New_York", "2024-07-02T09:30", "2024-07-02T13:30:00.000000Z"),
        ("America/New_York", "2024-01-02", "2024-01-02"),
        ("America/New_York", "2024-01-02 09:30:00Z", "2024-01-02T09:30:00.000000Z"),
        ("America/New_York", "2024-01-02T09:30:00+01:00", "2024-01-02T08:30:00.000000Z"),
        ("America/New_York", "1704189845", "2024-01-02T10:04:05.000000Z"),
        # The hour that the clocks skip, and the one that they have twice: the first is still summer time.
        ("America/New_York", "2024-03-10 01:59:59.999999", "2024-03-10T06:59:59.999999Z"),
        ("America/New_York", "2024-03-10 03:00", "2024-03-10T07:00:00.000000Z"),
        ("America/New_York", "2024-11-03 01:00", "2024-11-03T05:00:00.000000Z"),
        ("America/New_York", "2024-11-03 01:59:59", "2024-11-03T05:59:59.000000Z"),
        ("America/New_York", "2024-11-03 02:00", "2024-11-03T07:00:00.000000Z"),
        # Half an hour, in the southern hemisphere; years in which no zone had a name.
        ("Australia/Lord_Howe", "2024-04-07 01:45", "2024-04-06T14:45:00.000000Z"),
        ("Europe/Berlin", "1850-01-01 00:53:28", "1850-01-01T00:00:00.000000Z"),
        ("Asia/Tokyo", "9999-12-31 23:59:59", "9999-12-31T14:59:59.000000Z"),
        ("UTC", "2024-01-02 09:30:00", "2024-01-02T09:30:00.000000Z"),
    ],
)
def test_a_time_of_day_without_a_zone_is_local(zone: str, text: str, stored: str) -> None:
    """It is in the settings' time zone; text with its own zone keeps it, and a date has none."""
    assert Timestamps(None, zone).read(text) == stored


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("America/New_York", "2024-03-10 02:00:00"),
        ("America/New_York", "2024-03-10T02:59:59.999999"),
        ("Australia/Lord_Howe", "2024-10-06 02:15"),
        ("Pacific/Apia", "2011-12-30 12:00"),
        ("Asia/Tokyo", "0001-01-01 08:00"),
        ("America/New_York", "9999-12-31 23:59:59"),
    ],
)
def test_a_local_time_that_there_is_not_keeps_its_row_out(zone: str, text: str) -> None:
    """These are times that the clocks skipped, by an hour or a day, and what the calendar lacks in UTC."""
    with pytest.raises(NotStorable):
        Timestamps(None, zone).read(text)
    with pytest.raises(NotStorable):
        Timestamps("%Y-%m-%d %H:%M:%S", zone).read(text)


@pytest.mark.parametrize(
    ("timestamp_format", "text", "stored"),
    [
        ("%Y-%m-%d %H:%M %Z", "2024-01-02 09:30 utc", "2024-01-02T09:30:00.000000Z"),
        ("%Y-%m-%d %H:%M %Z", "2024-01-02 09:30 GMT", "2024-01-02T09:30:00.000000Z"),
        ("%d.%m.%Y %H:%M%Z", "02.01.2024 09:30z", "2024-01-02T09:30:00.000000Z"),
        ("%Y-%m-%d %H:%M %%Z", "2024-01-02 09:30 %Z", "2024-01-02T14:30:00.000000Z"),
        ("%d.%m.%Y %H:%M%z %Z", "02.01.2024 09:30+0200 GMT", "2024-01-02T07:30:00.000000Z"),
        ("%d.%m.%Y", "2024-01-02 09:30z", "2024-01-02T09:30:00.000000Z"),
        ("%Y-%m-%d %H:%M %z", "2024-01-02 09:30 +0100", "2024-01-02T08:30:00.000000Z"),
        ("%Y-%m-%d %H:%M", "2024-01-02 09:30", "2024-01-02T14:30:00.000000Z"),
        ("%d.%m.%Y %Z", "02.01.2024 UTC", "2024-01-02"),
        ("%d.%m.%Y", "1704189845", "2024-01-02T10:04:05.000000Z"),
        ("%Y%m%d%H", "2024010209", "2024-01-02T14:00:00.000000Z"),
    ],
)
def test_a_format_names_utc_or_an_offset_or_is_local(timestamp_format: str, text: str, stored: str) -> None:
    """It also comes before Unix times."""
    assert Timestamps(timestamp_format, "America/New_York").read(text) == stored


@pytest.mark.parametrize("zone", ["EST", "CET", "Europe/Berlin", "Zulu", "utcx"])
def test_no_other_zones_names_are_known(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds whatever the machine calls its own zone."""
    monkeypatch.setenv("TZ", "EST5EDT")
    time.tzset()
    try:
        with pytest.raises(NotStorable):
            Timestamps("%Y-%m-%d %H:%M %Z").read(f"2024-01-02 09:30 {zone}")
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("timestamp_format", "zone", "text", "used"),
    [
        (None, "America/New_York", "2024-01-02 09:30", {"TIME_ZONE"}),
        (None, "America/New_York", "2024-01-02 09:30:00Z", set()),
        (None, "America/New_York", "2024-01-02", set()),
        (None, "UTC", "2024-01-02 09:30", set()),
        ("%d.%m.%Y", "America/New_York", "02.01.2024", {"TIMESTAMP_FORMAT"}),
        ("%d.%m.%Y %H", "America/New_York", "02.01.2024 9", {"TIMESTAMP_FORMAT", "TIME_ZONE"}),
        ("%d.%m.%Y", "UTC", "2024-01-02", set()),
    ],
)
def test_a_timestamp_says_which_settings_it_needs(
    timestamp_format: str | None, zone: str, text: str, used: set[str]
) -> None:
    """These are the format that read it, and the zone in which it is local."""
    timestamps = Timestamps(timestamp_format, zone)
    timestamps.read(text)
    assert timestamps.used == used


def test_every_zone_that_there_is_can_be_read() -> None:
    """They are the package's, including links; a file there that is not a zone is not one."""
    assert {"UTC", "Europe/Berlin", "US/Eastern", "America/Argentina/Buenos_Aires"} <= zone_names()
    assert not {"", "utc", "zone.tab", "posixrules", "localtime", "../zones", "Europe"} & zone_names()
    for zone in zone_names():
        assert Timestamps(None, zone).read("2024-01-02 12:00").startswith("2024-01-0")
