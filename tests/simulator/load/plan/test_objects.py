"""The objects that a load test puts."""

from __future__ import annotations

import csv
import io
import json
from base64 import b64encode
from collections.abc import Iterator
from uuid import UUID

import pytest

from pipeline.dialect import CsvDialect
from pipeline.rows import Row, RowReader
from simulator.load.plan.objects import Objects

BASE_AT = 1_790_000_000.123456


def keys_of(objects: Objects, count: int) -> Iterator[tuple[str, str]]:
    """(ticker, timestamp) of every row of the first `count` objects."""
    for number in range(count):
        for row in csv.DictReader(io.StringIO(objects.body(number).decode())):
            yield row["ticker"], row["timestamp"]


@pytest.mark.parametrize("rows", [1, 49, 50, 51, 100, 1000])
def test_no_two_rows_share_ticker_and_timestamp(rows: int) -> None:
    """Over many objects of any size, every key is there once."""
    keys = list(keys_of(Objects("stocks/", rows, 7, BASE_AT), 40))
    assert len(keys) == 40 * rows
    assert len(set(keys)) == len(keys)


def test_two_runs_share_no_row() -> None:
    """A run that begins a second later repeats no key of the first, with the same seed."""
    first, second = (set(keys_of(Objects("stocks/", 100, 7, at), 500)) for at in (BASE_AT, BASE_AT + 1))
    assert not first & second


def test_an_object_follows_from_seed_instant_and_number() -> None:
    """The same arguments give the same bytes; another seed gives other figures."""
    first, same, other = (Objects("stocks/", 100, seed, BASE_AT) for seed in (7, 7, 8))
    assert first.body(3) == same.body(3) != other.body(3)
    assert first.key(3) == same.key(3) != other.key(3)


def test_a_seed_gives_these_bytes() -> None:
    """Timestamps rise by a microsecond with each round of the tickers, and prices go on from row to row."""
    lines = Objects("stocks/", 102, 7, BASE_AT).body(1).decode().splitlines()
    assert [lines[row] for row in (1, 2, 51, 52, 101, 102)] == [
        "LD000,2026-09-21T14:13:20.123459Z,137.56,137.74,137.49,137.67,71175",
        "LD001,2026-09-21T14:13:20.123459Z,198.83,199.11,198.73,199.01,38161",
        "LD000,2026-09-21T14:13:20.123460Z,137.67,138.48,137.60,138.41,16641",
        "LD001,2026-09-21T14:13:20.123460Z,199.01,199.63,198.91,199.53,83230",
        "LD000,2026-09-21T14:13:20.123461Z,138.41,138.48,138.09,138.16,88681",
        "LD001,2026-09-21T14:13:20.123461Z,199.53,199.92,199.43,199.82,37007",
    ]


def test_the_pipeline_reads_every_row() -> None:
    """The consumer's own reader accepts all rows, with the contract's columns as numbers."""
    objects = Objects("stocks/", 120, 1, BASE_AT)
    reader = RowReader(objects.key(0), CsvDialect.from_environ({}))
    read = [*reader.feed(objects.body(0)), *reader.feed(b"", final=True)]
    assert len(read) == 120
    assert all(isinstance(row, Row) for row in read)
    assert objects.body(0).splitlines()[0] == b"ticker,timestamp,open,high,low,close,volume"


def test_a_key_gives_its_number_back_and_no_other_key_does() -> None:
    """Numbers survive the way through S3; the objects of a tick or of another run are told apart."""
    objects = Objects("stocks/", 1, 7, BASE_AT)
    assert objects.number(objects.key(123)) == 123
    assert objects.key(123).startswith("stocks/load/")
    folder = objects.key(0).rpartition("/")[0]
    strangers = [f"{folder}/{name}" for name in ("00000001.txt", "00000001", "0000000x.csv", "x0000001.csv", ".csv")]
    other_run = Objects("stocks/", 1, 8, BASE_AT).key(1)
    for foreign in ("stocks/2026/09/21/141320-0001.csv", other_run, *strangers, "x", ""):
        assert objects.number(foreign) is None


def test_an_object_without_rows_is_refused() -> None:
    """Zero rows is no object."""
    with pytest.raises(ValueError, match="at least one row"):
        Objects("stocks/", 0, 1, BASE_AT)


def copies(content: bytes, seed: int = 7, name: str = "-order.json") -> Objects:
    """Copies of a file."""
    return Objects("in/", 0, seed, BASE_AT, name, b64encode(content).decode())


def test_only_three_words_in_braces_are_replaced() -> None:
    """JSON keeps its own braces, and bytes that are no text stay as they are."""
    made = copies(b'{"n": {n}, "again": "{n}", "at": "{timestamp}", "x": {"N": "{N} {{n}} {m} {n"}}\xff\x00')
    body = made.body(12)
    assert body.endswith(b'"x": {"N": "{N} {12} {m} {n"}}\xff\x00')
    shown = json.loads(body[:-2])
    assert (shown["n"], shown["again"], shown["at"]) == (12, "12", "2026-09-21T14:13:20.123468Z")
    assert copies(b"").body(3) == b""


def test_a_uuid_follows_from_seed_and_number() -> None:
    """The same in both places of one copy, different in each other copy and for each other seed."""
    first, second = (copies(b"{uuid} {uuid}").body(number).decode().split() for number in (0, 1))
    assert first[0] == first[1] != second[0]
    assert UUID(first[0]).version == 4
    assert copies(b"{uuid}").body(0).decode() == first[0] != copies(b"{uuid}", seed=8).body(0).decode()


def test_a_copys_key_ends_as_the_file_does() -> None:
    """So that the suffix of a notification matches; its number comes back from it."""
    made = copies(b"x")
    assert made.key(5).startswith("in/load/")
    assert made.key(5).endswith("/00000005-order.json")
    assert (made.number(made.key(5)), made.number(made.key(5)[:-5])) == (5, None)
