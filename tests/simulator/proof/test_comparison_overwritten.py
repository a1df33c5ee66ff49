"""Rows that a different, later row of their object replaced: they are lost, and named."""

from __future__ import annotations

import pytest

from simulator.base import limits
from simulator.proof.comparison import Comparison
from simulator.proof.content import item_content
from simulator.proof.evidence import Case, Gathered, Kind, Standing


def _case(*rows: tuple[int, int, str], stored: str, pk: str = "A") -> Case:
    """Rows of objects, by the object's number, the line and the price, and what is stored."""
    claims = [(source, line, item_content({"price": {"N": price}})) for source, line, price in rows]
    return Case(pk, "2026-01-02", claims, [item_content({"price": {"N": stored}})])


def _judged(*cases: Case, unsettled: dict[int, Standing] | None = None) -> Comparison:
    comparison = Comparison(lambda source: f"stocks/{source}.csv")
    comparison.judge(Gathered(Kind.ROW, 0, 0, list(cases)), unsettled or {})
    return comparison


@pytest.mark.parametrize(
    ("prices", "overwritten"),
    [
        (["1"], 0),
        (["1", "2"], 1),
        (["1", "2", "3"], 2),
        # The same row again is not a loss, and a number counts by its value.
        (["1", "1"], 0),
        (["1.50", "1.5"], 0),
        (["-0", "0"], 0),
        (["15e-1", "1.5"], 0),
        # Only the stored row counts: the first and the last are equal.
        (["1", "2", "1"], 1),
        (["1", "2", "2"], 1),
        (["1", "1", "2"], 2),
        (["1", "2", "1", "3", "1.0"], 2),
    ],
)
def test_a_row_that_differs_from_the_last_one_of_its_key_is_overwritten(prices: list[str], overwritten: int) -> None:
    """Each of them counts once, and every row but the last is a duplicate."""
    judged = _judged(_case(*((1, line, price) for line, price in enumerate(prices, 2)), stored=prices[-1]))
    assert judged.counts["overwritten"] == overwritten
    assert judged.counts["duplicates"] == len(prices) - 1
    assert judged.counts["expected_rows"] == 1
    assert judged.counts["different"] == judged.counts["missing"] == 0
    assert len(judged.differences()) == bool(overwritten)
    assert judged.overwriting == ([1] if overwritten else [])


@pytest.mark.parametrize(
    "standing", [standing for standing in Standing if standing is not Standing.SETTLED], ids=lambda each: each.name
)
def test_only_a_settled_object_overwrites(standing: Standing) -> None:
    """In an object whose message is in a queue, or that was overwritten, not every row need be stored."""
    judged = _judged(_case((1, 2, "1"), (1, 3, "2"), stored="2"), unsettled={1: standing})
    assert (judged.counts["overwritten"], judged.overwriting) == (0, [])


def test_rows_of_two_objects_overwrite_nothing() -> None:
    """Two objects with one key are ambiguous; each alone is consistent."""
    judged = _judged(_case((1, 2, "1"), (2, 2, "2"), stored="2"))
    assert (judged.counts["overwritten"], judged.counts["ambiguous"]) == (0, 1)
    both = _judged(_case((1, 2, "1"), (1, 3, "2"), (2, 2, "3"), (2, 3, "4"), stored="2"))
    assert (both.counts["overwritten"], both.counts["duplicates"], both.overwriting) == (2, 2, [1, 2])


def test_the_words_name_both_lines_the_object_and_the_first_change() -> None:
    """The user finds the two rows, and sees at once what was lost."""
    judged = _judged(_case((1, 7, "1"), (1, 12, "2"), (1, 30, "1"), stored="1"))
    assert judged.differences() == (
        "A 2026-01-02: line 12 is overwritten by line 30, stocks/1.csv: "
        "price is the number 2 in one and the number 1 in the other",
    )


def test_an_attribute_that_only_one_row_has_is_absent_from_the_other() -> None:
    """A cell that is filled in one row and empty in the other makes them differ."""
    rows = [(1, 2, item_content({"a": {"N": "1"}, "b": {"S": "x\n"}})), (1, 3, item_content({"a": {"N": "1"}}))]
    judged = _judged(Case("A", "B", rows, [rows[1][2]]))
    assert judged.differences() == (
        'A B: line 2 is overwritten by line 3, stocks/1.csv: b is S "x\\n" in one and absent in the other',
    )


@pytest.mark.parametrize("backwards", [False, True])
def test_the_first_keys_and_the_first_objects_are_named(backwards: bool) -> None:
    """Whatever the order of the cases, there are ten differences by key, and ten objects in order."""
    cases = [_case((n + 1, 2, "1"), (n + 1, 3, "2"), stored="2", pk=f"K{n:02d}") for n in range(30)]
    judged = _judged(*(reversed(cases) if backwards else cases))
    assert judged.counts["overwritten"] == 30
    assert [text[:3] for text in judged.differences()] == [f"K{n:02d}" for n in range(limits.AUDIT_DIFFERENCES)]
    assert judged.overwriting == list(range(1, limits.AUDIT_DIFFERENCES + 1))


def test_lost_rows_do_not_hide_a_difference() -> None:
    """They alternate with the other sorts."""
    lost = [_case((1, 2, "1"), (1, 3, "2"), stored="2", pk=f"K{n:02d}") for n in range(30)]
    judged = _judged(*lost, _case((1, 2, "1"), stored="2", pk="Z"))
    assert sum("should be" in text for text in judged.differences()) == 1
    assert len(judged.differences()) == limits.AUDIT_DIFFERENCES


def test_what_is_accepted_is_counted_and_not_named() -> None:
    """An intended loss leaves the room to other differences."""
    judged = _judged(_case((1, 2, "1"), (1, 3, "2"), stored="2"), _case((1, 2, "1"), stored="2", pk="Z"))
    assert len(judged.differences()) == 2
    assert [text[0] for text in judged.differences({"overwritten"})] == ["Z"]
    assert judged.counts["overwritten"] == 1
