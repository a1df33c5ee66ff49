"""What a cell becomes: numbers that DynamoDB can hold, and the one form of a timestamp."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.proof.cells import NotStorable, timestamp_reader, value
from simulator.proof.content import number_value, text_value


@pytest.mark.parametrize(
    "cell",
    [
        *("0", "-0", "1", "-1.5", "0.10", "1e5", "1E+05", "1e-5", "9.99e125", "9.99E+125", "1e-130", "-1E-130"),
        *("0.1e-129", "10e124", "0e999999999999999999999", "-0.0e-999999999999", "0." + "0" * 500),
        *("1" * 38, "-" + "9" * 38, "1" * 38 + "0" * 88, "0." + "0" * 129 + "1", "0." + "1" * 38, "1." + "0" * 1000),
        *(
            "123456789012345678.123456789012345678",
            "1" * 19 + "." + "1" * 19,
            "1" + "0" * 125,
            "1e00000000000000000007",
        ),
        *("1" + "0" * 200 + "e-100", "0." + "0" * 200 + "1e100", "9" * 38 + "e88"),
    ],
)
def test_a_number_that_dynamodb_holds_is_a_number(cell: str) -> None:
    """38 digits, from 1E-130 to 9.99E+125, and nought with any exponent."""
    assert value(cell) == number_value(cell)


@pytest.mark.parametrize(
    "cell",
    [
        *("1e126", "10e125", "-1e126", "1e-131", "0.1e-130", "1" * 39, "0." + "1" * 39, "1" * 19 + "." + "1" * 20),
        *("1" + "0" * 126, "0." + "0" * 130 + "1", "1e999999999999999999999", "-1e-999999999999", "9" * 38 + "e89"),
        *("1" + "0" * 37 + "1", "1." + "0" * 38 + "1", "1." + "0" * 1_200_000 + "1", "1" * 1_200_000),
    ],
    ids=lambda cell: cell[:20],
)
def test_a_number_that_dynamodb_cannot_hold_keeps_its_row_out(cell: str) -> None:
    """One digit more, or one power beyond, at either end and however long it is."""
    with pytest.raises(NotStorable):
        value(cell)


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "+1",
            "01",
            "-01",
            ".5",
            "5.",
            " 1",
            "1 ",
            "1\n",
            "1_000",
            "1,000",
            "NaN",
            "Infinity",
            "-",
            "--1",
            "0x1",
            "1e",
        ),
        *("1e+", "e1", "١", "𝟙", "1.5.2", "1-1", "−1", "\0", "a", '"', "true", "null", "1e1.5"),
    ],
)
def test_everything_else_is_a_text_to_the_last_blank(cell: str) -> None:
    """What JSON does not take for a number is none."""
    assert value(cell) == text_value(cell)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_number_is_held_exactly_when_decimal_arithmetic_says_so(number: Decimal) -> None:
    """For any number in either spelling: digits and magnitude within the bounds, or it is nought."""
    digits = len("".join(map(str, number.as_tuple().digits)).strip("0"))
    held = not number or (digits <= 38 and -130 <= number.adjusted() <= 125)
    for text in (f"{number:E}", f"{number:f}" if abs(number.adjusted()) < 500 else f"{number:E}"):
        if held:
            assert value(text) == number_value(text)
        else:
            with pytest.raises(NotStorable):
                value(text)


ISO = timestamp_reader(None)


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
    """A date stays one; an instant is in UTC, with six digits of a second."""
    assert ISO(text) == stored


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "x", "2024", "2024-01", "2024-1-2", "24-01-02", "2024/01/02", "02.01.2024", "1704189600000"),
        *("0000-01-01", "10000-01-01", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-04-31"),
        *("2024-0102", "202401-02", "2024-01-02T", "2024-01-02T03", "2024-01-02T3:04", "2024-01-02T24:00:00"),
        *(
            "2024-01-02T24:00:00Z",
            "2024-01-02 24:00:00",
            "2024-01-02T23:59:60Z",
            "2024-01-02T00:60:00",
            "2024-01-02_00:00",
        ),
        *("2024-01-02T03:04:05.", "2024-01-02T03:04:05.1234567", "2024-01-02T03:04:05+24:00", "2024-01-02T03:04:05+5"),
        *("2024-01-02T03:04:05 EST", "2024-01-02T03:04:05ZZ", "2024-01-02Z", "２０２４-01-02", "2024-01-02\n03:04"),
        *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00Z", "2023-02-29T00:00:00Z"),
    ],
)
def test_what_is_no_timestamp_keeps_its_row_out(text: str) -> None:
    """No such day or time, no such shape, finer than a microsecond, or beyond the calendar in UTC."""
    with pytest.raises(NotStorable):
        ISO(text)


@given(
    st.datetimes(),
    st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    st.sampled_from(["T", " ", "t"]),
)
def test_any_instant_is_stored_as_its_own_in_utc(moment: datetime, zone: timezone, sign: str) -> None:
    """For any instant in any zone: what is stored is the same instant, in one form, if the calendar has it in UTC."""
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
    assert timestamp_reader(timestamp_format)(text) == stored


@pytest.mark.parametrize("directive", ["%H", "%I", "%M", "%S", "%f", "%p", "%X", "%c"])
def test_each_directive_of_a_time_makes_instants(directive: str) -> None:
    """A file of instants is not told from one of dates by a midnight."""
    moment = datetime(2000, 1, 2, tzinfo=UTC)
    timestamp_format = directive if directive == "%c" else f"%Y-%m-%d|{directive}"
    assert timestamp_reader(timestamp_format)(f"{moment:{timestamp_format}}") == "2000-01-02T00:00:00.000000Z"


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
    """A day that does not exist, no day at all, and one beyond the calendar in UTC."""
    with pytest.raises(NotStorable):
        timestamp_reader(timestamp_format)(text)
