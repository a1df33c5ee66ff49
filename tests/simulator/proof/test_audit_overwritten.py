"""The audit against a real store: rows that later rows of their object replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fakes.audited import EXACT, ITEMS, Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

OVERWRITING = """ticker,date,price
LOSS,2026-01-01,1
LOSS,2026-01-02,1.50
LOSS,2026-01-01,2
LOSS,2026-01-02,1.5
LOSS,2026-01-01,3
"""
LOSSY: dict[str, Any] = {
    "parsed_rows": 11,
    "duplicates": 4,
    "expected_rows": 6,
    "stored_rows": 6,
    "overwritten": 2,
    "differences": (
        "LOSS 2026-01-01: line 2 is overwritten by line 6, stocks/lossy.csv: "
        "price is the number 1 in one and the number 3 in the other",
    ),
    "keys": (
        "the keys of stocks/lossy.csv are the column 'ticker' (by its name) and the column 'date' (by its name), "
        "and are not unique: choose others with the template parameters TickerColumn and TimestampColumn, "
        "or accept the loss with --accept overwritten",
    ),
}


async def _put_overwriting(scene: Scene) -> None:
    await scene.put("stocks/lossy.csv", OVERWRITING)
    for day, price in (("2026-01-01", "3"), ("2026-01-02", "1.5")):
        await scene.store({"PK": {"S": "LOSS"}, "SK": {"S": day}, "price": {"N": price}})


async def test_rows_that_later_ones_overwrote_make_the_run_lossy(scene: Scene) -> None:
    """Each row whose content exists nowhere any more is counted; the account says how to choose better keys."""
    await _put_overwriting(scene)
    assert await scene.audit() == replace(EXACT, verdict="lossy", **LOSSY)
    assert await scene.audit(accepted={"overwritten"}) == replace(
        EXACT, verdict="exact", **LOSSY | {"differences": (), "keys": ()}
    )


async def test_a_difference_is_worse_than_a_loss_and_an_open_queue_worse_than_both(scene: Scene) -> None:
    """Lossy requires a proof without differences; what is accepted changes neither."""
    await _put_overwriting(scene)
    assert (await scene.audit(drained=False)).verdict == "unproven"
    await scene.delete(ITEMS[0])
    assert (await scene.audit()).verdict == "differs"
    assert (await scene.audit(accepted={"overwritten"})).verdict == "differs"


async def test_a_dead_lettered_object_overwrites_nothing(scene: Scene) -> None:
    """Not all rows of an object that was given up need to be stored."""
    await _put_overwriting(scene)
    found = await scene.audit(dead_lettered=("stocks/lossy.csv",))
    assert (found.verdict, found.overwritten, found.keys, found.differences) == ("exact", 0, (), ())


async def test_each_way_to_choose_keys_is_described_once(scene: Scene) -> None:
    """Ten objects of one kind get one sentence, about the first of them; another kind gets its own."""
    for number in range(3):
        await scene.put(f"stocks/a{number}.csv", "ticker,date,price\nA,2026-01-01,1\nA,2026-01-01,2\n")
        await scene.put(f"stocks/b{number}.csv", "symbol,Time,price\nB,2026-01-01,1\nB,2026-01-01,2\n")
    for ticker in "AB":
        await scene.store({"PK": {"S": ticker}, "SK": {"S": "2026-01-01"}, "price": {"N": "2"}})
    found = await scene.audit()
    assert (found.verdict, found.overwritten) == ("lossy", 6)
    assert sorted(text.partition(",")[0] for text in found.keys) == [
        "the keys of stocks/a0.csv are the column 'ticker' (by its name) and the column 'date' (by its name)",
        "the keys of stocks/b0.csv are the column 'symbol' (by its name) and the column 'Time' (by its name)",
    ]


async def test_an_older_row_that_is_stored_is_a_difference(scene: Scene) -> None:
    """If the table has a row that a later one should have replaced, the difference names its line."""
    await _put_overwriting(scene)
    await scene.store({"PK": {"S": "LOSS"}, "SK": {"S": "2026-01-01"}, "price": {"N": "2"}})
    found = await scene.audit()
    assert (found.verdict, found.different) == ("differs", 1)
    assert found.differences[0].endswith("it is the row of line 4, which a later one should have replaced")


async def test_an_object_that_is_refused_for_its_keys_may_have_stored_nothing(empty: Scene) -> None:
    """With the file's name as ticker, two different rows of one day make it unreadable, and stored rows are extra."""
    await empty.put("stocks/twice.csv", "date,price\n2026-01-01,1\n2026-01-01,2\n")
    found = await empty.audit(dead_lettered=("stocks/twice.csv",))
    assert (found.verdict, found.parsed_rows) == ("exact", 0)
    await empty.store({"PK": {"S": "TWICE"}, "SK": {"S": "2026-01-01"}, "price": {"N": "2"}})
    found = await empty.audit(dead_lettered=("stocks/twice.csv",))
    assert (found.verdict, found.extra) == ("differs", 1)
