"""The audit's arithmetic: one key at a time, against the expected result."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.base import limits
from simulator.proof.comparison import Comparison
from simulator.proof.content import item_content
from simulator.proof.evidence import Case, Gathered, Kind, Standing

SETTLED, DEAD, PENDING = Standing.SETTLED, Standing.DEAD_LETTERED, Standing.PENDING
UNREADABLE, VOID, REPLACED = Standing.UNREADABLE, Standing.VOID, Standing.REPLACED


class Judged(NamedTuple):
    """A case, and the standing of each object in it."""

    case: Case
    standings: Mapping[int, Standing]


def _content(**attributes: str) -> str:
    """Attributes whose values are numbers if they look like one."""
    return item_content({name: {"N" if text[0].isdigit() else "S": text} for name, text in attributes.items()})


def _price(text: str) -> str:
    return _content(price=text)


def _case(*claims: tuple[int, Standing, str], stored: str | None, pk: str = "AAPL", sk: str = "2026-11-22") -> Judged:
    """A row's case; each claim's line is its position, so that the last one of an object wins."""
    said = [(source, line, _price(text)) for line, (source, _, text) in enumerate(claims, 2)]
    case = Case(pk, sk, said, [] if stored is None else [_price(stored)])
    return Judged(case, {source: standing for source, standing, _ in claims})


def _rejection(claims: int, *stored: str, standing: Standing = SETTLED) -> Judged:
    return Judged(Case("stocks/a.csv", "000000000007", [(1, 7, '["x"]')] * claims, list(stored)), {1: standing})


def _judged(*judged: Judged, kind: Kind = Kind.ROW) -> Comparison:
    comparison = Comparison(lambda source: f"stocks/{source}.csv")
    for case, standings in judged:
        unsettled = {source: standing for source, standing in standings.items() if standing is not SETTLED}
        comparison.judge(Gathered(kind, len(case.claims) + len(case.stored), 0, [case]), unsettled)
    return comparison


def _counts(comparison: Comparison) -> dict[str, object]:
    """The counts that are not zero."""
    found: dict[str, object] = {name: count for name, count in comparison.counts.items() if count}
    for name, standing in (("dead", DEAD), ("pending", PENDING)):
        if held := comparison.held_rows[standing]:
            found[name] = (held, comparison.held_rows_stored[standing])
    return found


@pytest.mark.parametrize(
    ("judged", "counts"),
    [
        (_case((1, SETTLED, "1"), stored="1"), {"expected_rows": 1}),
        (_case((1, SETTLED, "1"), stored=None), {"expected_rows": 1, "missing": 1}),
        (_case((1, SETTLED, "1"), stored="2"), {"expected_rows": 1, "different": 1}),
        (_case(stored="1"), {"extra": 1}),
        # The same key twice in one object: the last row wins.
        (
            _case((1, SETTLED, "1"), (1, SETTLED, "2"), stored="2"),
            {"expected_rows": 1, "duplicates": 1, "overwritten": 1},
        ),
        (
            _case((1, SETTLED, "1"), (1, SETTLED, "2"), stored="1"),
            {"expected_rows": 1, "duplicates": 1, "overwritten": 1, "different": 1},
        ),
        (
            _case((1, SETTLED, "1"), (1, SETTLED, "2"), stored=None),
            {"expected_rows": 1, "duplicates": 1, "overwritten": 1, "missing": 1},
        ),
        # In two objects: either is right, and the key is ambiguous only if they differ.
        (_case((1, SETTLED, "1"), (2, SETTLED, "2"), stored="1"), {"expected_rows": 1, "ambiguous": 1}),
        (_case((1, SETTLED, "1"), (2, SETTLED, "2"), stored="2"), {"expected_rows": 1, "ambiguous": 1}),
        (
            _case((1, SETTLED, "1"), (2, SETTLED, "2"), stored="3"),
            {"expected_rows": 1, "ambiguous": 1, "different": 1},
        ),
        (_case((1, SETTLED, "1"), (2, SETTLED, "1.0"), stored="1"), {"expected_rows": 1}),
        # Rows of an object whose message is in a queue are neither missing nor extra, wherever it broke off.
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
        # An unreadable object's rows may be stored as far as they go.
        (_case((1, UNREADABLE, "1"), stored="1"), {}),
        (_case((1, UNREADABLE, "1"), stored=None), {}),
        (_case((1, UNREADABLE, "1"), stored="2"), {"different": 1}),
        # A reading that broke off claims nothing.
        (_case((1, VOID, "1"), stored=None), {}),
        (_case((1, VOID, "1"), stored="1"), {"extra": 1}),
        (_case((1, VOID, "1"), (2, SETTLED, "1"), stored="1"), {"expected_rows": 1}),
        # Neither does an earlier content of an object, except that what is stored of it is old.
        (_case((1, REPLACED, "1"), stored=None), {}),
        (_case((1, REPLACED, "1"), stored="1"), {"superseded": 1}),
        (_case((1, REPLACED, "1"), (1, REPLACED, "2"), stored="1"), {"superseded": 1}),
        (_case((1, REPLACED, "1"), stored="2"), {"extra": 1}),
        (_case((1, REPLACED, "1"), (2, SETTLED, "2"), stored="2"), {"expected_rows": 1}),
        (_case((1, REPLACED, "1"), (2, SETTLED, "2"), stored="1"), {"expected_rows": 1, "superseded": 1}),
        (_case((1, REPLACED, "1"), (2, SETTLED, "2"), stored=None), {"expected_rows": 1, "missing": 1}),
        (_case((1, REPLACED, "1"), (2, SETTLED, "2"), stored="3"), {"expected_rows": 1, "different": 1}),
        (_case((1, REPLACED, "1"), (2, SETTLED, "1"), stored="1"), {"expected_rows": 1}),
        (_case((1, REPLACED, "1"), (2, PENDING, "2"), stored="1"), {"pending": (1, 0), "superseded": 1}),
    ],
)
def test_every_row_is_accounted_for(judged: Judged, counts: dict[str, object]) -> None:
    """Each relation between claims and table has its own count, and only that."""
    found = _judged(judged)
    assert _counts(found) == counts
    named = [sort for sort in ("missing", "extra", "different", "overwritten") if found.counts[sort]]
    assert len(found.differences()) == len(named)


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
    """For any claims: items = expected - missing + extra + items that only held objects explain."""
    cases = [_case(*claims, stored=stored, pk=str(n)) for n, (claims, stored) in enumerate(keys)]
    judged = _judged(*cases)
    held_only = sum(
        bool(case.stored) and bool(case.claims) and SETTLED not in standings.values() for case, standings in cases
    )
    stored = sum(len(case.stored) for case, _ in cases)
    assert stored == judged.counts["expected_rows"] - judged.counts["missing"] + judged.counts["extra"] + held_only


def test_keys_that_agree_are_counted_without_a_look() -> None:
    """In the usual case, one claim and the same stored, only the number is passed on."""
    comparison = Comparison(lambda source: f"stocks/{source}.csv")
    comparison.judge(Gathered(Kind.ROW, 14, 7, []), {})
    comparison.judge(Gathered(Kind.REJECTION, 6, 3, []), {})
    assert _counts(comparison) == {"expected_rows": 7, "rejected": 3}


@pytest.mark.parametrize(
    ("judged", "said"),
    [
        (_case((1, SETTLED, "1"), stored=None), "AAPL 2026-11-22: missing, stocks/1.csv line 2 has it"),
        (_case(stored="1"), "AAPL 2026-11-22: extra, no object has this row"),
        (
            _case((1, SETTLED, "1"), stored="2"),
            "AAPL 2026-11-22: price should be the number 1 and is the number 2, stocks/1.csv line 2",
        ),
        (
            Judged(
                Case("A\x1b[31m\nB", "x" * 500, [(1, 7, _content(a="one", b="2"))], [_content(a="1", c="\n")]),
                {1: SETTLED},
            ),
            f'A\\x1b[31m\\nB {"x" * 119}…: a should be S "one" and is the number 1 (and 2 more), stocks/1.csv line 7',
        ),
        (
            _case((1, SETTLED, "1"), (2, DEAD, "2"), stored="3"),
            "AAPL 2026-11-22: price should be the number 1 and is the number 3, stocks/1.csv line 2",
        ),
        (
            Judged(
                Case("x" * 120, "B", [(1, 7, _content(a="=", b="y", c="z"))], [_content(a="=", b="é", c="y")]),
                {1: SETTLED},
            ),
            f'{"x" * 120} B: b should be S "y" and is S "é" (and 1 more), stocks/1.csv line 7',
        ),
        (
            Judged(Case("A", "B", [(1, 7, _content(a="x"))], [""]), {1: SETTLED}),
            'A B: a should be S "x" and is absent, stocks/1.csv line 7',
        ),
    ],
)
def test_a_difference_names_key_place_column_and_values(judged: Judged, said: str) -> None:
    """It is one printable line of bounded length, whatever the data holds."""
    assert _judged(judged).differences() == (said,)


def test_an_older_row_that_is_stored_is_named_as_such() -> None:
    """If a later row of its object should have replaced a row, the difference names its line."""
    three = _judged(_case((1, SETTLED, "1"), (1, SETTLED, "2"), (1, SETTLED, "1"), (1, SETTLED, "3"), stored="1"))
    assert three.differences()[0] == (
        "AAPL 2026-11-22: price should be the number 3 and is the number 1, stocks/1.csv line 5"
        "; it is the row of line 4, which a later one should have replaced"
    )
    # The row of another object is not an older row of this one: its own difference only has the values.
    other = _judged(_case((1, SETTLED, "1"), (1, SETTLED, "2"), (2, SETTLED, "3"), stored="1"))
    assert other.differences()[0].endswith("stocks/2.csv line 4")


def test_what_is_not_a_case_is_a_difference_too() -> None:
    """These are an unreadable object, a line that is not a record, and a file about no object."""
    comparison = _judged()
    comparison.unreadable("stocks/a.csv", "no gzip")
    comparison.no_rejection("rejected/b", 3)
    comparison.unexplained_rejections("rejected/c")
    assert [comparison.counts[sort] for sort in ("missing", "extra", "different")] == [1, 2, 0]
    assert comparison.differences() == (
        "stocks/a.csv cannot be read (no gzip), and no queue holds a message about it",
        "rejected/b line 3: not a record of a rejected row",
        "rejected/c: rejected rows of an object that does not exist",
    )


@pytest.mark.parametrize("backwards", [False, True])
def test_many_differences_of_one_sort_do_not_hide_another(backwards: bool) -> None:
    """A thousand missing rows leave room for the one changed cell and the one extra item, in a fixed order."""
    lost = [_case((1, SETTLED, "1"), stored=None, pk=f"A{n:03d}") for n in range(100)]
    cases = [*lost, _case((1, SETTLED, "1"), stored="2", pk="Y"), _case(stored="1", pk="X")]
    judged = _judged(*(reversed(cases) if backwards else cases))
    assert len(judged.differences()) == limits.AUDIT_DIFFERENCES
    assert sum("missing" in text for text in judged.differences()) == limits.AUDIT_DIFFERENCES - 2
    assert [text[0] for text in judged.differences()[:3]] == ["A", "X", "Y"]
    assert [judged.counts[sort] for sort in ("missing", "different", "extra")] == [100, 1, 1]


@pytest.mark.parametrize("order", ["as they are", "reversed", "shuffled", "the tenth last"])
def test_the_first_differences_are_those_of_the_first_keys(order: str) -> None:
    """Cases come partition by partition, in no meaningful order: the same ones are named each time."""
    cases = [_case((n, SETTLED, "1"), stored=None, pk=f"A{n:03d}") for n in range(100)]
    if order == "reversed":
        cases.reverse()
    elif order == "shuffled":
        random.Random(1).shuffle(cases)
    elif order == "the tenth last":
        cases.append(cases.pop(limits.AUDIT_DIFFERENCES - 1))
    judged = _judged(*cases)
    assert judged.differences() == tuple(
        f"A{n:03d} 2026-11-22: missing, stocks/{n}.csv line 2 has it" for n in range(limits.AUDIT_DIFFERENCES)
    )
    assert sum(map(len, judged._words.values())) == limits.AUDIT_DIFFERENCES


def test_differences_of_one_key_come_in_their_own_order() -> None:
    """Of a file with many bad lines the first are named, ten after nine."""
    comparison = _judged()
    for number in range(1, 13):
        comparison.no_rejection("rejected/b", number)
    assert [text.split()[2] for text in comparison.differences()] == [f"{number}:" for number in range(1, 11)]


@pytest.mark.parametrize(
    ("judged", "counts", "said"),
    [
        (_rejection(1, '["x"]'), {"rejected": 1}, ""),
        (
            _rejection(1),
            {"rejected": 1, "missing": 1},
            "stocks/a.csv line 7: the row is rejected, but not recorded as such",
        ),
        (
            _rejection(1, '["y"]'),
            {"rejected": 1, "different": 1},
            'stocks/a.csv line 7: the row recorded as rejected is ["y"], not as in the object',
        ),
        (
            _rejection(0, '["x"]'),
            {"extra": 1},
            "stocks/a.csv line 7: recorded as rejected, but the object has no such rejected row",
        ),
        (
            _rejection(1, '["x"]', '["x"]'),
            {"rejected": 1, "extra": 1},
            "stocks/a.csv line 7: recorded as rejected 2 times",
        ),
        (_rejection(1, standing=DEAD), {"rejected": 1}, ""),
        (_rejection(1, '["x"]', standing=DEAD), {"rejected": 1}, ""),
        (_rejection(1, standing=PENDING), {"rejected": 1}, ""),
        (_rejection(1, standing=UNREADABLE), {"rejected": 1}, ""),
        (_rejection(1, standing=VOID), {}, ""),
        # An earlier content of the object had this row: its record is old, and nothing worse.
        (_rejection(1, '["x"]', standing=REPLACED), {"superseded": 1}, ""),
        (_rejection(1, standing=REPLACED), {}, ""),
        (
            _rejection(1, '["y"]', standing=REPLACED),
            {"extra": 1},
            "stocks/a.csv line 7: recorded as rejected, but the object has no such rejected row",
        ),
        (
            Judged(
                Case("stocks/a.csv", "000000000007", [(1, 7, '["x"]'), (2, 7, '["y"]')], ['["x"]']),
                {1: REPLACED, 2: SETTLED},
            ),
            {"rejected": 1, "superseded": 1},
            "",
        ),
        (
            Judged(
                Case("stocks/a.csv", "000000000007", [(1, 7, '["x"]'), (2, 7, '["x"]')], ['["x"]']),
                {1: REPLACED, 2: SETTLED},
            ),
            {"rejected": 1},
            "",
        ),
    ],
)
def test_a_rejected_row_must_be_recorded_once_as_it_was_read(
    judged: Judged, counts: dict[str, object], said: str
) -> None:
    """The record of a rejection is compared like an item; a held object's may exist or not."""
    found = _judged(judged, kind=Kind.REJECTION)
    assert _counts(found) == counts
    assert found.differences() == ((said,) if said else ())


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
    """It means all of its rows, or more than ten that are more than a tenth; never both."""
    judged = _judged()
    judged.read_whole("stocks/a.csv", rows, rejected)
    sorts = ("objects_all_rejected", "objects_many_rejected")
    assert {sort: judged.counts[sort] for sort in sorts} == {sort: int(sort == counted) for sort in sorts}
    assert judged.notes == ({counted: f"stocks/a.csv: {rejected:,} of {rows:,} rows rejected"} if counted else {})


def test_the_first_object_by_name_is_the_one_that_is_named() -> None:
    """Several objects are read at a time; which was read first changes nothing."""
    judged = _judged()
    for key in ("stocks/b.csv", "stocks/a.csv", "stocks/c.csv"):
        judged.read_whole(key, 2, 2)
    assert judged.counts["objects_all_rejected"] == 3
    assert judged.notes == {"objects_all_rejected": "stocks/a.csv: 2 of 2 rows rejected"}
