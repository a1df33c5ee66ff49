"""Statements beyond memory: none is lost, those of one key stay together, and nothing is left on the disk."""

from __future__ import annotations

import errno
import resource
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.base import limits
from simulator.base.errors import CouldNotFinish
from simulator.proof.partitions import Partitions, Statement

keys = st.text(max_size=3)
statements = st.one_of(
    st.tuples(keys, keys, st.text(max_size=5)),
    st.tuples(keys, keys, st.integers(0, 2**63), st.integers(1, 2**40), st.text(max_size=5)),
)


@pytest.fixture
def partitions() -> Iterator[Partitions]:
    """An empty list of partitions."""
    made = Partitions()
    yield made
    made.close()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.lists(statements, max_size=8), max_size=8),
    memory_bytes=st.sampled_from([0, 700, 2_000, 1_000_000]),
    count=st.sampled_from([1, 3, 256]),
)
def test_what_is_added_comes_back_once_with_all_of_its_key(
    batches: list[list[Statement]], memory_bytes: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any texts, even NUL and lone surrogates, come back in order, each key in one partition, whatever goes to disk."""
    monkeypatch.setattr(limits, "AUDIT_MEMORY_BYTES", memory_bytes)
    monkeypatch.setattr(limits, "AUDIT_PARTITIONS", count)
    partitions = Partitions()
    for batch in batches:
        partitions.add(batch)
    everything = [statement for batch in batches for statement in batch]
    found = list(partitions)
    partitions.close()
    assert partitions.count == len(everything)
    assert len(found) == count
    assert Counter(statement for part in found for statement in part) == Counter(everything)
    for key in {statement[:2] for statement in everything}:
        holding = [part for part in found if any(statement[:2] == key for statement in part)]
        assert len(holding) == 1
        of_key = [statement for statement in holding[0] if statement[:2] == key]
        assert of_key == [statement for statement in everything if statement[:2] == key]


def test_statements_come_back_twice_as_they_did_once(partitions: Partitions) -> None:
    """Iterating changes nothing, and more may be added in between."""
    partitions.add([("a", "b", "c")])
    first = list(partitions)
    assert list(partitions) == first
    partitions.add([("a", "b", "d")])
    assert [part for part in partitions if part] == [[("a", "b", "c"), ("a", "b", "d")]]


def test_the_order_of_partitions_is_the_same_in_every_process(partitions: Partitions) -> None:
    """It follows from the keys alone, not from Python's hash of a text."""
    partitions.add([("AAPL", "2026-11-22T09:00:00Z", "c"), ("MSFT", "\ud800", "d")])
    assert {part[0][0]: at for at, part in enumerate(partitions) if part} == {"AAPL": 29, "MSFT": 91}


def test_memory_in_hand_is_bounded(partitions: Partitions, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each statement counts with its last text and a share for the rest; above the bound all go to the file."""
    monkeypatch.setattr(limits, "AUDIT_MEMORY_BYTES", 10 * (limits.AUDIT_STATEMENT_BYTES + 100))
    rows = [(f"{n}", "", "x" * 100) for n in range(11)]
    partitions.add(rows[:10])
    assert sum(map(len, partitions._in_hand)) == 10
    partitions.add(rows[10:])
    assert sum(map(len, partitions._in_hand)) == 0
    partitions.add(rows[:10])
    assert sum(map(len, partitions._in_hand)) == 10
    assert sorted(statement for part in partitions for statement in part) == sorted(rows + rows[:10])


def test_the_file_has_no_name(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has none while in use or afterwards: however the process ends, nothing is left."""
    monkeypatch.setattr(limits, "AUDIT_MEMORY_BYTES", 0)
    partitions = Partitions()
    partitions.add([(str(n), "", f"{n}" * 500) for n in range(1_000)])
    assert partitions._end > 1_000_000
    assert list(temporary.iterdir()) == []
    assert sum(map(len, partitions)) == 1_000
    partitions.close()
    assert list(temporary.iterdir()) == []


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file of this process may exceed 64 KiB."""
    limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, most))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))


def test_a_full_disk_is_one_clear_line(full_disk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the file cannot grow, the audit says so and what to do; closing it does not fail a second time."""
    monkeypatch.setattr(limits, "AUDIT_MEMORY_BYTES", 100_000)
    partitions = Partitions()
    many = [(str(n), "x", f"{n}" * 100) for n in range(10_000)]
    with pytest.raises(CouldNotFinish, match=r"cannot use its temporary file .*TMPDIR") as failure:
        partitions.add(many)
    assert "\n" not in str(failure.value)
    assert isinstance(failure.value.__cause__, OSError)
    partitions.close()


def test_no_directory_for_temporary_files_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """If no file can be created at all, the line is the same."""

    def refuse() -> Any:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/nowhere']")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(CouldNotFinish, match=r"cannot use its temporary file \(No usable temporary directory.*TMPDIR"):
        Partitions()


def test_a_key_of_many_statements_is_read_a_block_at_a_time(
    partitions: Partitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading them one by one needs one block at a time, in order."""
    monkeypatch.setattr(limits, "AUDIT_MEMORY_BYTES", 0)
    for line in range(5):
        partitions.add([("A", "2026", line, "")])
    read: list[tuple[int, int]] = []
    block_of = partitions._read
    monkeypatch.setattr(partitions, "_read", lambda *block: read.append(block) or block_of(*block))
    in_hand = [(statement[2], len(read)) for stream in partitions.streams() for statement in stream]
    assert in_hand == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]


def test_what_is_added_while_others_are_read_harms_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading moves the place in the file, and writing goes on at its end all the same."""
    monkeypatch.setattr(limits, "AUDIT_MEMORY_BYTES", 0)
    monkeypatch.setattr(limits, "AUDIT_PARTITIONS", 1)
    partitions = Partitions()
    batches: list[list[Statement]] = [[(f"{number}", "key", "content")] for number in range(3)]
    for batch in batches[:2]:
        partitions.add(batch)
    (reading,) = partitions.streams()
    assert next(reading) == batches[0][0]
    partitions.add(batches[2])
    assert list(partitions) == [[statement for batch in batches for statement in batch]]
    partitions.close()


def test_what_is_added_after_reading_is_there_too(partitions: Partitions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading moves the place in the file; what is written next goes to its end all the same."""
    monkeypatch.setattr(limits, "AUDIT_MEMORY_BYTES", 0)
    said = [("a", str(number), "x" * 50) for number in range(20)]
    for part in (said[:10], said[10:]):
        partitions.add(part)
        assert sum(map(len, partitions)) in (10, 20)
    assert sorted(statement for statements in partitions for statement in statements) == sorted(said)
