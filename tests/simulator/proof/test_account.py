"""The verdict on an account, and the sentence about keys that are not unique."""

from __future__ import annotations

from itertools import product

import pytest

from simulator.proof.account import Acceptable, Verdict, keys_text, unused_text, verdict
from simulator.proof.dialect import Dialect
from simulator.proof.reader import KeyColumns

NOTHING = dict.fromkeys(("missing", "extra", "different", "overwritten", "superseded", "ambiguous", "duplicates"), 0)


@pytest.mark.parametrize(
    ("counts", "complete", "accepted", "expected"),
    [
        ({}, True, set(), "exact"),
        ({}, False, set(), "unproven"),
        ({"missing": 1}, True, set(), "differs"),
        ({"extra": 1}, True, set(), "differs"),
        ({"different": 1}, True, set(), "differs"),
        ({"missing": 1}, False, set(), "unproven"),
        ({"overwritten": 1}, True, set(), "lossy"),
        ({"overwritten": 1}, True, {"overwritten"}, "exact"),
        ({"overwritten": 1}, False, set(), "unproven"),
        ({"overwritten": 1, "missing": 1}, True, set(), "differs"),
        ({"overwritten": 1, "missing": 1}, True, {"overwritten"}, "differs"),
        ({"superseded": 1, "ambiguous": 1, "duplicates": 1}, True, set(), "exact"),
    ],
)
def test_the_verdict_is_the_first_that_holds(
    counts: dict[str, int], complete: bool, accepted: set[Acceptable], expected: Verdict
) -> None:
    """Unproven comes before differs, lossy and exact; what is accepted is not a loss, and hides nothing else."""
    assert verdict(NOTHING | counts, complete=complete, agreed=True, accepted=accepted) == expected


def test_only_an_account_without_a_loss_is_exact() -> None:
    """Of all combinations of counts, only one is exact."""
    names = ("missing", "extra", "different", "overwritten")
    exact = [
        counts
        for counts in product((0, 1), repeat=4)
        if verdict(NOTHING | dict(zip(names, counts, strict=True)), complete=True, agreed=True, accepted=frozenset())
        == "exact"
    ]
    assert exact == [(0, 0, 0, 0)]


def test_reports_that_are_not_true_are_a_difference() -> None:
    """Whoever reports what does not exist makes the verdict differs, whatever the rows say."""
    judged = {"agreed": False, "accepted": frozenset[Acceptable]()}
    assert verdict(NOTHING, complete=True, **judged) == "differs"  # type: ignore[arg-type]
    assert verdict(NOTHING | {"overwritten": 1}, complete=True, **judged) == "differs"  # type: ignore[arg-type]
    assert verdict(NOTHING, complete=False, **judged) == "unproven"  # type: ignore[arg-type]


MEND = (
    "and are not unique: choose others with the template parameters TickerColumn and TimestampColumn, "
    "or accept the loss with --accept overwritten"
)


@pytest.mark.parametrize(
    ("keys", "dialect", "said"),
    [
        (
            KeyColumns(None, "Date"),
            Dialect(),
            "the file's name (no column is called ticker or symbol) and the column 'Date' (by its name)",
        ),
        (
            KeyColumns("Symbol", "Date"),
            Dialect(),
            "the column 'Symbol' (by its name) and the column 'Date' (by its name)",
        ),
        (
            KeyColumns("Instrument", "Date"),
            Dialect(ticker_column="instrument"),
            "the column 'Instrument' (TICKER_COLUMN) and the column 'Date' (by its name)",
        ),
        (
            KeyColumns("Symbol", "When"),
            Dialect(timestamp_column="when"),
            "the column 'Symbol' (by its name) and the column 'When' (TIMESTAMP_COLUMN)",
        ),
        (
            KeyColumns(None, " "),
            Dialect(),
            "the file's name (no column is called ticker or symbol) and the column ' ' (unnamed)",
        ),
    ],
)
def test_how_keys_were_chosen_and_what_would_fix_them(keys: KeyColumns, dialect: Dialect, said: str) -> None:
    """The line says where each part of the key comes from, what chose it, and the two things to do."""
    assert keys_text("stocks/a.csv", keys, dialect) == f"the keys of stocks/a.csv are {said}, {MEND}"


@pytest.mark.parametrize(
    ("variable", "value", "text"),
    [
        ("COMMENT", "#", "COMMENT is set to '#' and no object had such a line"),
        ("SKIP_LINES", "2", "SKIP_LINES is set to '2' and made no difference to any object"),
        ("NULL_VALUES", "x" * 60, f"NULL_VALUES is set to '{'x' * 60}' and no object had such a cell"),
        ("NULL_VALUES", "x" * 61, f"NULL_VALUES is set to '{'x' * 59}…' and no object had such a cell"),
    ],
)
def test_a_setting_that_made_no_difference_is_reported(variable: str, value: str, text: str) -> None:
    """The words fit the setting, and show its value up to a certain length."""
    assert unused_text(variable, value) == text
