"""Timestamps to their stored form and numbers within DynamoDB's bounds, against the standard library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.values import BadTimestamp, bad_number, bad_strptime_format, timestamp_parser

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
