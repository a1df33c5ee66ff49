"""What a cell becomes: a number that DynamoDB can hold, or text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.proof.cells import Cells, cells_of
from simulator.proof.content import number_value, text_value
from simulator.proof.failures import NotStorable


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
    """These are 38 digits, from 1E-130 to 9.99E+125, and zero with any exponent."""
    assert Cells().value(cell) == number_value(cell)


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
    """It has one digit more, or one power beyond, at either end and however long it is."""
    with pytest.raises(NotStorable):
        Cells().value(cell)


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
    """Anything that is not a number in JSON is text."""
    assert Cells().value(cell) == text_value(cell)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_number_is_held_exactly_when_decimal_arithmetic_says_so(number: Decimal) -> None:
    """For any number in either notation, digits and magnitude are within the limits, or it is zero."""
    digits = len("".join(map(str, number.as_tuple().digits)).strip("0"))
    held = not number or (digits <= 38 and -130 <= number.adjusted() <= 125)
    for text in (f"{number:E}", f"{number:f}" if abs(number.adjusted()) < 500 else f"{number:E}"):
        if held:
            assert Cells().value(text) == number_value(text)
        else:
            with pytest.raises(NotStorable):
                Cells().value(text)


@pytest.mark.parametrize(
    ("cell", "decimal", "lenient", "number"),
    [
        ("1.5", ".", False, "1.5"),
        ("1,5", ",", False, "1.5"),
        ("-0,50e-3", ",", False, "-0.50e-3"),
        ("12", ",", False, "12"),
        ("+1", ".", True, "1"),
        ("+.5", ".", True, "0.5"),
        ("-.5", ".", True, "-0.5"),
        ("5.", ".", True, "5"),
        ("-5.e3", ".", True, "-5e3"),
        (".5E-2", ".", True, "0.5E-2"),
        ("1,234", ".", True, "1234"),
        ("-1,234,567.50", ".", True, "-1234567.50"),
        ("1,234.", ".", True, "1234"),
        ("1.234", ",", True, "1234"),
        ("+1.234.567,5e+2", ",", True, "1234567.5e+2"),
        (",5", ",", True, "0.5"),
        ("0,", ",", True, "0"),
        ("-0", ".", True, "-0"),
    ],
)
def test_a_number_may_be_written_as_the_settings_say(cell: str, decimal: str, lenient: bool, number: str) -> None:
    """The same number is stored in JSON's form, and its size is that form's."""
    cells = Cells(decimal, lenient)
    assert cells.value(cell) == cells.remembered_value(cell) == number_value(number)
    assert cells.size(cell) == len(number)


@pytest.mark.parametrize(
    ("cell", "decimal", "lenient"),
    [
        *(("1,5", ".", False), ("1.5", ",", False), ("1,234", ".", False), ("+1", ",", False), (",5", ",", False)),
        *(
            (cell, ".", True)
            for cell in ("007", "+", ".", "-.", "1,23", "12,34", "1,2345", "0,123", "01,234", "1,234,")
        ),
        *(
            (cell, ".", True)
            for cell in ("1,,234", "1234,567", ",234", "1.5,000", "1.234.567", "--1", "+-1", "1e", ".e1")
        ),
        *((cell, ".", True) for cell in ("1 000", "1'000", "$1", "1%", "(1)", "1e1.5", "NaN", "\u0661", "1.5.2")),
        *((cell, ",", True) for cell in ("1.5", "1,5,2", "1.23", "0.123", "1,234.5")),
    ],
)
def test_what_the_settings_do_not_make_a_number_is_a_text(cell: str, decimal: str, lenient: bool) -> None:
    """It covers leading zeros, groups of other sizes, the other separator, and anything else."""
    cells = Cells(decimal, lenient)
    assert cells.value(cell) == text_value(cell)
    assert cells.size(cell) == len(cell.encode())
    assert cells.uses(cell) == set()


def test_a_grouped_number_is_judged_by_what_is_stored() -> None:
    """Signs and separators are not digits: 38 of these fit, one more does not, and the size is at most 21 bytes."""
    cells, groups = Cells(".", lenient=True), ",".join(["12", *["345"] * 12])
    assert cells.value(f"+{groups}.") == number_value("12" + "345" * 12)
    assert cells.size(f"+{groups}.") == 21
    with pytest.raises(NotStorable):
        cells.value(f"{groups}.5")


@pytest.mark.parametrize(
    ("cell", "decimal", "lenient", "used"),
    [
        ("1", ".", False, set()),
        ("1", ",", True, set()),
        ("x", ",", True, set()),
        ("1,5", ",", False, {"DECIMAL_SEPARATOR"}),
        ("1,5", ",", True, {"DECIMAL_SEPARATOR"}),
        ("1.234", ",", True, {"DECIMAL_SEPARATOR", "NUMBERS"}),
        ("+1", ",", True, {"NUMBERS"}),
        ("1,234", ".", True, {"NUMBERS"}),
        ("1.5", ".", True, set()),
    ],
)
def test_a_number_says_which_settings_it_needs(cell: str, decimal: str, lenient: bool, used: set[str]) -> None:
    """Only settings are listed without which it would be text, or another number."""
    assert Cells(decimal, lenient).uses(cell) == used


def test_cells_are_read_once_for_all_objects() -> None:
    """There is one reader per set of settings."""
    cells_of.cache_clear()
    assert cells_of(",", True) is cells_of(",", True)
    assert cells_of(",", True).value("1.234,5") == number_value("1234.5")
    assert cells_of(".", False).value("1,5") == text_value("1,5")
