"""The audit's arithmetic: one key at a time, against what it should say of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.base import limits
from simulator.proof.comparison import Comparison, cells_text, item_text, number_text, rejection_text
from simulator.proof.evidence import Case, Claim, Kind, Standing

SETTLED, DEAD, PENDING = Standing.SETTLED, Standing.DEAD_LETTERED, Standing.PENDING


def _price(text: str) -> str:
    return cells_text([("price", "N", text)])


def _case(*claims: tuple[int, Standing, str], stored: str | None, pk: str = "AAPL") -> Case:
    """A row's case; each claim's line is its position, so that the last one of an object wins."""
    return Case(
        Kind.ROW,
        pk,
        "2026-11-22",
        tuple(Claim(source, standing, line, _price(text)) for line, (source, standing, text) in enumerate(claims, 2)),
        () if stored is None else (_price(stored),),
    )


def _judged(*cases: Case) -> Comparison:
    comparison = Comparison(lambda source: f"stocks/{source}.csv")
    for case in cases:
        comparison.judge(case)
    return comparison


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("1.50", "1.5"),
        ("1.0", "1"),
        ("0.0", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("10", "10"),
        ("1e2", "100"),
        ("1E-3", "0.001"),
        ("15e-1", "1.5"),
        ("-12.340", "-12.34"),
        ("0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"),
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("9.9e125", "99" + "0" * 124),
        ("1e200", "1" + "0" * 200),
        ("1e-200", "0." + "0" * 199 + "1"),
    ],
)
def test_a_number_has_one_spelling(text: str, same: str) -> None:
    """DynamoDB may return a number written otherwise than it was sent; its value is what counts."""
    assert number_text(text) == same


@pytest.mark.parametrize(
    "text", ["", "abc", "NaN", "Infinity", "1e999999999", "1e-400", "0x10", "nan", "inf", "1e201", "1e-201"]
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


def test_the_order_of_attributes_does_not_matter() -> None:
    """An item is a set of attributes: as DynamoDB returns them, in any order, it equals the row."""
    assert item_text({"b": {"S": "x"}, "a": {"N": "1.0"}}) == cells_text([("a", "N", "1"), ("b", "S", "x")])


def test_the_order_within_a_map_does_not_matter() -> None:
    """Nested attributes are a set, too."""
    one, other = {"x": {"S": "1"}, "y": {"S": "2"}}, {"y": {"S": "2"}, "x": {"S": "1"}}
    assert item_text({"a": {"M": one}}) == item_text({"a": {"M": other}})


def test_rejected_rows_are_equal_field_by_field() -> None:
    """The text of a rejected row keeps its fields apart."""
    assert rejection_text(iter(["a", "b,c"])) == '["a","b,c"]'
    assert rejection_text(["a", "b,c"]) != rejection_text(["a,b", "c"])


@pytest.mark.parametrize("value", [{"S": "1"}, {"BOOL": True}, {"NULL": True}, {"L": [{"N": "1"}]}, {"B": "MQ=="}])
def test_another_type_is_another_value(value: dict[str, object]) -> None:
    """A number 1 is neither the text 1 nor any other type that holds it."""
    assert item_text({"a": value}) != cells_text([("a", "N", "1")])


@pytest.mark.parametrize(
    ("case", "counts"),
    [
        (_case((1, SETTLED, "1"), stored="1"), {"expected_rows": 1}),
        (_case((1, SETTLED, "1"), stored=None), {"expected_rows": 1, "missing": 1}),
        (_case((1, SETTLED, "1"), stored="2"), {"expected_rows": 1, "different": 1}),
        (_case(stored="1"), {"extra": 1}),
        # The same key twice in one object: the last row wins.
        (_case((1, SETTLED, "1"), (1, SETTLED, "2"), stored="2"), {"expected_rows": 1, "duplicates": 1}),
        (
            _case((1, SETTLED, "1"), (1, SETTLED, "2"), stored="1"),
            {"expected_rows": 1, "duplicates": 1, "different": 1},
        ),
        # In two objects: any of them is right, and ambiguous only if they say different things.
        (_case((1, SETTLED, "1"), (2, SETTLED, "2"), stored="1"), {"expected_rows": 1, "ambiguous": 1}),
        (_case((1, SETTLED, "1"), (2, SETTLED, "2"), stored="2"), {"expected_rows": 1, "ambiguous": 1}),
        (
            _case((1, SETTLED, "1"), (2, SETTLED, "2"), stored="3"),
            {"expected_rows": 1, "ambiguous": 1, "different": 1},
        ),
        (_case((1, SETTLED, "1"), (2, SETTLED, "1.0"), stored="1"), {"expected_rows": 1}),
        # What an object holds whose message a queue has is neither missing nor extra, wherever it broke off.
        (_case((1, DEAD, "1"), stored=None), {"dead": (1, 0)}),
        (_case((1, DEAD, "1"), stored="1"), {"dead": (1, 1)}),
        (_case((1, DEAD, "1"), (1, DEAD, "2"), stored="1"), {"dead": (1, 1), "duplicates": 1}),
        (_case((1, DEAD, "1"), stored="2"), {"dead": (1, 0), "different": 1}),
        (_case((1, PENDING, "1"), stored="1"), {"pending": (1, 1)}),
        (_case((1, SETTLED, "1"), (2, DEAD, "2"), stored="2"), {"expected_rows": 1, "ambiguous": 1, "dead": (1, 1)}),
        (
            _case((1, SETTLED, "1"), (2, DEAD, "2"), stored=None),
            {"expected_rows": 1, "ambiguous": 1, "dead": (1, 0), "missing": 1},
        ),
    ],
)
def test_every_row_is_accounted_for(case: Case, counts: dict[str, object]) -> None:
    """Each way in which claims and table can stand to each other has its own count, and only that."""
    judged = _judged(case)
    found: dict[str, object] = dict(judged.counts)
    for name, standing in (("dead", DEAD), ("pending", PENDING)):
        found[name] = (judged.held_rows[standing], judged.held_rows_stored[standing])
    nothing = dict.fromkeys(judged.counts, 0) | {"dead": (0, 0), "pending": (0, 0)}
    assert found == nothing | counts
    assert len(judged.differences) == judged.counts["missing"] + judged.counts["extra"] + judged.counts["different"]


@given(
    st.lists(
        st.tuples(
            st.lists(
                st.tuples(st.integers(1, 3), st.sampled_from("123")).map(
                    lambda claim: (claim[0], (SETTLED, DEAD, PENDING)[claim[0] % 3], claim[1])
                ),
                max_size=4,
            ).map(sorted),
            st.sampled_from([None, "1", "2", "3", "4"]),
        ),
        max_size=20,
    )
)
def test_the_table_adds_up(keys: list[tuple[list[tuple[int, Standing, str]], str | None]]) -> None:
    """For any claims: items = expected - missing + extra + items that only held objects can explain."""
    cases = [_case(*claims, stored=stored, pk=str(n)) for n, (claims, stored) in enumerate(keys)]
    judged = _judged(*cases)
    held_only = sum(
        bool(case.stored) and bool(case.claims) and all(claim.standing is not SETTLED for claim in case.claims)
        for case in cases
    )
    stored = sum(len(case.stored) for case in cases)
    assert stored == judged.counts["expected_rows"] - judged.counts["missing"] + judged.counts["extra"] + held_only


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (_case((1, SETTLED, "1"), stored=None), "AAPL 2026-11-22: missing, stocks/1.csv line 2 has it"),
        (_case(stored="1"), "AAPL 2026-11-22: extra, no object has this row"),
        (
            _case((1, SETTLED, "1"), stored="2"),
            "AAPL 2026-11-22: price should be the number 1 and is the number 2, stocks/1.csv line 2",
        ),
        (
            Case(
                Kind.ROW,
                "A\x1b[31m\nB",
                "x" * 500,
                (Claim(1, SETTLED, 7, cells_text([("a", "S", "1"), ("b", "N", "2")])),),
                (cells_text([("a", "N", "1"), ("c", "S", "\n")]),),
            ),
            f'A\\x1b[31m\\nB {"x" * 119}…: a should be S "1" and is the number 1 (and 2 more), stocks/1.csv line 7',
        ),
        (
            _case((1, SETTLED, "1"), (2, DEAD, "2"), stored="3"),
            "AAPL 2026-11-22: price should be the number 1 and is the number 3, stocks/1.csv line 2",
        ),
        (
            Case(
                Kind.ROW,
                "x" * 120,
                "B",
                (Claim(1, SETTLED, 7, cells_text([("a", "S", "="), ("b", "S", "1"), ("c", "S", "2")])),),
                (cells_text([("a", "S", "="), ("b", "S", "é"), ("c", "S", "3")]),),
            ),
            f'{"x" * 120} B: b should be S "1" and is S "é" (and 1 more), stocks/1.csv line 7',
        ),
        (
            Case(Kind.ROW, "A", "B", (Claim(1, SETTLED, 7, cells_text([("a", "S", "1")])),), (cells_text([]),)),
            'A B: a should be S "1" and is absent, stocks/1.csv line 7',
        ),
    ],
)
def test_a_difference_names_key_place_column_and_values(case: Case, said: str) -> None:
    """One printable line of bounded length, whatever the data holds."""
    assert _judged(case).differences == (said,)


def test_what_is_no_case_is_a_difference_too() -> None:
    """An object that cannot be read, a line that is no record, and a file about no object."""
    comparison = _judged()
    comparison.unreadable("stocks/a.csv", "no gzip")
    comparison.no_rejection("rejected/b", 3)
    comparison.unexplained_rejections("rejected/c")
    assert [comparison.counts[sort] for sort in ("missing", "extra", "different")] == [1, 2, 0]
    assert comparison.differences == (
        "stocks/a.csv cannot be read (no gzip), and no queue holds a message about it",
        "rejected/b line 3: not a record of a rejected row",
        "rejected/c: rejected rows of an object that does not exist",
    )


def test_many_differences_of_one_sort_do_not_hide_another() -> None:
    """A thousand missing rows leave room for the one changed cell and the one extra item."""
    lost = [_case((1, SETTLED, "1"), stored=None, pk=f"A{n:03d}") for n in range(100)]
    judged = _judged(*lost, _case((1, SETTLED, "1"), stored="2", pk="Y"), _case(stored="1", pk="Z"))
    assert len(judged.differences) == limits.AUDIT_DIFFERENCES
    assert sum("missing" in text for text in judged.differences) == limits.AUDIT_DIFFERENCES - 2
    assert [text[0] for text in judged.differences[:3]] == ["A", "Y", "Z"]
    assert [judged.counts[sort] for sort in ("missing", "different", "extra")] == [100, 1, 1]


def _rejection(claims: int, *stored: str, standing: Standing = SETTLED) -> Case:
    return Case(Kind.REJECTION, "stocks/a.csv", "000000000007", (Claim(1, standing, 7, '["x"]'),) * claims, stored)


@pytest.mark.parametrize(
    ("case", "counts", "said"),
    [
        (_rejection(1, '["x"]'), (1, 0, 0, 0), ""),
        (_rejection(1), (1, 1, 0, 0), "stocks/a.csv line 7: the row is rejected, but not recorded as such"),
        (_rejection(1, '["y"]'), (1, 0, 0, 1), 'stocks/a.csv line 7: the row recorded as rejected is ["y"]'),
        (_rejection(0, '["x"]'), (0, 0, 1, 0), "stocks/a.csv line 7: recorded as rejected, but"),
        (_rejection(1, '["x"]', '["x"]'), (1, 0, 1, 0), "stocks/a.csv line 7: recorded as rejected 2 times"),
        (_rejection(1, standing=DEAD), (1, 0, 0, 0), ""),
    ],
)
def test_a_rejected_row_must_be_recorded_once_as_it_was_read(case: Case, counts: tuple[int, ...], said: str) -> None:
    """The record of a rejection is held against the object as an item is; a held object's may be there or not."""
    judged = _judged(case)
    assert (
        judged.counts["rejected"],
        judged.counts["missing"],
        judged.counts["extra"],
        judged.counts["different"],
    ) == counts
    assert "".join(judged.differences).startswith(said)
    assert bool(judged.differences) == bool(said)


@pytest.mark.parametrize(
    ("rows", "rejected", "counted"),
    [
        (0, 0, None),
        (1, 0, None),
        (1, 1, "objects_all_rejected"),
        (200, 200, "objects_all_rejected"),
        (11, 10, None),
        (12, 11, "objects_many_rejected"),
        (109, 11, "objects_many_rejected"),
        (110, 11, None),
        (20_000, 2_000, None),
        (20_000, 2_001, "objects_many_rejected"),
    ],
)
def test_an_object_of_mostly_rejected_rows_is_counted(rows: int, rejected: int, counted: str | None) -> None:
    """All of its rows, or more than ten that are more than a tenth of them; never both."""
    judged = _judged()
    judged.read_whole("stocks/a.csv", rows, rejected)
    sorts = ("objects_all_rejected", "objects_many_rejected")
    assert {sort: judged.counts[sort] for sort in sorts} == {sort: int(sort == counted) for sort in sorts}
    assert judged.notes == ({counted: f"stocks/a.csv: {rejected:,} of {rows:,} rows rejected"} if counted else {})


def test_the_first_object_by_name_is_the_one_that_is_named() -> None:
    """Objects are read several at a time; which of them was read first changes nothing."""
    judged = _judged()
    for key in ("stocks/b.csv", "stocks/a.csv", "stocks/c.csv"):
        judged.read_whole(key, 2, 2)
    assert judged.counts["objects_all_rejected"] == 3
    assert judged.notes == {"objects_all_rejected": "stocks/a.csv: 2 of 2 rows rejected"}
