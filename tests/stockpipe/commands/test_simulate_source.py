"""`stockpipe simulate --source`: what is refused before anything starts, and what a mixed directory comes to."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app

Stockpipe = Callable[..., Any]
CSV = b"ticker,date,price\nA,2026-01-01,1\n"


def _refused(*paths: Path | str) -> str:
    """What is said on standard error, which must be one line."""
    ended = CliRunner().invoke(app, ["simulate", "--ui", "quiet", "--source", *map(str, paths)])
    assert ended.exit_code == 2, ended.output
    assert ended.stdout == ""
    assert ended.stderr.startswith("stockpipe: ")
    assert ended.stderr.count("\n") == 1
    return ended.stderr.removeprefix("stockpipe: ").rstrip("\n")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.csv", b"", "it is empty"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0", "it is no text"),
        ("page.csv", b"<html>404</html>", "it begins with '<', as JSON or a web page does"),
        ("prose.txt", b"Buy low.\nSell high.\n", "its first line has no comma, so it is no header of columns"),
        ("cut.csv.gz", gzip.compress(CSV, mtime=0)[:10], "the gzip stream ends early"),
        ("bad.csv.gz", b"\x1f\x8b\x08garbage that is no gzip", "the gzip stream is damaged"),
        ("empty.csv.gz", gzip.compress(b"", mtime=0), "it is empty"),
    ],
)
def test_a_source_that_is_no_csv_is_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    """The line names the file and the reason, whether the file is named itself or found in a directory."""
    file = tmp_path / name
    file.write_bytes(content)
    assert _refused(file).startswith(f"{file} is no CSV file: {reason}")
    if file.suffix != ".txt":
        assert _refused(tmp_path) == _refused(file)


def test_a_source_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """One wrong path among good ones is enough: nothing is started with half of what was asked for."""
    good, missing = tmp_path / "good.csv", tmp_path / "gone" / "quotes.csv"
    good.write_bytes(CSV)
    assert _refused(good, missing) == f"{missing} does not exist"


def test_a_directory_without_csv_files_is_refused(tmp_path: Path) -> None:
    """An empty directory, or one of other files, says what was looked for."""
    (tmp_path / "readme.md").write_text("a,b\n")
    assert _refused(tmp_path) == f"{tmp_path} holds no CSV files (*.csv or *.csv.gz)"


def test_a_device_is_refused() -> None:
    """Something that never ends cannot be an object."""
    assert _refused("/dev/zero") == "/dev/zero is neither a file nor a directory"


def test_two_files_that_would_overwrite_each_other_are_refused(tmp_path: Path) -> None:
    """Both files and the key that they share are named."""
    files = [tmp_path / folder / "quotes.csv" for folder in ("2025", "2026")]
    for file in files:
        file.parent.mkdir()
        file.write_bytes(CSV)
    said = _refused(*files)
    assert said.startswith(f"{files[0]} and {files[1]} would both become stocks/source/quotes.csv")


def test_a_directory_of_good_and_bad_rows_is_accounted_for(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """Rejected rows, a replaced row, a compressed file and one without a timestamp column: every row has its place."""
    quotes = tmp_path / "quotes"
    (quotes / "more").mkdir(parents=True)
    (quotes / "a.csv").write_bytes(CSV + b"A,2026-01-01,2\nA,yesterday,3\n,2026-01-01,4\n")
    (quotes / "more" / "b.csv.gz").write_bytes(gzip.compress(b"Date,Close\r\n2026-01-01,10.50\r\n2026-01-02,11\r\n"))
    (quotes / "unknown.csv").write_bytes(b"a,b\n1,2\n")
    parameters = ("VisibilityTimeout=1", "ConsumerTimeout=1", "MaxReceiveCount=1")
    ended = stockpipe(
        *("simulate", "--ui", "quiet", "--summary", "-", "--source", str(quotes), "--slo", "dead_lettered<=1"),
        *("--accept", "overwritten"),
        *(word for parameter in parameters for word in ("--parameter", parameter)),
    )
    audit = ended.summary["audit"]
    assert (ended.code, audit["verdict"]) == (0, "exact"), ended.err
    assert ended.summary["generated"]["files"] == 3
    assert ended.summary["generated"]["rows"] == audit["parsed_rows"] == 6
    assert (audit["rejected"], audit["overwritten"], audit["stored_rows"]) == (2, 1, 3)
    assert audit["dead_lettered"] == {"objects": 1, "rows": 0, "rows_stored": 0}
