"""Numbers and missing values as people write them: which settings read them, and what only resembles one."""

from __future__ import annotations

import pytest

from simulator.files.cells import is_number, looks_like, null_words, number_settings


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("null", "a null word"),
        ("-", "a null word"),
        ("#N/A", "a null word"),
        (r"\N", "a null word"),
        ("1,608.00", "a grouped number"),
        ("1.608,00", "a grouped number"),
        ("1'234.50", "a grouped number"),
        ("1 234", "a grouped number"),
        ("1,00,000.50", "a grouped number"),
        ("\u22121.5", "a minus sign of another kind"),
        ("- 1.5", "a minus sign of another kind"),
        ("1.235,56-", "a minus sign of another kind"),
        (" 1.5 ", "a number within blanks"),
        ("1609,5\u00a0", "a number within blanks"),
        ("+1.5", "a leading plus"),
        ("27,51", "a decimal comma"),
        (".5", "a decimal point"),
        ("5.", "a decimal point"),
        ("-0.61%", "a percentage"),
        ("$184.40", "an amount with a currency"),
        ("12 EUR", "an amount with a currency"),
        ("68.18K", "a number with K, M or B"),
        ("1.2 Mio", "a number with K, M or B"),
        ("(1.5)", "a number in brackets"),
        ("007", "leading zeros"),
        ("AAPL", None),
        ("F (Jan 14)", None),
        ("2024-01-02", None),
        ("3M Company", None),
        ("nullable", None),
        ("1" * 39 + "%", "a percentage"),
        ("1" * 40 + "%", None),
        ("-,", None),
    ],
)
def test_what_a_text_looks_like(text: str, kind: str | None) -> None:
    """There is one kind for each, and none for words."""
    assert looks_like(text) == kind


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("1.5", {(".", False), (".", True)}),
        ("27,51", {(",", False), (",", True)}),
        ("1,608.00", {(".", True)}),
        ("1.608,00", {(",", True)}),
        ("1,234", {(".", True), (",", False), (",", True)}),
        ("+1", {(".", True), (",", True)}),
        (".5", {(".", True)}),
        ("5.", {(".", True)}),
        ("007", set()),
        ("1e5", {(".", False), (".", True), (",", False), (",", True)}),
        ("12,34.5", set()),
    ],
)
def test_which_settings_make_a_number(text: str, ways: set[tuple[str, bool]]) -> None:
    """The decimal separator and leniency decide, as for the consumer."""
    every = {(point, lenient) for point in ".," for lenient in (False, True)}
    assert {way for way in every if is_number(text, way[0], lenient=way[1])} == ways


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([["1.5", "2"]], (".", False, False)),
        ([["a", "b"]], (".", False, False)),
        ([["27,51", "3"]], (",", False, False)),
        ([["27,51"], ["1.234"]], (",", True, False)),
        ([["1,608.00"]], (".", True, False)),
        ([["1,234", "2,345"]], (".", True, True)),
        ([["1,234"], ["1.5"]], (".", True, False)),
        ([["+1"], ["2"]], (".", True, False)),
        ([["1,234", "a"]], (".", True, True)),
        ([["1,234", "5"]], (".", True, True)),
        ([["1,234", "+1"]], (".", True, False)),
        ([["1,234", "27,51"]], (",", False, False)),
        ([["1.5", "27,51"]], (".", False, False)),
    ],
)
def test_the_settings_by_which_most_cells_are_numbers(
    columns: list[list[str]], expected: tuple[str, bool, bool]
) -> None:
    """They are the fewest settings that do it; whether others would fit as well is reported."""
    assert number_settings(columns, None, None) == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([["1,234", "1,235"], ["34000"]], (",", False, True)),
        ([["1.234", "1.235"]], (".", False, True)),
        ([["1.234", "1.2"]], (".", False, False)),
        ([["1.234"], ["27.51"]], (".", False, False)),
        ([["1,234.5", "1,235"]], (".", True, False)),
        ([["27,51"], ["1.234"]], (",", True, False)),
        ([["1", "2"]], (".", False, False)),
    ],
)
def test_between_semicolons_a_comma_is_decimal(columns: list[list[str]], expected: tuple[str, bool, bool]) -> None:
    """A file with semicolons between cells uses the comma for something else; possible thousands are reported."""
    assert number_settings(columns, None, None, semicolons=True) == expected


def test_a_separator_that_is_given_stays() -> None:
    """Only open settings are decided."""
    assert number_settings([["27,51"]], ".", None)[0] == "."
    assert number_settings([["1,608.00"]], None, False)[1] is False
    assert number_settings([["1,234"]], ".", None) == (".", True, False)
    assert number_settings([["5"]], None, True) == (".", True, False)
    assert number_settings([["a,b", "5"]], None, True) == (".", True, False)


def test_null_words_are_those_in_columns_of_numbers() -> None:
    """A column of texts may well have the word NA in it; one of numbers, or an empty one, does not."""
    assert null_words([["1", "null", "2"], ["NaN", "NaN"]]) == ("null", "NaN")
    assert null_words([["NA", "DE", "FR"]]) == ()
    assert null_words([["1", "-", "27,51", "1,234.5"]]) == ("-",)
    assert null_words([["", "", "", "1", "-"]]) == ("-",)
    assert null_words([["1", "2", "a", "b", "-"]]) == ("-",)
    assert null_words([["1", "2", "a", "b", "c", "-"]]) == ()


def test_null_words_that_are_known_are_not_reported_again() -> None:
    """They are those already set."""
    assert null_words([["1", "-", "NA"]], ["-"]) == ("NA",)


@pytest.mark.parametrize(
    ("columns", "semicolons", "ambiguous"),
    [
        ([["1.234"]], False, False),
        ([["1.234"]], True, True),
        ([["1.234"], ["5"]], True, True),
        ([["1.234", "5"]], True, True),
        ([["1.234e5"]], True, False),
        ([["1.234", "1.234e5"]], True, False),
    ],
)
def test_points_may_be_thousands_between_semicolons_alone(
    columns: list[list[str]], semicolons: bool, ambiguous: bool
) -> None:
    """The doubt arises if all points of some column are followed by three digits, whatever is in the others."""
    assert number_settings(columns, None, None, semicolons=semicolons) == (".", False, ambiguous)


def test_a_comma_is_not_looked_at_where_numbers_are_settled_as_json() -> None:
    """A group of three is text then, and nothing is open."""
    assert number_settings([["1,234"]], None, False) == (".", False, False)


def test_a_null_word_may_occur_among_numbers_in_any_form() -> None:
    """A leading plus does not make a column less numeric."""
    assert null_words([["+1", "-"]]) == ("-",)
