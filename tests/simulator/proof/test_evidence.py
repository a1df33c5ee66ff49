"""What the audit has read, returned key by key."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.base import limits
from simulator.base.errors import CouldNotFinish
from simulator.proof.comparison import Comparison
from simulator.proof.content import item_content
from simulator.proof.evidence import FETCH_ROWS, Case, Claim, Evidence, Gathered, Kind, Standing


def _cases(evidence: Evidence) -> dict[Kind, list[Case]]:
    """All cases, in the order of their keys."""
    cases: dict[Kind, list[Case]] = {kind: [] for kind in Kind}
    for part in evidence.parts(evidence.unsettled()):
        cases[part.kind] += part.cases
    return {kind: sorted(found) for kind, found in cases.items()}


def test_claims_and_items_of_a_key_meet_whatever_the_order_of_reading() -> None:
    """Claims come in the order of objects and lines, whichever side came first."""
    with Evidence() as evidence:
        evidence.add_objects("b", ["stocks/a.csv", "stocks/b.csv"])
        evidence.show(Kind.ROW, [("B", "1", "stored B"), ("A", "2", "stored A")])
        evidence.claim(Kind.ROW, 2, [("A", "2", 5, "from b")])
        evidence.claim(Kind.ROW, 1, [("A", "2", 9, "from a, later"), ("A", "2", 3, "from a")])
        evidence.claim(Kind.ROW, 1, [])
        evidence.show(Kind.REJECTION, [("stocks/a.csv", "000000000004", "row")])
        assert _cases(evidence) == {
            Kind.ROW: [
                Case("A", "2", [(1, 3, "from a"), (1, 9, "from a, later"), (2, 5, "from b")], ["stored A"]),
                Case("B", "1", [], ["stored B"]),
            ],
            Kind.REJECTION: [Case("stocks/a.csv", "000000000004", [], ["row"])],
        }
        assert evidence.statements == 6
        assert sum(part.statements for part in evidence.parts(evidence.unsettled())) == 6
        assert [evidence.object_key(source) for source in (1, 2)] == ["stocks/a.csv", "stocks/b.csv"]


def test_rows_come_before_rejections() -> None:
    """All rows are counted before the first rejection."""
    with Evidence() as evidence:
        evidence.show(Kind.REJECTION, [("a", "1", "row")])
        evidence.show(Kind.ROW, [("a", "1", "item")])
        kinds = [part.kind for part in evidence.parts(evidence.unsettled())]
        assert kinds == sorted(kinds)
        assert set(kinds) == set(Kind)


@pytest.mark.parametrize(
    ("claims", "stored", "agreed"),
    [
        ([(1, 2, "x")], ["x"], 1),
        ([(1, 2, "x")], ["y"], 0),
        ([(1, 2, "x")], [], 0),
        ([], ["x"], 0),
        # Two of a kind are not an agreement.
        ([(1, 2, "x"), (1, 3, "x")], [], 0),
        ([], ["x", "x"], 0),
        ([(1, 2, "x"), (1, 3, "x")], ["x"], 0),
        ([(1, 2, "x")], ["x", "x"], 0),
        # Nor is a claim of an object that is not settled.
        ([(2, 2, "x")], ["x"], 0),
    ],
)
@pytest.mark.parametrize("claimed_first", [True, False])
@pytest.mark.parametrize("kind", list(Kind))
def test_a_key_on_which_one_settled_claim_and_the_store_agree_is_not_a_case(
    claims: list[Claim], stored: list[str], agreed: int, claimed_first: bool, kind: Kind
) -> None:
    """Only such a key is agreed: everything else is for the comparison to judge."""
    with Evidence() as evidence:
        evidence.refer("b", "held.csv", Standing.DEAD_LETTERED)
        evidence.add_objects("b", ["free.csv", "held.csv"])
        for turn in (claimed_first, not claimed_first):
            if turn:
                for source, line, content in claims:
                    evidence.claim(kind, source, [("A", "1", line, content)])
            else:
                evidence.show(kind, [("A", "1", content) for content in stored])
        assert sum(part.agreed for part in evidence.parts(evidence.unsettled())) == agreed
        assert _cases(evidence)[kind] == ([] if agreed else [Case("A", "1", claims, stored)])


_SOURCES = 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(
        st.tuples(st.sampled_from("AB"), st.sampled_from("xyz"), st.integers(0, _SOURCES), st.sampled_from("12")),
        max_size=25,
    ),
    standings=st.lists(st.sampled_from(list(Standing)), min_size=_SOURCES, max_size=_SOURCES),
    memory_bytes=st.sampled_from([0, 1_000_000]),
)
def test_what_the_account_says_does_not_depend_on_what_is_seen_at_a_glance(
    said: list[tuple[str, str, int, str]],
    standings: list[Standing],
    memory_bytes: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the evidence the counts are the same as from judging every key, including those that agree."""
    monkeypatch.setattr(limits, "AUDIT_MEMORY_BYTES", memory_bytes)
    claims: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    stored: dict[tuple[str, str], list[str]] = {}
    by_hand, by_evidence = (Comparison(lambda source: f"{source}.csv") for _ in range(2))
    with Evidence() as evidence:
        evidence.add_objects("b", [f"{n}.csv" for n in range(1, _SOURCES + 1)])
        for source, standing in enumerate(standings, 1):
            evidence.set_standing(source, standing)
        for line, (pk, sk, source, number) in enumerate(said, 2):
            content = item_content({"n": {"N": number}})
            if source:
                claims[pk, sk].append((source, line, content))
                evidence.claim(Kind.ROW, source, [(pk, sk, line, content)])
            elif (pk, sk) not in stored:
                stored[pk, sk] = [content]
                evidence.show(Kind.ROW, [(pk, sk, content)])
        for part in evidence.parts(evidence.unsettled()):
            by_evidence.judge(part, evidence.unsettled())
        keys = claims.keys() | stored.keys()
        cases = [Case(pk, sk, sorted(claims[pk, sk]), stored.get((pk, sk), [])) for pk, sk in keys]
        by_hand.judge(Gathered(Kind.ROW, len(said), 0, cases), evidence.unsettled())
    assert by_evidence.counts == by_hand.counts
    assert by_evidence.differences() == by_hand.differences()
    assert (by_evidence.held_rows, by_evidence.held_rows_stored) == (by_hand.held_rows, by_hand.held_rows_stored)


@given(st.lists(st.text(min_size=1), unique=True, max_size=30))
def test_any_text_is_a_key(keys: list[str]) -> None:
    """Even with NUL and lone surrogates a key is returned unchanged, and no two are confused."""
    with Evidence() as evidence:
        evidence.show(Kind.ROW, [(key, key, "content") for key in keys])
        assert [case.pk for case in _cases(evidence)[Kind.ROW]] == sorted(keys)
        evidence.add_objects("b", keys)
        assert [key for _, key, _ in evidence.objects()] == keys
        assert all(evidence.standing_of(key) is Standing.SETTLED for key in keys)


def test_a_queue_that_refers_to_an_object_decides_its_standing() -> None:
    """An object has the standing of the queue that holds its message; one with its key in another bucket does not."""
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
        assert evidence.unsettled() == {1: Standing.DEAD_LETTERED, 2: Standing.PENDING}


def test_what_a_broken_reading_said_is_void() -> None:
    """An object read again gets another number, keeps its standing, and is not listed a second time."""
    with Evidence() as evidence:
        evidence.refer("b", "b.csv", Standing.PENDING)
        evidence.add_objects("b", ["a.csv", "b.csv"])
        listed = []
        for source, key, _ in evidence.objects():
            listed.append(key)
            evidence.claim(Kind.ROW, source, [(key, "1", 2, "half")])
            again = evidence.begin_again(source)
            evidence.claim(Kind.ROW, again, [(key, "1", 2, "whole")])
        assert listed == ["a.csv", "b.csv"]
        assert evidence.unsettled() == {1: Standing.VOID, 2: Standing.VOID, 4: Standing.PENDING}
        assert _cases(evidence)[Kind.ROW] == [
            Case("a.csv", "1", [(1, 2, "half"), (3, 2, "whole")], []),
            Case("b.csv", "1", [(2, 2, "half"), (4, 2, "whole")], []),
        ]
        assert evidence.object_key(3) == "a.csv"
        assert evidence.standing_of("a.csv") is Standing.SETTLED
        assert evidence.standing_of("b.csv") is Standing.PENDING


def test_an_earlier_content_of_an_object_has_a_number_of_its_own() -> None:
    """Claims of an overwritten content are kept apart from the present ones, and not found by the key."""
    with Evidence() as evidence:
        evidence.add_objects("b", ["a.csv"])
        earlier = evidence.add_replaced("a.csv")
        assert earlier == 2
        assert evidence.object_key(earlier) == "a.csv"
        assert evidence.unsettled() == {earlier: Standing.REPLACED}
        assert evidence.standing_of("a.csv") is Standing.SETTLED
        evidence.add_replaced("gone.csv")
        assert evidence.standing_of("gone.csv") is None


def test_how_an_objects_keys_were_chosen_is_kept_with_it() -> None:
    """It is a number with a meaning for the audit; zero until it is set."""
    with Evidence() as evidence:
        evidence.add_objects("b", ["a.csv", "b.csv"])
        evidence.set_keys(2, 7)
        assert [evidence.keys_of(source) for source in (1, 2)] == [0, 7]


def test_objects_beyond_one_page_are_listed_in_order() -> None:
    """Pages may end anywhere: each object comes once, and none that is added meanwhile."""
    with Evidence() as evidence:
        keys = [f"{n:05d}.csv" for n in range(2 * FETCH_ROWS + 1)]
        evidence.add_objects("b", keys)
        assert evidence.object_count() == len(keys)
        listed = []
        for number, key, _ in evidence.objects():
            listed.append((number, key))
            if number == 1:
                evidence.add_objects("b", ["late.csv"])
        assert listed == list(enumerate(keys, 1))


def test_only_the_objects_of_a_sample_are_kept() -> None:
    """The others are forgotten, and their numbers with them; the rest keep theirs."""
    with Evidence() as evidence:
        evidence.add_objects("b", [f"{n}.csv" for n in range(1, 6)])
        evidence.keep({2, 5})
        assert [(number, key) for number, key, _ in evidence.objects()] == [(2, "2.csv"), (5, "5.csv")]
        assert evidence.object_count() == 2


def test_the_keys_of_claimed_rows_are_listed_once() -> None:
    """Of rows alone, whatever the objects say about them."""
    with Evidence() as evidence:
        evidence.add_objects("b", ["a.csv", "b.csv"])
        evidence.claim(Kind.ROW, 1, [("A", "1", 2, "x"), ("A", "2", 3, "x")])
        evidence.claim(Kind.ROW, 2, [("A", "1", 2, "y")])
        evidence.claim(Kind.REJECTION, 1, [("a.csv", "4", 4, "row")])
        assert sorted(evidence.claimed_keys()) == [("A", "1"), ("A", "2")]


def test_what_is_beyond_memory_goes_to_files_that_have_no_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more rows and objects than memory holds every key is returned, and a killed process leaves no file."""
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(limits, "AUDIT_CACHE_KIB", 64)
    monkeypatch.setattr(limits, "AUDIT_MEMORY_BYTES", 256 * 1024)
    with Evidence() as evidence:
        evidence.add_objects("b", [f"{n}-{'k' * 100}" for n in range(10_000)])
        pages = evidence._db.execute("PRAGMA page_count").fetchone()[0]
        assert pages * 4096 > 10 * 64 * 1024
        for first in range(0, 20_000, 1_000):
            evidence.show(Kind.ROW, [(f"{n * 7919 % 20_000:06d}", "x", "y" * 100) for n in range(first, first + 1_000)])
            evidence.claim(Kind.ROW, 1, [(f"{n:06d}", "x", 2, "y" * 100) for n in range(first, first + 1_000)])
        assert list(tmp_path.iterdir()) == []
        assert sum(part.agreed for part in evidence.parts(evidence.unsettled())) == 20_000
        assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_clear_line() -> None:
    """When the list of objects cannot grow, the audit says so and what to do."""
    with Evidence() as evidence:
        evidence._db.execute("PRAGMA max_page_count = 20")
        with pytest.raises(CouldNotFinish, match=r"disk is full.*TMPDIR") as failure:
            evidence.add_objects("b", [f"{n}-{'k' * 100}" for n in range(10_000)])
        assert "\n" not in str(failure.value)
        assert isinstance(failure.value.__cause__, sqlite3.OperationalError)


def test_evidence_that_cannot_be_made_leaves_no_file_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """If one of its files cannot be created, those before it are closed: a warning would fail this test."""
    made = []
    real = tempfile.TemporaryFile

    def once() -> object:
        if made:
            raise OSError("no more")
        made.append(real())
        return made[0]

    monkeypatch.setattr(tempfile, "TemporaryFile", once)
    with pytest.raises(CouldNotFinish, match="no more"):
        Evidence()
    assert made[0].closed


def test_every_standing_is_one_of_its_own() -> None:
    """An object that nothing refers to is settled; each of the others is distinct."""
    names = ["DEAD_LETTERED", "PENDING", "UNREADABLE", "VOID", "REPLACED"]
    with Evidence() as evidence:
        evidence.add_objects("b", ["a", *names])
        for source, name in enumerate(names, 2):
            evidence.set_standing(source, Standing[name])
        assert [standing.name for _, _, standing in evidence.objects()] == ["SETTLED", *names]
        assert [standing.name for standing in evidence.unsettled().values()] == names


def test_what_was_read_may_be_judged_in_a_thread_and_is_gone_afterwards() -> None:
    """Another thread than the reading one may use it; once closed, it cannot be used any more."""
    with Evidence() as evidence, ThreadPoolExecutor(1) as pool:
        evidence.add_objects("b", ["a.csv"])
        evidence.show(Kind.ROW, [("A", "1", "x")])
        parts = pool.submit(lambda: list(evidence.parts(evidence.unsettled()))).result()
        assert sum(part.statements for part in parts) == 1
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        evidence.object_count()


def test_every_standing_is_kept_as_it_was_given() -> None:
    """Each has its own number on disk."""
    names = list(Standing.__members__)
    with Evidence() as evidence:
        for name in names:
            evidence.refer("b", name, Standing[name])
        evidence.add_objects("b", names)
        assert [(key, standing.name) for _, key, standing in evidence.objects()] == [(name, name) for name in names]
