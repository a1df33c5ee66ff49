"""An item's meaning as one text: equal exactly if it means the same."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.proof.content import cells, item_content, label, number_text, number_value, rejection_content, text_value


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("1.50", "1.5"),
        ("1.0", "1"),
        ("0.0", "0"),
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("-0e7", "0"),
        ("0e99999999999999999999", "0"),
        ("-0.00E-99999999999999999999", "0"),
        ("10", "10"),
        ("100", "100"),
        ("-100.10", "-100.1"),
        ("1e2", "100"),
        ("1E-3", "0.001"),
        ("15e-1", "1.5"),
        ("-12.340", "-12.34"),
        ("007", "7"),
        ("0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"),
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("9.9e125", "99" + "0" * 124),
        ("1e200", "1" + "0" * 200),
        ("1e-200", "0." + "0" * 199 + "1"),
        ("1." + "0" * 500 + "e1", "10"),
    ],
)
def test_a_number_has_one_spelling(text: str, same: str) -> None:
    """DynamoDB may return a number in another notation than it was sent; its value is what counts."""
    assert number_text(text) == same


@pytest.mark.parametrize(
    "text",
    [
        *("", "abc", "NaN", "-NaN", "Infinity", "1e999999999", "1e-400", "0x10", "nan", "inf", "1e201", "1e-201"),
        *("-1e201", "1e1_0x", "1" * 401 + "e1"),
    ],
)
def test_what_no_store_takes_for_a_number_stays_as_it_is(text: str) -> None:
    """A damaged number is compared as text, and a huge exponent is never written out."""
    assert number_text(text) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=10), st.integers(0, 3))
def test_two_spellings_are_equal_exactly_when_the_numbers_are(number: Decimal, zeros: int) -> None:
    """For any number: trailing zeros or an exponent change nothing, another last digit does."""
    plain = format(number, "f")
    assert number_text(plain + "0" * zeros) == number_text(plain) == number_text(f"{number:E}")
    assert number_text(format(number + Decimal("1e-10"), "f")) != number_text(plain)


def test_a_cell_of_an_object_reads_as_an_attribute_of_an_item() -> None:
    """A row's content is made of the same parts as an item's, in the order of the names."""
    parts = [label("a") + number_value("1.0"), label("b") + text_value('x"\ud800')]
    assert item_content({"b": {"S": 'x"\ud800'}, "a": {"N": "1"}}) == ",".join(parts)
    assert item_content({}) == ""


def test_the_order_within_a_map_does_not_matter() -> None:
    """Nested attributes are unordered, too."""
    one, other = {"x": {"S": "1"}, "y": {"S": "2"}}, {"y": {"S": "2"}, "x": {"S": "1"}}
    assert item_content({"a": {"M": one}}) == item_content({"a": {"M": other}})


@pytest.mark.parametrize(
    "value",
    [
        {"S": "1"},
        {"BOOL": True},
        {"NULL": True},
        {"L": [{"N": "1"}]},
        {"B": "MQ=="},
        {"B": b"1"},
        {"NS": ["1"]},
        {},
        {"N": 1},
        {"N": "1", "S": "1"},
    ],
)
def test_another_type_is_another_value(value: dict[str, Any]) -> None:
    """A number 1 is neither the text 1 nor any other type that holds it, nor what no store should return."""
    assert item_content({"a": value}) != label("a") + number_value("1")


def test_rejected_rows_are_equal_field_by_field() -> None:
    """The text of a rejected row keeps its fields apart, and is ASCII JSON whatever they hold."""
    assert rejection_content(iter(["a", "b,c"])) == '["a","b,c"]'
    assert rejection_content(["a", "b,c"]) != rejection_content(["a,b", "c"])
    assert rejection_content(["é\0\udcff"]) == '["\\u00e9\\u0000\\udcff"]'


@given(st.dictionaries(st.text(), st.text()))
def test_what_a_content_says_can_be_read_again(texts: dict[str, str]) -> None:
    """Every name comes with its type and value, for use in a difference."""
    assert cells(item_content({name: {"S": text} for name, text in texts.items()})) == {
        name: ("S", text) for name, text in texts.items()
    }


def test_a_value_that_is_not_text_is_shown_as_json() -> None:
    """A list or a flag is shown with its type in a difference, and so is a value without one."""
    content = item_content({"a": {"BOOL": True}, "b": {"L": [{"N": "1"}]}, "c": {}, "d": {"N": "1.0"}})
    assert cells(content) == {
        "a": ("BOOL", "true"),
        "b": ("L", json.dumps([{"N": "1"}], separators=(",", ":"))),
        "c": ("", ""),
        "d": ("N", "1"),
    }
