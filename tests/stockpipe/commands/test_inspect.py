"""`stockpipe inspect`: what is printed, what is written, and what the exit code says."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli import app
from simulator.files.survey import Partitions
from stockpipe.commands.parameters import FILE
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.simulate.run import resolve
from stockpipe.commands.values import parse_assignment

Stockpipe = Callable[..., Any]
GERMAN = "Datum;Kurs;Volumen\n31.01.2024;27,51;1.234\n30.01.2024;27,80;34.000\n"
DESK = 'Instrument,Trade Date,Last,Change\nABC,2024-01-02,1,0.5%\nDEF,2024-01-02,2,"1,608.00"\nDEF,soon,2,-\n'


def _write(folder: Path, **files: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def _run(*words: Path | str, width: int = 80) -> Result:
    return CliRunner().invoke(app, ["inspect", *map(str, words)], env={"COLUMNS": str(width), "NO_COLOR": "1"})


def _json(*words: Path | str) -> dict[str, Any]:
    ended = _run(*words, "--json")
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


def test_a_file_is_shown_as_it_is(tmp_path: Path) -> None:
    """The whole of it: what the file is like, each column, the key, rejections, odd cells, and what to use."""
    folder = _write(tmp_path / "q", desk=DESK)
    ended = _run(folder, width=200)
    assert ended.exit_code == 0, ended.output
    lines = ended.stdout.splitlines()
    command = lines.index("", lines.index("use:") + 3)
    assert shlex.split("\n".join(lines[command:]).replace("\\\n", "")) == shlex.split(
        f"stockpipe simulate --source '{folder}' --parameter TickerColumn=Instrument "
        "--parameter TimestampColumn='Trade Date' --parameter Numbers=lenient"
    )
    assert lines[: command + 1] == [
        f"{folder / 'desk.csv'}",
        "  2 rows, 97 B, comma, utf-8, header in line 1",
        "",
        "column      stored as  type              cells",
        "Instrument             ticker (key)      ABC, DEF",
        "Trade Date             timestamp (key)   2024-01-02, soon",
        "Last        last       number            1, 2",
        "Change      change     1 number, 1 text  0.5%, 1608.00",
        "",
        "  key: 'Instrument' (its name means an instrument) and 'Trade Date' (its cells are times)",
        "       unique in all rows",
        "  rejected: 1 row",
        "       1 x unreadable timestamp, first in line 4: 'soon' (TimestampFormat may help)",
        "  texts that look like something else:",
        "       Change: a percentage in 1 cell: 0.5%",
        "",
        "use:",
        "  --parameter TickerColumn=Instrument --parameter TimestampColumn='Trade Date' --parameter Numbers=lenient",
        "",
        "parameter        why",
        "TickerColumn     its name means an instrument",
        "TimestampColumn  its cells are times",
        "Numbers          grouped numbers, a leading plus, or a point at an end",
        "",
    ]


@pytest.mark.parametrize("width", [40, 80])
def test_it_can_be_read_on_a_narrow_screen_and_through_a_pipe(tmp_path: Path, width: int) -> None:
    """No line is wider but for a word that cannot be broken; no box, no colour, nothing at the end of a line."""
    names = ",".join(f"column with a long name {n}" for n in range(9))
    rows = "".join(f"2024-01-{day:02d}" + ",some long text" * 9 + "\n" for day in range(1, 9))
    _write(tmp_path / "q", a=f"Date,{names}\n{rows}")
    ended = _run(tmp_path / "q", width=width)
    lines = [line for line in ended.stdout.splitlines() if str(tmp_path) not in line]
    assert max(map(len, lines)) <= width
    assert "\x1b" not in ended.stdout
    assert not any(line.endswith(" ") or set(line) & set("│┃─━┌└") for line in lines)


def test_what_is_named_can_be_pasted(tmp_path: Path) -> None:
    """By the options that are printed the gate of `simulate` lets the file pass, whatever is in a name."""
    folder = _write(tmp_path / "it's here", a="Trade $Date;Last\n31.01.2024;1,5\n30.01.2024;2,5\n")
    found = _json(folder)
    words = shlex.split(found["options"])
    assert words[::2] == ["--parameter"] * 3
    parameters = tuple(map(parse_assignment, words[1::2]))
    assert dict(parameters) == found["parameters"]
    assert shlex.split(found["command"]) == ["stockpipe", "simulate", "--source", str(folder), *words]
    plan = resolve(SimulateOptions(sources=(folder,), parameters=parameters))[1]
    assert [source.path for source in plan.inputs.files] == [folder / "a.csv"]


def test_the_document_has_all_of_it(tmp_path: Path) -> None:
    """For scripts: one object of a known schema."""
    found = _json(_write(tmp_path / "q", kurse=GERMAN))
    assert found["schema"] == "stockpipe.inspect/1"
    assert found["parameters"] == {
        "TimestampColumn": "Datum",
        "TimestampFormat": "%d.%m.%Y",
        "DecimalSeparator": ",",
        "Numbers": "lenient",
    }
    assert (found["differing"], found["unreadable"], found["leave_out"]) == ([], [], [])
    (file,) = found["files"]
    assert {
        name: file[name] for name in ("rows", "rejected_rows", "bytes", "delimiter", "encoding", "header_line")
    } == {
        "rows": 2,
        "rejected_rows": 0,
        "bytes": len(GERMAN),
        "delimiter": ";",
        "encoding": "utf-8",
        "header_line": 1,
    }
    assert file["parameters"] == found["parameters"]
    assert [(column["name"], column["stored_as"], column["type"], column["cells"]) for column in file["columns"]] == [
        ("Datum", None, "timestamp", ["31.01.2024", "30.01.2024"]),
        ("Kurs", "kurs", "number", ["27.51", "27.80"]),
        ("Volumen", "volumen", "number", ["1234", "34000"]),
    ]
    assert file["key"] == {
        "ticker": {"column": None, "why": "the file's name", "cells": ["KURSE"]},
        "timestamp": {
            "column": "Datum",
            "why": "its cells are times",
            "cells": ["31.01.2024", "30.01.2024"],
            "stored": ["2024-01-31", "2024-01-30"],
        },
        "distinct": 2,
        "repeated": 0,
        "replaced": 0,
        "first_replaced": None,
    }


def test_repeated_keys_are_named(tmp_path: Path) -> None:
    """How many rows would replace an earlier one, and the first of them with both lines."""
    text = "ticker,date,x\nA,2024-01-02,1\nA,2024-01-02,1.0\nB,2024-01-02,1\nB,2024-01-02,2\n"
    folder = _write(tmp_path / "q", a=text)
    (file,) = _json(folder)["files"]
    assert file["key"]["distinct"] == 2
    assert (file["key"]["repeated"], file["key"]["replaced"]) == (1, 1)
    assert file["key"]["first_replaced"] == {"ticker": "B", "timestamp": "2024-01-02", "line": 4, "other_line": 5}
    said = " ".join(_run(folder).stdout.split())
    assert "1 row the same as an earlier row" in said
    assert "1 row with the key of an earlier row but other values: first lines 4 and 5 (B, 2024-01-02)" in said


def test_the_parameters_are_written_for_other_commands(tmp_path: Path) -> None:
    """A file that `simulate --parameters` takes; with nothing to say it holds an empty object."""
    folder, file = _write(tmp_path / "q", a=GERMAN), tmp_path / "q.json"
    assert _run(folder, "--write", file).exit_code == 0
    written = json.loads(file.read_text())
    assert written == _json(folder)["parameters"]
    plan = resolve(SimulateOptions(sources=(folder,), parameter_files=(FILE.parse(str(file)),)))[1]
    assert len(plan.inputs.files) == 1
    plain = _write(tmp_path / "plain", a="Date,Close\n2024-01-02,1\n")
    ended = _run(plain, "--write", file)
    assert json.loads(file.read_text()) == {}
    assert "use: no parameter is needed" in ended.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain", "q", "q.json"]


def test_given_parameters_stay_and_are_written_too(tmp_path: Path) -> None:
    """Of a file, and of the command line, which outweighs it; one that keeps the file from being read is left out."""
    folder, file = (
        _write(tmp_path / "q", a="Datum,Zeit,Kurs\n2024-01-02,09:30,1\n2024-01-02,09:31,2\n"),
        tmp_path / "p.json",
    )
    file.write_text('{"TimeZone": "Europe/Berlin", "BatchSize": 5}')
    found = _json(folder, "--parameters", file, "--parameter", "TimeZone=America/New_York")
    assert found["parameters"] == {"TimestampColumn": "Datum+Zeit", "TimeZone": "America/New_York"}
    assert found["files"][0]["key"]["timestamp"]["stored"][0] == "2024-01-02T14:30:00.000000Z"
    assert not any("UTC" in note for note in found["files"][0]["notes"])
    slip = _json(_write(tmp_path / "r", a=DESK), "--parameter", "TickerColumn=Instrumnet")
    assert slip["parameters"]["TickerColumn"] == "Instrument"
    harm = _json(
        _write(tmp_path / "s", a="Date,Time,x\n2024-01-02,09:30,1\n2024-01-02,09:31,2\n"),
        *("--parameter", "TimestampColumn=Date"),
    )
    assert (harm["parameters"], harm["leave_out"]) == ({}, ["TimestampColumn"])


def test_a_file_that_cannot_be_read_is_named_beside_the_others(tmp_path: Path) -> None:
    """Exit code 2, each with its reason; what can be read is shown all the same."""
    folder = _write(tmp_path / "q", a="Date,Close\n2024-01-02,1\n", b="", c="<html>x</html>")
    ended = _run(folder, tmp_path / "gone.csv")
    assert ended.exit_code == 2
    assert "Close" in ended.stdout
    assert ended.stderr.splitlines()[0] == "stockpipe: 3 of 4 files cannot be read"
    assert f"  {folder / 'b.csv'}: no header: the object is empty; fix or remove it" in ended.stderr.splitlines()
    assert f"  {tmp_path / 'gone.csv'}: it does not exist; fix or remove it" in ended.stderr.splitlines()
    found = _json(folder)
    assert [Path(one["path"]).name for one in found["unreadable"]] == ["b.csv", "c.csv"]
    assert found["unreadable"][0]["reason"] == "no header: the object is empty"
    assert shlex.split(found["command"]) == ["stockpipe", "simulate", "--source", str(folder), "--skip-unreadable"]


def test_nothing_that_can_be_read_prints_no_table(tmp_path: Path) -> None:
    """And writes no parameters."""
    folder, file = _write(tmp_path / "q", a=""), tmp_path / "p.json"
    ended = _run(folder, "--write", file)
    assert (ended.exit_code, ended.stdout, file.exists()) == (2, "", False)
    assert _run().exit_code == 2
    assert _run(_write(tmp_path / "empty")).exit_code == 2


def test_files_that_one_set_of_parameters_does_not_read_end_with_2(tmp_path: Path) -> None:
    """Each is named with what it needs; the parameters are those of most."""
    other = "Datum;Kurs;Volumen\n2024-01-30;27.80;34\n"
    folder = _write(tmp_path / "q", a=GERMAN, b=GERMAN, c=other)
    ended = _run(folder, width=200)
    assert ended.exit_code == 2
    assert f"not like the others: {folder / 'c.csv'}: it needs other parameters" in ended.stdout


def test_of_many_files_the_first_is_shown_in_full(tmp_path: Path) -> None:
    """The others have a line each; as JSON all are whole."""
    folder = _write(tmp_path / "q", **{f"f{n}": f"Date,Close\n2024-01-0{n + 1},1\n" for n in range(7)})
    ended = _run(folder, width=200)
    assert ended.stdout.count("stored as") == 1
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert [line[1:] for line in lines if line and line[0] == str(folder / "f6.csv")] == [["1", "0", "unique"]]
    assert len(_json(folder)["files"]) == 7


def test_what_is_in_a_file_does_not_steer_the_terminal(tmp_path: Path) -> None:
    """Control characters of names, cells and paths are blanks, and bytes that are not text are shown as such."""
    text = b"Date,a\x1b[2Jb,n\n2024-01-02,\x1b]0;x\x07,\xff\n2024-01-03,x\xe2\x80\xae,1\n"
    folder = _write(tmp_path / "q", a=text)
    (folder / "a.csv").rename(folder / "a\x1b[31m.csv")
    ended = _run(folder)
    assert ended.exit_code == 0, ended.output
    assert not set(ended.output) & set("\x1b\x07\u202e")
    assert "\x1b" not in _run(folder, "--json").stdout


def test_a_malformed_parameter_is_one_line(tmp_path: Path) -> None:
    """It is the fault of no file."""
    folder = _write(tmp_path / "q", a=GERMAN)
    for parameter, said in (
        ("TimeZone=Mars/Olympus", "TIME_ZONE"),
        ("Nonsense=1", "Nonsense"),
        ("SkipLines=x", "SkipLines"),
    ):
        ended = _run(folder, "--parameter", parameter)
        assert (ended.exit_code, ended.stdout) == (2, "")
        assert said in ended.stderr


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 130, no parameters, no temporary file."""
    folder = _write(tmp_path / "q", a=GERMAN)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))

    def interrupted(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Partitions, "add", interrupted)
    ended = _run(folder, "--write", tmp_path / "p.json")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (130, "", "stockpipe: interrupted\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["q", "tmp"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_is_proposed_is_proven(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """Inspect, write, simulate: the rows that were counted are those that are stored, of plain and zipped files."""
    folder = _write(tmp_path / "q", desk=DESK.replace("soon", "2024-01-03"))
    (folder / "zipped.csv.gz").write_bytes(
        gzip.compress(DESK.replace("soon", "2024-01-03").replace("DEF", "G").encode(), mtime=0)
    )
    inspected = stockpipe("inspect", str(folder), "--write", "p.json", "--json")
    assert inspected.code == 0, inspected.err
    rows = sum(file["rows"] for file in json.loads(inspected.out)["files"])
    ended = stockpipe("simulate", "--source", str(folder), "--parameters", "p.json", "--ui", "quiet", "--summary", "-")
    assert ended.code in (0, 1), ended.err
    assert ended.summary["generated"]["rows"] == rows == 6


def test_the_key_is_that_by_which_the_file_is_read(tmp_path: Path) -> None:
    """What a guess made of the file before it was given up does not count: the header's line, columns and cells."""
    content = 'Date,Close,Note\n2024-01-02,1,"a\n# no comment"\n# c, d, e\n2024-01-04,3,x\n'
    file = _json(_write(tmp_path / "q", remark=content))["files"][0]
    assert (file["header_line"], file["key"]["timestamp"]["column"], file["key"]["timestamp"]["why"]) == (
        1,
        "Date",
        "by its name",
    )
    assert [column["name"] for column in file["columns"]] == ["Date", "Close", "Note"]


def test_a_column_alone_is_a_key(tmp_path: Path) -> None:
    """A file that is not a table to the guess is one to the consumer: its key is named all the same."""
    file = _json(_write(tmp_path / "q", days="Date\n2024-01-02\n2024-01-03\n"))["files"][0]
    assert (file["key"]["ticker"]["why"], file["key"]["timestamp"]["column"]) == ("the file's name", "Date")
    assert file["columns"][0]["cells"] == ["2024-01-02", "2024-01-03"]


def test_a_file_of_which_no_row_would_be_stored_is_not_in_order(tmp_path: Path) -> None:
    """The exit code says so, and nobody reads that its keys are unique or that nothing is needed."""
    ended = _run(_write(tmp_path / "q", index=",open,close\n0,1,2\n1,2,3\n"))
    assert ended.exit_code == 2
    assert "key: the file's name and the unnamed column (no name means a time)" in ended.stdout
    assert "rejected: every one of 2 rows" in ended.stdout
    assert "use: no parameter was found that helps" in ended.stdout
    assert "unique" not in ended.stdout
    assert _run(_write(tmp_path / "empty", header="Date,Close\n")).exit_code == 0
