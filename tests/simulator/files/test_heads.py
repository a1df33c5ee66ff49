"""The first part of a file: inflated, bounded, and up to the end of a line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from simulator.base import limits
from simulator.files.heads import cut, read

ROW = b"2024-01-02,1.5\n"


def test_a_small_file_is_read_whole(tmp_path: Path) -> None:
    """Its last line may lack a line end."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"Date,Close\n2024-01-02,1")
    assert read(path) == b"Date,Close\n2024-01-02,1"
    path.write_bytes(b"")
    assert read(path) == b""


@pytest.mark.parametrize("zipped", [False, True])
def test_of_a_large_file_whole_lines_are_read(tmp_path: Path, zipped: bool) -> None:
    """It is at most the bound, plain or inflated from a gzip stream."""
    body = ROW * 50_000
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(body, mtime=0) if zipped else body)
    head = read(path)
    assert limits.SOURCE_HEAD_BYTES - len(ROW) < len(head) <= limits.SOURCE_HEAD_BYTES
    assert body.startswith(head)
    assert head.endswith(ROW)


def test_of_a_damaged_stream_what_inflates_is_read(tmp_path: Path) -> None:
    """The gate reports where it breaks off."""
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(ROW * 1000, mtime=0)[:-20])
    head = read(path)
    assert head.startswith(ROW)


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-16-be", "utf-16", "cp1252"])
def test_a_cut_is_at_the_end_of_a_line_in_any_encoding(codec: str) -> None:
    """The text before the cut can be decoded, and ends with a line."""
    data = ("a,b\n1,2\n" * 40 + "3,").encode(codec)
    assert cut(data).decode(codec) == "a,b\n1,2\n" * 40


def test_lines_that_end_with_carriage_returns_are_cut_there() -> None:
    """Old programs write such files."""
    assert cut(b"a,b\r1,2\r3,") == b"a,b\r1,2\r"
    assert cut(b"no line") == b"no line"
