"""`stockpipe simulate --source`: what is refused before anything starts, and what a mixed directory comes to."""

from __future__ import annotations

import gzip
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.simulate.run import resolve
from stockpipe.commands.values import parse_assignment

Stockpipe = Callable[..., Any]
CSV = b"ticker,date,price\nA,2026-01-01,1\n"


def _refused(*words: Path | str) -> list[str]:
    """The lines that are said on standard error, without the name of the program."""
    ended = CliRunner().invoke(app, ["simulate", "--ui", "quiet", "--source", *map(str, words)])
    assert ended.exit_code == 2, ended.output
    assert ended.stdout == ""
    assert ended.stderr.startswith("stockpipe: ")
    return ended.stderr.removeprefix("stockpipe: ").splitlines()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.csv", b"", "no header: the object is empty; fix or remove it"),
        ("excel.csv", b"PK\x03\x04zip,zip\0", "the object is a zip archive, not CSV; fix or remove it"),
        ("page.csv", b"<html>404, not found</html>", "which looks like a web page or XML; fix or remove it"),
        ("limited.csv", b'{"Note": "wait, please"}', "which looks like JSON; fix or remove it"),
        ("prose.txt", b"Buy low.\nSell high.\n", "no timestamp column in the header 'Buy low.'; fix or remove it"),
        ("cut.csv.gz", gzip.compress(CSV, mtime=0)[:-12], "the gzip stream ends early; fix or remove it"),
        ("bad.csv.gz", b"\x1f\x8b\x08garbage that is not gzip", "the gzip stream is damaged: "),
        ("_notes.csv", CSV, "the consumer skips objects whose names begin with '_'; rename it"),
    ],
)
def test_a_source_that_the_consumer_would_not_read_is_refused(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    """The line names the file and the consumer's reason, and what helps; a folder's `_notes.csv` is not data at all."""
    file = tmp_path / name
    file.write_bytes(content)
    first, line = _refused(file)
    assert first == "1 of 1 file cannot be read"
    assert line.startswith(f"  {file}: ")
    assert reason in line
    if file.suffix != ".txt" and not name.startswith("_"):
        assert _refused(tmp_path) == [first, line]


@pytest.mark.parametrize(
    ("content", "cure"),
    [
        (b"Instrument,Trade Date\nA,2024-01-02\n", "TickerColumn=Instrument --parameter TimestampColumn='Trade Date'"),
        (b"date,close,Name\n2024-01-02,1,A\n2024-01-02,2,B\n", "TickerColumn=Name"),
        (b"A title, with a comma\nDate,Open,Close\n2024-01-02,1,2\n2024-01-03,1,2\n", "SkipLines=1"),
    ],
)
def test_a_source_that_parameters_make_readable_is_told_which(tmp_path: Path, content: bytes, cure: str) -> None:
    """The cure can be pasted, and by it the file passes the gate."""
    file = tmp_path / "abc.csv"
    file.write_bytes(content)
    _, line = _refused(file)
    assert line.endswith(f"; set --parameter {cure}")
    options = SimulateOptions(
        sources=(file,), parameters=tuple(parse_assignment(word) for word in shlex.split(cure) if word != "--parameter")
    )
    assert [source.path for source in resolve(options)[1].inputs.files] == [file]


def test_a_given_parameter_that_keeps_a_file_from_being_read_is_named(tmp_path: Path) -> None:
    """A slip of the finger is put right; a name that does harm is to be left out."""
    slip, harm = tmp_path / "slip.csv", tmp_path / "harm.csv"
    slip.write_bytes(b"Instrument,date\nA,2024-01-02\nB,2024-01-02\n")
    harm.write_bytes(b"Date,Time,Open\n2024-01-02,09:30,1\n2024-01-02,09:31,2\n")
    (_, line) = _refused(slip, "--parameter", "TickerColumn=Instrumnet")
    assert "the nearest is 'Instrument'" in line
    assert line.endswith("; set --parameter TickerColumn=Instrument")
    (_, line) = _refused(harm, "--parameter", "TimestampColumn=Date")
    assert "'Time' would distinguish them" in line
    assert line.endswith("; leave out TimestampColumn")


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    """A typing error, an empty file, a folder without any, a device, two files for one key; twenty lines at most."""
    good, missing, empty = tmp_path / "good.csv", tmp_path / "gone" / "quotes.csv", tmp_path / "empty.csv"
    good.write_bytes(CSV)
    empty.write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "readme.md").write_text("a,b\n")
    files = [tmp_path / year / "quotes.csv" for year in ("2025", "2026")]
    for file in files:
        file.parent.mkdir()
        file.write_bytes(CSV)
    becomes = "it would become the object stocks/source/quotes.csv"
    said = _refused(good, missing, tmp_path / "folder", Path("/dev/zero"), *files, empty)
    assert said == [
        "6 of 7 files cannot be read",
        f"  {missing}: it does not exist; fix or remove it",
        f"  {tmp_path / 'folder'}: it holds no CSV files (*.csv or *.csv.gz); name a file or another folder",
        "  /dev/zero: it is neither a file nor a directory; fix or remove it",
        f"  {files[0]}: {becomes}, and so would {files[1]}; send one of them at a time",
        f"  {files[1]}: {becomes}, and so would {files[0]}; send one of them at a time",
        f"  {empty}: no header: the object is empty; fix or remove it",
        "  hint: add --skip-unreadable to continue without them",
    ]
    many = tmp_path / "many"
    many.mkdir()
    for number in range(25):
        (many / f"{number:02d}.csv").write_bytes(b"")
    said = _refused(many)
    assert (len(said), said[-1]) == (22, "  and 5 more")


def test_a_name_with_control_characters_does_not_reach_the_terminal(tmp_path: Path) -> None:
    """Neither by the path nor by what is in the file."""
    file = tmp_path / "a\x1b[2J.csv"
    file.write_bytes(b"one\x1b[2Jtwo\n1\n")
    assert "\x1b" not in "\n".join(_refused(file))


def test_what_is_left_out_is_said_and_the_rest_is_sent(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """With --skip-unreadable a folder of downloads is sent as far as it can be read, and the summary says so."""
    quotes = tmp_path / "quotes"
    quotes.mkdir()
    (quotes / "good.csv").write_bytes(CSV)
    (quotes / "page.csv").write_bytes(b"<html>404</html>")
    (quotes / "link.csv").symlink_to("nowhere")
    words = ("simulate", "--source", str(quotes), "--skip-unreadable", "--summary", "-", "--ui")
    for ui in ("plain", "quiet"):
        ended = stockpipe(*words, ui)
        assert (ended.code, ended.summary["audit"]["verdict"]) == (0, "exact"), ended.err
        assert ended.summary["generated"]["files"] == ended.summary["audit"]["stored_rows"] == 1
        assert ended.summary["options"]["skip_unreadable"] is True
        assert f"left out: {quotes / 'link.csv'}: it is a link to 'nowhere', which does not exist" in ended.err
        assert f"left out: {quotes / 'page.csv'}: no timestamp column" in ended.err


def test_nothing_left_to_send_is_wrong_input(tmp_path: Path) -> None:
    """Without a file that can be read there is no run, whatever may be left out."""
    (tmp_path / "empty.csv").write_bytes(b"")
    first, _ = _refused(tmp_path, "--skip-unreadable")
    assert first == "1 of 1 file cannot be read"


def test_a_directory_of_good_and_bad_rows_is_accounted_for(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """Rejected rows, a replaced row and a compressed file: every row has its place."""
    quotes = tmp_path / "quotes"
    (quotes / "more").mkdir(parents=True)
    (quotes / "a.csv").write_bytes(CSV + b"A,2026-01-01,2\nA,yesterday,3\n,2026-01-01,4\n")
    (quotes / "more" / "b.csv.gz").write_bytes(gzip.compress(b"Date,Close\r\n2026-01-01,10.50\r\n2026-01-02,11\r\n"))
    ended = stockpipe(
        *("simulate", "--ui", "quiet", "--summary", "-", "--source", str(quotes), "--accept", "overwritten"),
        *("--slo", "rejected<=40%"),
    )
    audit = ended.summary["audit"]
    assert (ended.code, audit["verdict"]) == (0, "exact"), ended.err
    assert ended.summary["generated"]["files"] == 2
    assert ended.summary["generated"]["rows"] == audit["parsed_rows"] == 6
    assert (audit["rejected"], audit["overwritten"], audit["stored_rows"]) == (2, 1, 3)
