"""Timestamps to their stored form and numbers within DynamoDB's bounds, against the standard library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.values import BadTimestamp, Refusal, bad_number, bad_strptime_format, number_value, timestamp_parser

zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC) | zones)  # noqa: DTZ001


@settings(max_examples=200, deadline=None)
@given(instant=instants, separator=st.sampled_from(["T", " ", "t"]))
def test_an_instant_is_stored_in_utc_with_six_digits(instant, separator):
    """Any instant with any offset, as `isoformat` writes it."""
    stored = timestamp_parser(None)(instant.isoformat(separator))

    assert len(stored) == 27
    assert datetime.fromisoformat(stored) == instant


@settings(max_examples=100, deadline=None)
@given(first=instants, second=instants)
def test_stored_instants_sort_as_texts(first, second):
    """That is what the sort key needs."""
    parse = timestamp_parser(None)

    assert (parse(first.isoformat()) < parse(second.isoformat())) == (first < second)


numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,45})(\.[0-9]{1,45})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)


@settings(max_examples=100, deadline=None)
@given(text=numbers)
def test_a_number_is_refused_exactly_beyond_dynamodbs_bounds(text):
    """38 significant digits, magnitudes from 1E-130 to 9.99...E+125; zero is always fine."""
    number = Decimal(text)
    digits = str(int("".join(map(str, number.as_tuple().digits)))).rstrip("0")
    fits = not number or (len(digits) <= 38 and -130 <= number.adjusted() <= 125)

    assert (bad_number(text) is None) == fits


short = st.from_regex(r"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)


@settings(max_examples=300, deadline=None)
@given(first=short, second=short)
@example("1.50", "1.5")
@example("-0", "0.0")
@example("100", "1e2")
@example("0.001", "1E-3")
@example("-1", "1")
@example("10", "1")
@example("0e999999", "0")
@example("1e+05", "100000")
@example("0.10e1", "1")
def test_numbers_of_one_value_are_alike_and_others_are_not(first, second):
    """Whatever way they are written."""
    assert (number_value(first) == number_value(second)) == (Decimal(first) == Decimal(second))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", (False, "", 0)),
        ("-0.00e5", (False, "", 0)),
        ("0e99999999999999999999", (False, "", 0)),
        ("-12.50", (True, "125", -1)),
        ("1200", (False, "12", 2)),
        ("0.012E-3", (False, "12", -6)),
        ("5e+07", (False, "5", 7)),
    ],
)
def test_a_value_is_sign_digits_and_exponent(text, value):
    """As few digits as there can be; zero has none."""
    assert number_value(text) == value


def test_a_refusal_says_of_what_kind_it_is():
    """The reason itself, unless something differs from row to row."""
    plain, full = Refusal("a reason"), Refusal("a reason of 5", "a reason", "5", "SETTING")
    assert (str(plain), plain.kind, plain.cell, plain.setting) == ("a reason", "a reason", None, None)
    assert (str(full), full.kind, full.cell, full.setting) == ("a reason of 5", "a reason", "5", "SETTING")


@pytest.mark.parametrize("bad", ["%Q", "%", "", "%Y %Y"])
def test_a_malformed_strptime_format_is_named(bad):
    """Before the first object comes, not with each of its rows."""
    assert bad_strptime_format(bad)


@pytest.mark.parametrize("good", ["%Y-%m-%d", "%b %d %Y", "%d.%m.%Y %H:%M:%S %z", "%Y%%"])
def test_a_good_strptime_format_passes(good):
    """Literal per cents and zones included."""
    assert bad_strptime_format(good) is None


def test_a_format_does_not_hide_iso_8601():
    """Mixed files: what the format does not read, ISO 8601 may."""
    parse = timestamp_parser("%d.%m.%Y")

    assert parse("02.01.2024") == parse("2024-01-02") == "2024-01-02"
    with pytest.raises(BadTimestamp, match="neither"):
        parse("01/02/2024")


@pytest.mark.parametrize(
    "text",
    [
        "1" * 38,
        "-" + "9" * 38,
        "0." + "0" * 92 + "1" * 38,
        "1" * 38 + "0" * 88,
        "9.99e125",
        "1E+125",
        "1e-130",
        "10e-131",
        "0.1e-129",
        "0e999999999999",
        "0.000e-5",
        "1e+0000000000125",
        "1e-00000000000130",
        "1" * 38 + ".000",
    ],
)
def test_the_largest_and_the_smallest_numbers_are_held(text):
    """38 digits, zeros before and after not counted; magnitudes up to the bounds, however the exponent is written."""
    assert bad_number(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1" * 39, "39 significant digits"),
        ("1" + "0" * 37 + "1", "39 significant digits"),
        ("0." + "1" * 39 + "e5", "39 significant digits"),
        ("1e126", "outside DynamoDB's range"),
        ("10e125", "outside DynamoDB's range"),
        ("1" + "0" * 126, "outside DynamoDB's range"),
        ("1e-131", "outside DynamoDB's range"),
        ("0.1e-130", "outside DynamoDB's range"),
        ("1e1000000000000", "outside DynamoDB's range"),
        ("1e-" + "9" * 5000, "outside DynamoDB's range"),
    ],
)
def test_one_digit_or_one_power_more_is_refused(text, reason):
    """The first numbers beyond each bound, and exponents that no integer should be made of."""
    assert reason in bad_number(text)


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
    """Bounds of years, days, offsets and fractions, on the side that is in."""
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
    """The same bounds, on the side that is out; instants that UTC has no year for among them."""
    with pytest.raises(BadTimestamp, match="unreadable timestamp"):
        timestamp_parser(None)(text)


@pytest.mark.parametrize(("length", "shown"), [(60, "x" * 60), (61, "x" * 60 + "...")])
def test_what_was_read_is_shown_up_to_a_length(length, shown):
    """A cell may be long; a reason is one line."""
    with pytest.raises(BadTimestamp) as refused:
        timestamp_parser(None)("x" * length)
    assert str(refused.value) == f"unreadable timestamp {shown!r}"


def test_a_format_with_a_zone_is_stored_in_utc_and_one_without_a_time_as_a_day():
    """What the format gives decides; a zone may carry an instant out of the years that there are."""
    assert timestamp_parser("%d.%m.%Y %H:%M %z")("02.01.2024 01:00 +0200") == "2024-01-01T23:00:00.000000Z"
    assert timestamp_parser("%d.%m.%Y %%H")("02.01.2024 %H") == "2024-01-02"
    with pytest.raises(BadTimestamp, match="no such date or time"):
        timestamp_parser("%Y-%m-%d %H:%M %z")("0001-01-01 00:00 +0001")
