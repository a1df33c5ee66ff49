"""Planted bugs are found again in their recorded worlds, and the sound pipeline passes its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from planted.bugs import BUGS
from simulator.faults import kinds

ROOT = Path(__file__).parents[1]
WORLDS = ROOT / "tests" / "planted" / "worlds"
MOST_FAULTS = 3


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """A program of this project, with its tests behind it on the path."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    environ = {**os.environ, "PYTHONPATH": path}
    return subprocess.run((sys.executable, "-m", *words), check=False, capture_output=True, text=True, env=environ)


@pytest.mark.parametrize("name", BUGS)
def test_each_bug_is_one_change_of_the_code_as_it_is(name: str) -> None:
    """Its patches fit, and its world is recorded with at most three faults."""
    bug = BUGS[name]
    source = (ROOT / f"{bug.module.replace('.', '/')}.py").read_text(encoding="utf-8")
    assert bug.plant(source) != source
    recorded = json.loads((WORLDS / f"{name}.json").read_text(encoding="utf-8"))
    assert len(recorded["faults"]) <= MOST_FAULTS
    assert recorded["objects"] or recorded["ticks"]


def test_each_bug_is_shown_by_its_world_and_by_nothing_else() -> None:
    """With the bug the world goes wrong as it was recorded; with the sound code it passes, as do those once mended."""
    replayed = run("planted.replays")
    assert (replayed.returncode, replayed.stderr) == (0, "")
    answers = {answer["name"]: answer for answer in map(json.loads, replayed.stdout.splitlines())}
    assert answers.keys() > BUGS.keys()
    assert {name for name, answer in answers.items() if answer["sound"]} == set()
    unlike = {name for name in BUGS if answers[name]["recorded"] not in answers[name]["planted"]}
    assert unlike == set()


def test_fifty_worlds_of_the_sound_pipeline_pass(tmp_path: Path) -> None:
    """Nothing is found in them, though most kinds of faults strike; standard error stays empty."""
    summary = tmp_path / "summary.json"
    words = ("--worlds", "50", "--stop-after", "0", "--ui", "quiet", "--summary", str(summary), "--out", str(tmp_path))
    explored = run("stockpipe", "explore", *words)
    assert (explored.returncode, explored.stderr) == (0, "")
    built = json.loads(summary.read_text(encoding="utf-8"))
    assert (built["worlds"], built["failed_worlds"], built["findings"]) == (50, 0, [])
    assert built["faults"].keys() <= kinds.ALL.keys()
    assert len(built["faults"]) > len(kinds.ALL) * 3 // 4
    assert built["settlements"].keys() >= {"success", "batch item failure", "crash", "timeout", "delete failed"}
