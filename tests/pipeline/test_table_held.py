"""Rows with the same key: which ones are written, and in what order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.jumping import run
from pipeline.budget import Budget
from pipeline.counts import ConsumerCounts
from pipeline.items import Items, Key
from pipeline.table import BATCH_ROWS, HELD_ROWS, ObjectWriter, TableWriter

FOREVER = Budget(0.0, 1e9, 1e9)


class Kept:
    """A table that remembers each request."""

    def __init__(self) -> None:
        self.requests: list[list[str]] = []

    async def write(self, puts: Iterable[str], _timeout_s: float) -> list[Key]:
        """A put is a key, a colon and a line."""
        self.requests.append(list(puts))
        return []

    @property
    def writes(self) -> Counter[str]:
        """How often each key was written."""
        return Counter(put.partition(":")[0] for request in self.requests for put in request)

    @property
    def rows(self) -> dict[str, int]:
        """The line that each key has at the end."""
        pairs = (put.split(":") for request in self.requests for put in request)
        return {key: int(line) for key, line in pairs}


def written(keys: list[int], part: int) -> tuple[Kept, ConsumerCounts]:
    """What comes of an object whose rows have these keys, given in parts of so many rows."""
    table, counts = Kept(), ConsumerCounts()

    async def write() -> None:
        writer = ObjectWriter(TableWriter(table, 4), FOREVER, counts, "seed")
        for start in range(0, len(keys), part):
            numbers = range(start, min(start + part, len(keys)))
            puts = [f"{keys[number]}:{number}" for number in numbers]
            await writer.add(Items([(str(keys[number]), "x") for number in numbers], numbers, puts))
        await writer.finish()

    run(write())
    return table, counts


@pytest.mark.parametrize(
    ("apart", "writes"),
    [(1, 1), (BATCH_ROWS, 1), (HELD_ROWS - 1, 1), (HELD_ROWS, 1), (2 * HELD_ROWS + 250, 2), (3 * HELD_ROWS, 2)],
)
@pytest.mark.parametrize("part", [1, 250])
def test_of_rows_with_the_same_key_the_last_is_written(apart: int, writes: int, part: int) -> None:
    """The only one, if they are near: then nobody who dies in between leaves an older one. Far ones go in order."""
    keys = list(range(apart + HELD_ROWS * 2))
    keys[apart] = 0
    table, counts = written(keys, part)
    assert (table.writes["0"], table.rows["0"]) == (writes, apart)
    assert counts.rows_duplicate == 2 - writes
    assert counts.rows_written + counts.rows_duplicate == len(keys)


@pytest.mark.parametrize("part", [1, 250])
def test_each_near_row_takes_the_place_of_the_one_before(part: int) -> None:
    """Of three rows with a key, the last two near each other, the middle one is not written: it would come first."""
    keys = list(range(5 * HELD_ROWS))
    middle, last = HELD_ROWS + 500, 2 * HELD_ROWS + 150
    keys[middle] = keys[last] = 0
    table, counts = written(keys, part)
    lines = [put for request in table.requests for put in request if put.startswith("0:")]
    assert lines in (["0:0", f"0:{last}"], [f"0:{last}"])
    assert counts.rows_written + counts.rows_duplicate == len(keys)


@given(st.lists(st.integers(0, 30), max_size=120), st.integers(1, 40))
def test_a_small_object_writes_each_key_once(keys: list[int], part: int) -> None:
    """With its last row, in full requests but for the last, however the rows come."""
    table, counts = written(keys, part)
    assert table.rows == {str(key): number for number, key in enumerate(keys)}
    assert set(table.writes.values()) <= {1}
    assert counts.rows_duplicate == len(keys) - len(set(keys))
    sizes = [len(request) for request in table.requests]
    assert all(size == BATCH_ROWS for size in sizes[:-1])
    assert sum(sizes) == len(set(keys))
