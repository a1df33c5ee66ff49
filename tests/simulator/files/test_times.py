"""Which format reads texts as times: the forms that people use, the order of day and month, and what is not a time."""

from __future__ import annotations

from datetime import datetime

import pytest

from simulator.files.times import format_of, reads_without_format

FORMATS = [
    ("%m/%d/%Y", "01/31/2024"),
    ("%d/%m/%Y", "31/01/2024"),
    ("%d.%m.%Y", "31.01.2024"),
    ("%d-%m-%Y", "31-01-2024"),
    ("%Y/%m/%d", "2024/01/31"),
    ("%Y.%m.%d", "2024.01.31"),
    ("%m/%d/%y", "1/31/24"),
    ("%d.%m.%y", "31.1.24"),
    ("%d-%b-%Y", "31-Jan-2024"),
    ("%d-%b-%y", "31-JAN-24"),
    ("%d %b %Y", "31 Jan 2024"),
    ("%d %B %Y", "31 August 2024"),
    ("%b %d, %Y", "Jan 31, 2024"),
    ("%b %d %Y", "Jan 31 2024"),
    ("%B %d, %Y", "August 31, 2024"),
    ("%A, %B %d, %Y", "Saturday, August 31, 2024"),
    ("%a %b %d %Y", "Wed Jan 31 2024"),
    ("%Y-%m", "2024-08"),
    ("%b %Y", "Aug 2024"),
    ("%m/%d/%Y %H:%M", "01/31/2024 9:30"),
    ("%m/%d/%Y %H:%M:%S", "01/31/2024 09:30:05"),
    ("%m/%d/%Y %I:%M %p", "1/31/2024 4:05 PM"),
    ("%m/%d/%Y %I:%M:%S %p", "1/31/2024 4:05:06 am"),
    ("%Y.%m.%d %H:%M", "2024.01.31 09:30"),
    ("%d.%m.%Y, %H:%M:%S.%f", "31.01.2024, 09:30:05.123"),
    ("%d.%m.%Y %H%M%S", "31.01.2024 093005"),
    ("%Y-%m-%d %I:%M %p", "2024-01-31 09:30 AM"),
    ("%d/%m/%YT%H:%M", "31/01/2024T09:30"),
    ("%Y/%m/%d %H:%M:%S%z", "2024/01/31 09:30:00+01:00"),
    ("%H:%M %d.%m.%Y", "09:30 31.01.2024"),
    ("%a %b %d %H:%M:%S %Y", "Wed Jan 31 09:30:00 2024"),
    ("%a, %d %b %Y %H:%M:%S %Z", "Wed, 31 Jan 2024 09:30:00 GMT"),
    ("%Y%m%d%H", "2024013109"),
    ("%Y%m%d%H%M", "202401310930"),
    ("%Y%m%d%H%M%S", "20240131093005"),
    ("%Y%m%d%H%M%S%f", "20240131093005123"),
    ("%Y%m%d %H%M%S%f", "20240131 093005123"),
    ("%Y%m%d;%H%M%S", "20240131;093005"),
    ("%Y-%m-%d %I-%p", "2024-01-31 09-AM"),
]


@pytest.mark.parametrize(("form", "text"), FORMATS)
def test_a_form_that_people_have_is_found(form: str, text: str) -> None:
    """One text whose day cannot be a month is enough, and the format reads it."""
    found = format_of([text])
    assert found is not None
    assert (found.text, found.read, found.ambiguous) == (form, 1, None)
    assert datetime.strptime(text, form).year == 2024  # noqa: DTZ007 - only whether it can be read


@pytest.mark.parametrize(
    "text",
    [
        *("2024-01-31", "20240131", "2024-01-31T09:30:00Z", "2024-01-31 9:30", "20240131 093000"),
        *("1704153600", "1704153600000", "1704153600000000", "1704153600000000000"),
    ],
)
def test_what_is_read_without_a_format_needs_none(text: str) -> None:
    """These are ISO 8601, basic and extended, and recent Unix times."""
    assert reads_without_format(text)
    found = format_of([text])
    assert found is not None
    assert found.text is None


@pytest.mark.parametrize(("text", "form"), [("2024010209", "%Y%m%d%H"), ("2024010209300000", "%Y%m%d%H%M%S%f")])
def test_an_hour_in_digits_is_not_a_unix_time(text: str, form: str) -> None:
    """Read without a format it would silently be stored as a time in 2034, ten years off."""
    assert not reads_without_format(text)
    found = format_of([text])
    assert found is not None
    assert (found.text, found.clock) == (form, True)


@pytest.mark.parametrize(
    "text",
    [
        "AAPL",
        "10.15",
        "5",
        "1,608.00",
        "F (Jan 14)",
        "2024-13-01",
        "20241301",
        "1.5E3",
        "0000000000",
        "09:30",
        "",
        "20240131 93005",
    ],
)
def test_what_is_not_a_time_has_no_format(text: str) -> None:
    """These are words, prices, dates that do not exist, and five digits, which strptime misreads."""
    assert format_of([text]) is None


@pytest.mark.parametrize(
    ("texts", "form", "other"),
    [
        (["01/02/2024", "03/04/2024"], "%m/%d/%Y", "%d/%m/%Y"),
        (["01.02.2024"], "%d.%m.%Y", "%m.%d.%Y"),
        (["01-02-2024"], "%d-%m-%Y", "%m-%d-%Y"),
        (["1/2/24 9:30"], "%m/%d/%y %H:%M", "%d/%m/%y %H:%M"),
        (["01/02/2024", "13/02/2024"], "%d/%m/%Y", None),
        (["13.02.2024", "01.02.2024"], "%d.%m.%Y", None),
        (["01.13.2024", "01.02.2024"], "%m.%d.%Y", None),
        (["13/01/2024", "01/14/2024"], "%m/%d/%Y", None),
    ],
)
def test_the_cells_say_which_is_the_day(texts: list[str], form: str, other: str | None) -> None:
    """A day above 12 decides; without one, the usual order for the separator is taken, and the other one is named."""
    found = format_of(texts)
    assert found is not None
    assert (found.text, found.ambiguous) == (form, other)


def test_names_of_zones_are_known_not_to_be_read() -> None:
    """EST and EDT are named, and the format is one that reads the rows in UTC."""
    found = format_of(["2024-01-02 09:30:00 EST", "2024-07-02 09:30:00 EDT", "2024-07-02 09:30:00 UTC"])
    assert found is not None
    assert (found.text, found.zones, found.zoned) == ("%Y-%m-%d %H:%M:%S %Z", ("EST", "EDT"), True)
    only = format_of(["2024-01-02 09:30:00 EST"])
    assert only is not None
    assert only.read == 0


def test_a_few_odd_texts_do_not_hide_the_format() -> None:
    """Most texts decide; a note among them is left unread."""
    found = format_of(["31.01.2024", "30.01.2024", "29.01.2024", "holiday"])
    assert found is not None
    assert (found.text, found.read) == ("%d.%m.%Y", 3)


def test_a_clock_without_a_zone_is_distinguished_from_one_with() -> None:
    """To ask how local times are to be read, one must know whether there are any."""
    cases = {"2024-01-31 09:30": (True, False), "2024-01-31T09:30Z": (True, True), "1704153600": (True, True)}
    for text, expected in {**cases, "2024-01-31": (False, True), "31.01.2024 09:30": (True, False)}.items():
        found = format_of([text])
        assert found is not None
        assert (found.clock, found.zoned or not found.clock) == expected
