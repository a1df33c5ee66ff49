"""The audit against a real store: an exact one, and its report for each way to damage it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from fakes.audited import EXACT, FIRST, ITEMS, REJECTED, REJECTED_KEY, Scene
from simulator.base.errors import InputError
from simulator.base.observations import AuditProgressed
from simulator.proof.account import ObjectsAtRest
from simulator.proof.ledgers import Ledgers
from simulator.proof.notifications import ObjectRef

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_is_stored_as_it_should_be_is_exact(scene: Scene) -> None:
    """Every row of every object is in the table or recorded as rejected, and the account has the numbers."""
    assert await scene.audit() == EXACT


Damage = Callable[[Scene], Awaitable[None]]


@pytest.mark.parametrize(
    ("damage", "changes", "said"),
    [
        pytest.param(
            lambda s: s.delete(ITEMS[0]),
            {"missing": 1, "stored_rows": 3},
            "AAPL 2026-11-22T09:00:00.000000Z: missing, stocks/first.csv line 2 has it",
            id="an item is deleted",
        ),
        pytest.param(
            lambda s: s.change(ITEMS[1], note={"S": "Opening"}),
            {"different": 1},
            'MSFT 2026-11-22T09:00:00.000000Z: note should be S "opening" and is S "Opening", stocks/first.csv line 3',
            id="a text cell is changed",
        ),
        pytest.param(
            lambda s: s.change(ITEMS[0], close={"N": "10.51"}),
            {"different": 1},
            "close should be the number 10.5 and is the number 10.51",
            id="a number's last digit is changed",
        ),
        pytest.param(
            lambda s: s.change(ITEMS[0], volume={"S": "100"}),
            {"different": 1},
            'volume should be the number 100 and is S "100"',
            id="a number is stored as text",
        ),
        pytest.param(
            lambda s: s.change(ITEMS[1], volume={"N": "7"}),
            {"different": 1},
            'volume should be S "007" and is the number 7',
            id="a text is stored as a number",
        ),
        pytest.param(
            lambda s: s.store({"PK": {"S": "XYZ"}, "SK": {"S": "2000-01-01"}}),
            {"extra": 1, "stored_rows": 5},
            "XYZ 2000-01-01: extra, no object has this row",
            id="an item is added",
        ),
        pytest.param(
            lambda s: s.change(ITEMS[0], note={"S": "x"}),
            {"different": 1},
            'note should be absent and is S "x"',
            id="an attribute is added",
        ),
        pytest.param(
            lambda s: s.change(ITEMS[0], note={"NULL": True}),
            {"different": 1},
            "note should be absent and is NULL",
            id="an empty field is stored instead of left out",
        ),
        pytest.param(
            lambda s: s.store({n: v for n, v in ITEMS[1].items() if n != "note"}),
            {"different": 1},
            'note should be S "opening" and is absent',
            id="an attribute is lost",
        ),
        pytest.param(
            lambda s: s.put("stocks/third.csv", "ticker,timestamp\nA,2026-01-01\n"),
            {"parsed_rows": 7, "expected_rows": 5, "missing": 1},
            "A 2026-01-01: missing, stocks/third.csv line 2 has it",
            id="an object was never consumed",
        ),
        pytest.param(
            lambda s: s.clients.s3.delete_object(Bucket=s.name, Key=REJECTED_KEY),
            {"missing": 1},
            "stocks/first.csv line 4: the row is rejected, but not recorded",
            id="the file of rejected rows is deleted",
        ),
        pytest.param(
            lambda s: s.put_rejected(REJECTED | {"row": ["AAPL", "someday", "10.75", "101", ""]}),
            {"different": 1},
            'stocks/first.csv line 4: the row recorded as rejected is ["AAPL","someday","10.75","101",""]',
            id="a rejected row is recorded otherwise than it was read",
        ),
        pytest.param(
            lambda s: s.put_rejected(REJECTED | {"line": 5}),
            {"missing": 1, "extra": 1},
            "stocks/first.csv line 5: recorded as rejected, but the object has no such rejected row",
            id="a rejected row is recorded under another line",
        ),
        pytest.param(
            lambda s: s.put_rejected(REJECTED | {"reason": ""}),
            {"missing": 1, "extra": 1},
            f"{REJECTED_KEY} line 1: not a record of a rejected row",
            id="a rejected row is recorded without a reason",
        ),
        pytest.param(
            lambda s: s.put(REJECTED_KEY, json.dumps(REJECTED) + "\n{half a rec"),
            {"extra": 1},
            f"{REJECTED_KEY} line 2: not a record of a rejected row",
            id="the file of rejected rows is damaged",
        ),
        pytest.param(
            lambda s: s.put_rejected(REJECTED, REJECTED),
            {"extra": 1},
            "stocks/first.csv line 4: recorded as rejected 2 times",
            id="a rejected row is recorded twice",
        ),
        pytest.param(
            lambda s: s.put_rejected(REJECTED, key="rejected/stocks/gone.csv.jsonl"),
            {"extra": 1},
            "rejected/stocks/gone.csv.jsonl: rejected rows of an object that does not exist",
            id="rows are rejected that no object has",
        ),
        pytest.param(
            lambda s: s.put("stocks/broken.csv", "a,b\n1,2\n"),
            {"missing": 1},
            "stocks/broken.csv cannot be read (no timestamp column",
            id="an object that cannot be read is in no queue",
        ),
    ],
)
async def test_damage_is_seen_and_named(scene: Scene, damage: Damage, changes: dict[str, int], said: str) -> None:
    """Whatever is changed behind the pipeline's back makes the verdict `differs`, is counted once and named."""
    await damage(scene)
    found = await scene.audit()
    assert replace(found, differences=()) == replace(EXACT, verdict="differs", **changes)
    assert any(said in text for text in found.differences), found.differences
    assert len(found.differences) == found.missing + found.extra + found.different


async def test_a_number_written_otherwise_is_the_same_number(scene: Scene) -> None:
    """A store may return 10.50 as 10.5, as DynamoDB does, or as 1.05E1: that is not a difference."""
    await scene.change(ITEMS[0], close={"N": "1.05E1"}, volume={"N": "100.0"})
    assert await scene.audit() == EXACT


@pytest.mark.parametrize("stored", ["1", "2"])
async def test_either_of_two_objects_may_win_a_key(scene: Scene, stored: str) -> None:
    """Two objects that differ about one key make it ambiguous, and both contents are right."""
    for number in "12":
        await scene.put(f"stocks/ambiguous{number}.csv", f"ticker,date,price\nAMB,2026-01-01,{number}\n")
    await scene.store({"PK": {"S": "AMB"}, "SK": {"S": "2026-01-01"}, "price": {"N": stored}})
    assert await scene.audit() == replace(EXACT, parsed_rows=8, expected_rows=5, stored_rows=5, ambiguous=1)


async def test_a_third_content_of_an_ambiguous_key_is_different(scene: Scene) -> None:
    """An ambiguous key is right with a content that one of its objects has, not with any."""
    for number in "12":
        await scene.put(f"stocks/ambiguous{number}.csv", f"ticker,date,price\nAMB,2026-01-01,{number}\n")
    await scene.store({"PK": {"S": "AMB"}, "SK": {"S": "2026-01-01"}, "price": {"N": "3"}})
    found = await scene.audit()
    assert (found.ambiguous, found.different, found.verdict) == (1, 1, "differs")


async def test_an_unreadable_object_in_the_dead_letter_queue_is_accounted_for(scene: Scene) -> None:
    """A poisoned object whose message is in the dead-letter queue is not a loss: the rest is exact."""
    await scene.put("stocks/broken.csv", b"\x00\x01\x02")
    found = await scene.audit(dead_lettered=("stocks/broken.csv",))
    assert found == replace(EXACT, dead_lettered=ObjectsAtRest(1, 0, 0))


async def test_rows_of_a_dead_lettered_object_are_neither_missing_nor_extra(scene: Scene) -> None:
    """Half of a dead-lettered object is stored: the account has the number, and the verdict stays exact."""
    await scene.delete(ITEMS[0])
    found = await scene.audit(dead_lettered=("stocks/first.csv", "stocks/first.csv", "stocks/gone.csv"))
    assert found == replace(EXACT, expected_rows=1, stored_rows=3, dead_lettered=ObjectsAtRest(2, 3, 2))


async def test_what_a_filter_deleted_is_neither_missing_nor_extra(scene: Scene) -> None:
    """Its objects may be stored, in part or not at all; a content that no object has is still different."""
    await scene.delete(ITEMS[0])
    await scene.change(ITEMS[2], volume={"N": "121"})
    passed_over = Ledgers(filtered=frozenset({ObjectRef(scene.name, "stocks/first.csv"), ObjectRef("other", "x")}))
    found = await scene.audit(ledgers=passed_over)
    assert (found.missing, found.extra, found.different, found.expected_rows) == (0, 0, 1, 1)
    assert found.filtered == ObjectsAtRest(2, 3, 1)


async def test_a_dead_letter_that_was_filtered_once_is_a_dead_letter(scene: Scene) -> None:
    """A second message about the object went to the function, and failed."""
    found = await scene.audit(
        dead_lettered=("stocks/first.csv",),
        ledgers=Ledgers(filtered=frozenset({ObjectRef(scene.name, "stocks/first.csv")})),
    )
    assert (found.dead_lettered.objects, found.filtered.objects, found.verdict) == (1, 0, "exact")


async def test_an_object_that_breaks_off_may_have_stored_what_came_before(scene: Scene) -> None:
    """The rows before the damage of a dead-lettered object are explained by it, the rest need not exist."""
    body = gzip.compress(b"ticker,date,price\n" + b"".join(b"GZ,20%02d-01-01,1\n" % year for year in range(50)))
    await scene.put("stocks/cut.csv.gz", body[:-8])
    await scene.store({"PK": {"S": "GZ"}, "SK": {"S": "2007-01-01"}, "price": {"N": "1"}})
    found = await scene.audit(dead_lettered=("stocks/cut.csv.gz",))
    assert found.verdict == "exact"
    assert (found.dead_lettered.objects, found.dead_lettered.rows_stored, found.stored_rows) == (1, 1, 5)
    lost = await scene.audit()
    assert (lost.verdict, lost.missing, lost.extra) == ("differs", 1, 0)
    assert "stocks/cut.csv.gz cannot be read (the gzip stream ends early)" in lost.differences[0]


async def test_objects_of_rejected_rows_are_counted_once_they_are_settled(scene: Scene) -> None:
    """An object of which every row was rejected is counted and named; one that a queue still holds is not."""
    await scene.put("stocks/all.csv", "ticker,timestamp\nA,x\nA,y\n")
    records = [{"line": line, "reason": "r", "row": ["A", cell]} for line, cell in ((2, "x"), (3, "y"))]
    await scene.put_rejected(*records, key="rejected/stocks/all.csv.jsonl")
    found = await scene.audit()
    assert found == replace(
        EXACT,
        parsed_rows=8,
        rejected=3,
        objects_all_rejected=1,
        notes={"objects_all_rejected": "stocks/all.csv: 2 of 2 rows rejected"},
    )
    held = await scene.audit(dead_lettered=("stocks/all.csv",))
    assert (held.objects_all_rejected, held.notes) == (0, {})


async def test_a_pending_object_leaves_the_run_unproven(scene: Scene) -> None:
    """What the queue still holds is not missing, but nothing is proven before it is consumed."""
    await scene.delete(ITEMS[3])
    found = await scene.audit(pending=("stocks/sub folder/second+.csv",))
    assert found == replace(EXACT, expected_rows=3, stored_rows=3, pending=ObjectsAtRest(1, 1, 0), verdict="unproven")


async def test_a_queue_that_was_not_drained_leaves_the_run_unproven(scene: Scene) -> None:
    """If the queue was not drained, there are counts, but the verdict is only `unproven`."""
    assert await scene.audit(drained=False) == replace(EXACT, verdict="unproven")


async def test_the_consumers_settings_decide_how_rows_are_read(empty: Scene) -> None:
    """The audit reads with the consumer's own columns and format."""
    await empty.put("stocks/msft.csv", "When,Who,Price\nJan 2 2000,MSFT,39.81\n")
    await empty.store({"PK": {"S": "MSFT"}, "SK": {"S": "2000-01-02"}, "price": {"N": "39.81"}})
    environ = {"TICKER_COLUMN": "who", "TIMESTAMP_COLUMN": "WHEN", "TIMESTAMP_FORMAT": "%b %d %Y"}
    found = await empty.audit(environ=environ)
    assert (found.verdict, found.expected_rows) == ("exact", 1)


async def test_a_setting_that_the_consumer_could_not_use_is_the_users_mistake(empty: Scene) -> None:
    """A malformed format is reported as bad input that names the variable, not as a failure of the audit."""
    with pytest.raises(InputError, match=r"the consumer's TIMESTAMP_FORMAT='%Q' is not a strptime format") as refusal:
        await empty.audit(environ={"TIMESTAMP_FORMAT": "%Q"})
    assert refusal.value.exit_code == 2


async def test_only_objects_under_the_prefix_count(scene: Scene) -> None:
    """Objects elsewhere in the bucket trigger nothing, so their rows are not expected."""
    await scene.put("elsewhere/a.csv", FIRST)
    assert await scene.audit() == EXACT


async def test_a_table_of_many_pages_is_read_whole(empty: Scene) -> None:
    """Scans end at 1 MB: the items after the first page count like those before it."""
    rows = [f"T{number % 5},{1900 + number}-01-01,{'x' * 60_000}" for number in range(60)]
    await empty.put("stocks/wide.csv", "\n".join(["ticker,date,text", *rows]))
    for row in rows:
        ticker, date, text = row.split(",")
        await empty.store({"PK": {"S": ticker}, "SK": {"S": date}, "text": {"S": text}})
    found = await empty.audit()
    assert (found.verdict, found.expected_rows, found.stored_rows) == ("exact", 60, 60)


async def test_progress_of_each_part_is_reported(scene: Scene) -> None:
    """Each part reports its progress and its end."""
    await scene.audit()
    last = {each.part: each for each in scene.recorded if isinstance(each, AuditProgressed)}
    assert list(last) == ["listing", "objects", "rejected rows", "items", "comparison"]
    assert (last["listing"].done, last["listing"].total) == (2, 0)
    assert all(part.done <= part.total for part in last.values() if part.part != "listing")
    assert last["objects"].done == last["objects"].total == 2
    assert last["comparison"].done == last["comparison"].total > 0
