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
    assert lines == ["stockpipe: the disk is full: /dev/full; free some space and run again"]
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
