"""The built-in load: objects of every sort, each what it says, with keys that no other object has."""

from __future__ import annotations

import csv
import gzip
import io
from collections import defaultdict
from functools import cache

import pytest

from pipeline import objects
from simulator.explore.mix import CHUNK_BYTES, mix
from simulator.run.sources import TimedPut

SEEDS = range(40)
SORTS = {
    *("plain", "gzip", "quoted", "named", "replaced"),
    *("keys-twice", "rejected-rows", "large", "header-only", "unreadable"),
}
HEADER = ["ticker", "timestamp", "open", "close", "volume"]


@cache
def mixed(seed: int) -> tuple[TimedPut, ...]:
    """The mix of the pipeline's template."""
    return mix(seed, 10, 360.0, "stocks/", "")


def of_sort(sort: str) -> list[TimedPut]:
    """The objects of a sort of all the seeds."""
    return [put for seed in SEEDS for put in mixed(seed) if put.what == sort]


def rows(put: TimedPut) -> list[list[str]]:
    """An object's rows, with its header."""
    content = gzip.decompress(put.content) if put.what == "gzip" else put.content
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def test_the_same_seed_has_the_same_objects() -> None:
    """Byte for byte; another seed has others."""
    assert mixed(7) == mixed(7)
    assert len({mixed(seed) for seed in SEEDS}) == len(SEEDS)


@pytest.mark.parametrize("count", [0, 1, 10])
def test_there_are_as_many_as_were_asked_for(count: int) -> None:
    """In the order of their times, which are all within the time given."""
    for seed in SEEDS:
        puts = mix(seed, count, 100.0, "", "")
        assert len(puts) == count
        assert [put.at_s for put in puts] == sorted(put.at_s for put in puts)
        assert all(0 <= put.at_s <= 100 for put in puts)


def test_every_sort_is_among_the_first_seeds() -> None:
    """Forty worlds have seen them all, and no other."""
    assert {put.what for seed in SEEDS for put in mixed(seed)} == SORTS


@pytest.mark.parametrize(("prefix", "suffix"), [("stocks/", ""), ("", ".csv"), ("in/a/", ".dat"), ("", "")])
def test_keys_have_the_prefix_and_the_suffix(prefix: str, suffix: str) -> None:
    """Those of a notification's filter; without a suffix, they end as files of their sort do."""
    for seed in SEEDS:
        for put in mix(seed, 10, 100.0, prefix, suffix):
            assert put.key.startswith(f"{prefix}explore")
            ending = ".csv.gz" if put.what == "gzip" else ".csv"
            assert put.key.endswith(suffix) if suffix else put.what == "replaced" or put.key.endswith(ending)


def test_only_what_is_replaced_has_the_key_of_another() -> None:
    """It has that of an object that comes before it in the mix; the first of all replaces nothing."""
    replacing = 0
    for seed in SEEDS:
        keys = [put.key for put in mixed(seed)]
        plain = [put.key for put in mixed(seed) if put.what != "replaced"]
        assert len(set(plain)) == len(plain)
        replacing += len(keys) - len(set(keys))
    assert replacing > 0


def test_rows_of_different_objects_never_have_the_same_key() -> None:
    """Ticker and timestamp: otherwise, which one wins would depend on chance."""
    for seed in SEEDS:
        owners = defaultdict[tuple[str, str], set[int]](set)
        for place, put in enumerate(mixed(seed)):
            if put.what in ("unreadable", "header-only"):
                continue
            for row in rows(put)[1:]:
                if row[1] != "yesterday":
                    owners[row[0], row[1]].add(place)
        assert {key: found for key, found in owners.items() if len(found) > 1} == {}


def test_plain_objects_are_of_many_sizes() -> None:
    """One row, and more than a request to DynamoDB takes; every row has each cell."""
    counts = {len(rows(put)) - 1 for put in of_sort("plain")}
    assert 1 in counts
    assert max(counts) > 100
    assert {24, 26} <= counts
    assert all(len(row) == len(HEADER) for put in of_sort("plain") for row in rows(put))


def test_gzip_is_gzip() -> None:
    """It begins as such a file does, with no time of its own, and has a text inside; no other object does."""
    for put in of_sort("gzip"):
        assert put.content[:2] == b"\x1f\x8b"
        assert put.content[4:8] == bytes(4)
        assert rows(put)[0] == HEADER
    others = [put for seed in SEEDS for put in mixed(seed) if put.what != "gzip"]
    assert not any(put.content.startswith(b"\x1f\x8b") for put in others)


def test_a_large_object_is_more_than_one_chunk() -> None:
    """Of what the consumer reads; and no other one is."""
    assert CHUNK_BYTES == objects.CHUNK_BYTES
    assert min(len(put.content) for put in of_sort("large")) > CHUNK_BYTES
    assert max(len(put.content) for seed in SEEDS for put in mixed(seed) if put.what != "large") < CHUNK_BYTES


def test_an_object_with_only_a_header_has_no_row() -> None:
    """One line, which is the header."""
    assert all(rows(put) == [HEADER] for put in of_sort("header-only"))


def test_an_unreadable_object_has_rows_and_no_timestamp() -> None:
    """Neither in its header nor in its rows; all others have one."""
    for put in of_sort("unreadable"):
        assert "timestamp" not in rows(put)[0]
        assert {len(row) for row in rows(put)} == {len(HEADER) - 1}
        assert len(rows(put)) > 1
    assert all("timestamp" in rows(put)[0] for seed in SEEDS for put in mixed(seed) if put.what != "unreadable")


def test_keys_come_twice_near_and_far_with_other_cells() -> None:
    """Within a request's rows, and further apart; so it matters which one is last."""
    distances, others = [], []
    for put in of_sort("keys-twice"):
        first = dict[tuple[str, str], tuple[int, list[str]]]()
        for place, row in enumerate(rows(put)[1:]):
            key = row[0], row[1]
            if key in first:
                distances.append(place - first[key][0])
                others.append(row != first[key][1])
            first[key] = place, row
        assert len(first) < len(rows(put)) - 1
    assert min(distances) < 25 < max(distances)
    assert sum(others) > 0.9 * len(others)


def test_three_rows_are_to_be_rejected_and_some_are_not() -> None:
    """Their timestamp is none."""
    for put in of_sort("rejected-rows"):
        times = [row[1] for row in rows(put)[1:]]
        assert times.count("yesterday") == 3
        assert len(times) > 3


def test_quoted_cells_have_quotes_commas_and_newlines() -> None:
    """Whoever splits at newlines has more lines than there are rows."""
    for put in of_sort("quoted"):
        assert all(row[-1] == 'said "buy",\nthen left' for row in rows(put)[1:])
        assert put.content.count(b"\n") > len(rows(put))


def test_a_named_object_has_a_key_that_must_be_decoded() -> None:
    """With a space, a plus sign, an equals sign and a letter beyond ASCII."""
    assert all(" b+c=ü/" in put.key for put in of_sort("named"))
