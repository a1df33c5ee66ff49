"""Numbers as files write them and within DynamoDB's limits, against the standard library."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.values import Refusal, bad_number, number_reader, number_value, shown


@pytest.fixture(autouse=True)
def nothing_is_remembered():
    """Results from other tests are forgotten."""
    number_reader.cache_clear()


numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,45})(\.[0-9]{1,45})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)


@settings(max_examples=100, deadline=None)
@given(text=numbers)
def test_a_number_is_refused_exactly_beyond_dynamodbs_bounds(text):
    """The limits are 38 significant digits and magnitudes from 1E-130 to 9.99...E+125; zero is always fine."""
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
    """It holds however they are written."""
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
    """It has as few digits as possible; zero has none."""
    assert number_value(text) == value


def test_a_refusal_says_of_what_kind_it_is():
    """It is the reason itself, unless something varies by row."""
    plain, full = Refusal("a reason"), Refusal("a reason of 5", "a reason", "5", "SETTING")
    assert (str(plain), plain.kind, plain.cell, plain.setting) == ("a reason", "a reason", None, None)
    assert (str(full), full.kind, full.cell, full.setting) == ("a reason of 5", "a reason", "5", "SETTING")


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
    """38 digits, not counting zeros at the ends, and magnitudes up to the limits, however the exponent is written."""
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
    """These are the first numbers beyond each limit, and exponents that no integer should be made of."""
    assert reason in bad_number(text)


@settings(max_examples=300, deadline=None)
@given(
    whole=st.integers(0, 10**12),
    fraction=st.from_regex("[0-9]{0,6}", fullmatch=True),
    minus=st.sampled_from(["", "-", "+"]),
)
@pytest.mark.parametrize(("sign", "group"), [(".", ","), (",", ".")])
def test_a_lenient_number_is_what_python_writes_with_thousands(sign, group, whole, fraction, minus):
    """Every digit stays as written; separators of thousands and a plus sign are dropped."""
    text = f"{minus}{whole:,}".replace(",", group) + (sign + fraction if fraction else "")
    read = number_reader(sign, lenient=True)
    assert read(text) == f"{minus.strip('+')}{whole}" + ("." + fraction if fraction else "")
    strict = number_reader(sign, lenient=False)(text)
    grouped = whole > 999
    assert strict == (None if minus == "+" or grouped else text.replace(sign, "."))


@pytest.mark.parametrize(
    "text", ["", "-", "+", ".", ",", "e5", "1e", "1e+", "--1", "1 ", "\n1", "1\n", "١", "1..5", "1,5,"]
)
@pytest.mark.parametrize("sign", [".", ","])
@pytest.mark.parametrize("lenient", [False, True])
def test_what_has_no_digits_or_too_much_is_not_a_number(text, sign, lenient):
    """It holds whatever the settings."""
    assert number_reader(sign, lenient=lenient)(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [(".5", "0.5"), ("-.50", "-0.50"), ("+.5e3", "0.5e3"), ("5.", "5"), ("-1,234.", "-1234"), ("0.", "0")],
)
def test_digits_may_be_missing_on_one_side(text, number):
    """Before the separator a zero is added for them, after it nothing."""
    assert number_reader(".", lenient=True)(text) == number
    assert number_reader(",", lenient=True)(text.translate(str.maketrans(".,", ",."))) == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a'b", '"a\'b"'), ("\n", "'\\n'"), ("x" * 60, repr("x" * 60)), ("x" * 61, repr("x" * 60 + "..."))],
)
def test_a_text_in_a_message_is_quoted_and_cut(text, expected):
    """It stays on one line, and is at most this long."""
    assert shown(text) == expected
    assert shown("x" * 9, 9) == repr("x" * 9)
    assert shown("x" * 10, 9) == repr("x" * 9 + "...")
