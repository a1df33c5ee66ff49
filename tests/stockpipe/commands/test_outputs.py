"""Files that a command cannot write: one line, exit code 3, and whatever else it had to say is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app

Stockpipe = Callable[..., Any]
SIMULATE = ("simulate", "--ticks", "1", "--files", "2", "--rows", "5", "--ui", "quiet")
LOAD_TEST = ("load-test", "--rate", "2/s", "--duration", "1s", "--rows", "5", "--ui", "quiet")
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full to stand for a full disk")
@pytest.mark.parametrize(
    ("command", "option"),
    [
        (SIMULATE, "--ready"),
        (SIMULATE, "--screenshot"),
        (LOAD_TEST, "--report"),
    ],
)
def test_a_file_for_which_there_is_no_room_keeps_nothing_else_back(
    stockpipe: Stockpipe, tmp_path: Path, command: tuple[str, ...], option: str
) -> None:
    """The verdict is said and the summary written all the same; the device stays a device."""
    ended = stockpipe(*command, option, "/dev/full", "--summary", "s.json")

    lines = [line for line in ended.err.splitlines() if not line.startswith("endpoint ")]
    assert lines == ["stockpipe: the disk is full: /dev/full", "  hint: free some space and run again"]
    assert (ended.code, ended.out.startswith("verdict ")) == (3, True)
    assert json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))["command"] == command[0]
    assert Path("/dev/full").is_char_device()


def test_a_file_that_may_not_grow_is_named(tmp_path: Path) -> None:
    """A limit on the size of files is a full disk by another name: one line, exit code 3."""
    script = f"ulimit -f 1; {sys.executable} -m stockpipe {' '.join(SIMULATE)} --screenshot frame.svg"
    # What measures the tests' coverage would have a file to write, too.
    measured = {name for name in os.environ if name.startswith("COVERAGE_")}
    environ = {name: value for name, value in os.environ.items() if name not in measured} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=tmp_path, env=environ)

    lines = [line for line in done.stderr.splitlines() if not line.startswith("endpoint ")]
    assert (done.returncode, lines) == (3, ["stockpipe: frame.svg: File too large"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("simulate", "--summary", "out", "--screenshot", "out"), "'out' is named for two outputs"),
        (("simulate", "--ready", "./out", "--summary", "link"), "'link' is named for two outputs"),
        (("simulate", "--parameters", "p.json", "--summary", "p.json"), "'p.json' is an input of this command"),
        (("simulate", "--source", "q/a.csv", "--ready", "q/a.csv"), "'q/a.csv' is an input of this command"),
        (("load-test", "--report", "out", "--summary", "out"), "'out' is named for two outputs"),
        (("load-test", "--parameters", "p.json", "--report", "p.json"), "'p.json' is an input of this command"),
        (("inspect", "q", "--write", "q/a.csv"), "'q/a.csv' is an input of this command"),
    ],
)
def test_no_result_replaces_another_or_an_input(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """It is found before anything runs, under whatever name, and the input is as it was."""
    rows = "ticker,timestamp,price\nACME,2026-11-22T09:30:00Z,1.5\n"
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "a.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "p.json").write_text("{}", encoding="utf-8")
    (tmp_path / "link").symlink_to("out")
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(app, arguments)
    assert (ended.exit_code, ended.stderr) == (2, f"stockpipe: {said}\n  hint: name another file to write\n")
    assert (tmp_path / "q" / "a.csv").read_text(encoding="utf-8") == rows
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments", [("simulate", "--ready", "-"), ("simulate", "--screenshot", "-"), ("inspect", "q.csv", "--write", "-")]
)
def test_a_dash_is_not_a_files_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Where it does not stand for standard output, a file of this name is not what anybody wants."""
    (tmp_path / "q.csv").write_text("ticker,timestamp,price\nACME,2026-11-22T09:30:00Z,1.5\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(app, arguments)
    said = "'-' means standard output only for --summary\n  hint: name a file"
    assert (ended.exit_code, ended.stderr) == (2, f"stockpipe: {said}\n")
    assert not (tmp_path / "-").exists()


def test_a_device_takes_any_number_of_results(stockpipe: Stockpipe) -> None:
    """Where nothing is kept, nothing is replaced."""
    ended = stockpipe(*SIMULATE, "--summary", "/dev/null", "--screenshot", "/dev/null", "--ready", "/dev/null")
    assert ended.code == 0
