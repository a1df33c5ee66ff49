"""The audit's temporary file: what goes in comes out sorted, and nothing is left."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.base import limits
from simulator.base.errors import CouldNotFinish
from simulator.proof.evidence import Case, Claim, Evidence, Kind, Standing


def test_claims_and_items_of_a_key_meet_whatever_the_order_of_reading() -> None:
    """Cases come in the order of their keys, claims in the order of objects and lines."""
    with Evidence() as evidence:
        evidence.add_objects("b", ["stocks/a.csv", "stocks/b.csv"])
        evidence.show(Kind.ROW, [("B", "1", "stored B"), ("A", "2", "stored A")])
        evidence.claim(Kind.ROW, 2, [("A", "2", 5, "from b")])
        evidence.claim(Kind.ROW, 1, [("A", "2", 9, "from a, later"), ("A", "2", 3, "from a")])
        evidence.show(Kind.REJECTION, [("stocks/a.csv", "000000000004", "row")])
        settled = Standing.SETTLED
        assert list(evidence.cases()) == [
            Case(
                Kind.ROW,
                "A",
                "2",
                (Claim(1, settled, 3, "from a"), Claim(1, settled, 9, "from a, later"), Claim(2, settled, 5, "from b")),
                ("stored A",),
            ),
            Case(Kind.ROW, "B", "1", (), ("stored B",)),
            Case(Kind.REJECTION, "stocks/a.csv", "000000000004", (), ("row",)),
        ]
        assert evidence.statements == 6
        assert [evidence.object_key(source) for source in (1, 2)] == ["stocks/a.csv", "stocks/b.csv"]


@given(st.lists(st.text(min_size=1), unique=True, max_size=30))
def test_any_text_is_a_key(keys: list[str]) -> None:
    """NUL, lone surrogates and all: a key comes back as it was, and no two are taken for one."""
    with Evidence() as evidence:
        evidence.show(Kind.ROW, [(key, key, "content") for key in keys])
        assert sorted(case.pk for case in evidence.cases()) == sorted(keys)


def test_a_queue_that_refers_to_an_object_decides_its_standing() -> None:
    """An object stands as the queue that holds its message says; another bucket's object of the same key does not."""
    with Evidence() as evidence:
        evidence.refer("b", "dead.csv", Standing.DEAD_LETTERED)
        evidence.refer("b", "dead.csv", Standing.PENDING)
        evidence.refer("b", "pending.csv", Standing.PENDING)
        evidence.refer("other", "free.csv", Standing.PENDING)
        evidence.add_objects("b", ["dead.csv", "pending.csv", "free.csv"])
        assert [standing for _, _, standing in evidence.objects()] == [
            Standing.DEAD_LETTERED,
            Standing.PENDING,
            Standing.SETTLED,
        ]
        assert (evidence.referred(Standing.DEAD_LETTERED), evidence.referred(Standing.PENDING)) == (1, 2)
        assert evidence.standing_of("pending.csv") is Standing.PENDING
        assert evidence.standing_of("nowhere.csv") is None


def test_what_a_broken_reading_said_is_forgotten() -> None:
    """An object read anew counts once, and is not listed a second time."""
    with Evidence() as evidence:
        evidence.add_objects("b", ["a.csv", "b.csv"])
        listed = []
        for source, key, _ in evidence.objects():
            listed.append(key)
            if key == "a.csv":
                evidence.claim(Kind.ROW, source, [("A", "1", 2, "half")])
                again = evidence.begin_again(source)
                evidence.claim(Kind.ROW, again, [("A", "1", 2, "whole")])
        assert listed == ["a.csv", "b.csv"]
        assert list(evidence.cases()) == [
            Case(Kind.ROW, "A", "1", (Claim(3, Standing.SETTLED, 2, "whole"),), ()),
        ]
        assert evidence.object_key(3) == "a.csv"
        assert evidence.standing_of("a.csv") is Standing.SETTLED


def test_rows_beyond_memory_go_to_a_file_that_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more rows than its memory holds the evidence sorts all the same, and a killed process leaves no file."""
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    monkeypatch.setattr(limits, "AUDIT_CACHE_KIB", 256)
    with Evidence() as evidence:
        for first in range(0, 20_000, 1_000):
            evidence.show(
                Kind.ROW, [(f"{n * 7919 % 20_000:06d}", "x" * 50, "y" * 100) for n in range(first, first + 1_000)]
            )
        cases = evidence.cases()
        assert next(cases).pk == "000000"
        assert list(tmp_path.iterdir()) == []
        pages = evidence._db.execute("PRAGMA page_count").fetchone()[0]
        assert pages * 4096 > 10 * 256 * 1024
        assert sum(1 for _ in cases) == 19_999
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_clear_line() -> None:
    """When the temporary file cannot grow, the audit says so and names the way out."""
    with Evidence() as evidence:
        evidence._db.execute("PRAGMA max_page_count = 20")
        with pytest.raises(CouldNotFinish, match=r"disk is full.*TMPDIR") as failure:
            evidence.show(Kind.ROW, [(str(n), "x", "y" * 100) for n in range(10_000)])
        assert "\n" not in str(failure.value)
        assert isinstance(failure.value.__cause__, sqlite3.OperationalError)
