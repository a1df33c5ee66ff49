"""A planted bug is found, told and written to a file, which shows it again until it is mended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from simulator.explore import replay

pytestmark = pytest.mark.usefixtures("unmeasured")

ROOT = Path(__file__).resolve().parents[3]
BUG, FAULT = "unprocessed-ignored", "dynamodb-throttled-some"
SEARCH = ("--worlds", "40", "--jobs", "1", "--duration", "60s", "--faults", FAULT, "--source", "data")


class Ended(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str


def explore(folder: Path, *arguments: str, bug: str | None = None) -> Ended:
    """Run `stockpipe explore ARGUMENTS` in a folder, with a bug if it is given."""
    command = ("-m", "stockpipe") if bug is None else ("-m", "planted", bug)
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    environ = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "TERM": "dumb"}
    done = subprocess.run(
        [sys.executable, *command, "explore", *arguments],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


class Found(NamedTuple):
    """The search that finds the bug: its output, its summary and the folder with the finding's file."""

    ended: Ended
    summary: dict[str, Any]
    folder: Path

    @property
    def finding(self) -> dict[str, Any]:
        """The one finding."""
        (finding,) = self.summary["findings"]
        assert isinstance(finding, dict)
        return finding


def searched(folder: Path) -> Found:
    """Search until the bug is found, with four small files."""
    (folder / "data").mkdir()
    for number in range(4):
        rows = "".join(f"T{number},2026-01-01T00:00:{row:02}Z,{row}\n" for row in range(2))
        (folder / "data" / f"{number}.csv").write_text(f"ticker,timestamp,open\n{rows}", encoding="utf-8")
    ended = explore(folder, *SEARCH, "--summary", "s.json", "--report", "page.html", "--ui", "plain", bug=BUG)
    return Found(ended, json.loads((folder / "s.json").read_text(encoding="utf-8")), folder)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The bug, found once."""
    return searched(tmp_path_factory.mktemp("found"))


def test_a_planted_bug_is_found(found: Found) -> None:
    """With exit code 1, the fault that it needs, and the file that shows it again."""
    assert found.ended.code == 1, found.ended
    finding = found.finding
    assert finding["signature"] == f"lost · {FAULT} at dynamodb.BatchWriteItem"
    assert (finding["problem"], finding["worlds"]) == ("lost", 1)
    assert [fault["kind"] for fault in finding["faults"]] == [FAULT]
    assert finding["objects"] <= 1
    assert finding["replay"] == f"world-{finding['seed']}.json"
    assert found.summary["worlds"] == finding["seed"] + 1
    assert (found.folder / finding["replay"]).is_file()


def test_its_story_is_told(found: Found) -> None:
    """In at most twelve lines, on standard output: the fault, and what is wrong at the end."""
    out, finding = found.ended.out, found.finding
    assert len(finding["story"]) <= 12
    assert sum(f"FAULT {FAULT}: " in line for line in finding["story"]) == 1
    assert ": missing" in finding["said"]
    told = out.splitlines()
    assert told[0] == f"finding 1: {finding['signature']}"
    assert told[1] == f"  the world of seed {finding['seed']}, shrunk:"
    assert told[2:-3] == [f"  {line}" for line in finding["story"]]
    assert told[-3] == f"  => {finding['said']}"
    assert told[-2] == f"  stockpipe explore --replay {finding['replay']}"
    assert told[-1].endswith(": 1 finding")


def test_its_page_shows_it(found: Found) -> None:
    """The finding with its picture."""
    page = (found.folder / "page.html").read_text(encoding="utf-8")
    assert found.finding["signature"] in page
    assert page.count("<svg") == 1


def test_parameters_of_a_file_hold_in_a_replay(found: Found) -> None:
    """As those of `--parameter` do: with another table name the story is the same; what there is not is refused."""
    (found.folder / "parameters.json").write_text('{"NoSuch": "1"}', encoding="utf-8")
    ended = explore(found.folder, "--replay", found.finding["replay"], "--parameters", "parameters.json")
    assert (ended.code, ended.out) == (2, "")
    assert "NoSuch" in ended.err


def test_the_same_search_finds_the_same(found: Found, tmp_path: Path) -> None:
    """The same fault at the same place, the same story and the same file, under a free name: others' are kept."""
    taken = tmp_path / found.finding["replay"]
    taken.write_bytes(b"another")
    again = searched(tmp_path)
    assert taken.read_bytes() == b"another"
    assert again.finding["replay"] == f"{taken.stem}-2.json"
    assert again.finding | {"replay": taken.name} == found.finding
    files = [each.folder / each.finding["replay"] for each in (again, found)]
    assert files[0].read_bytes() == files[1].read_bytes()
    for key in ("worlds", "failed_worlds", "virtual_s", "objects", "faults", "settlements"):
        assert again.summary[key] == found.summary[key]


def test_the_file_has_the_shrunk_world(found: Found) -> None:
    """Its fault, its load and what was wrong."""
    recording = replay.read(found.folder / found.finding["replay"])
    assert [fault._asdict() for fault in recording.case.faults or ()] == found.finding["faults"]
    assert len(recording.case.puts) == found.finding["objects"]
    assert (recording.problem, recording.said) == ("lost", found.finding["said"])
    assert recording.template is None
    assert recording.parameters["FileCount"] == "1"


def test_a_replay_shows_the_same_until_it_is_mended(found: Found) -> None:
    """Exit code 1 and the same story with the bug; exit code 0 without it."""
    file = found.finding["replay"]
    broken = explore(found.folder, "--replay", file, "--summary", "-", bug=BUG)
    assert broken.code == 1, broken
    summary = json.loads(broken.out)
    assert summary["story"] == found.finding["story"]
    assert "lost" in [problem["symptom"] for problem in summary["problems"]]
    assert broken.err.splitlines() == [*found.finding["story"], f"lost: {found.finding['said']}"]
    mended = explore(found.folder, "--replay", file, "--ui", "quiet")
    assert mended == (0, "nothing is wrong in this world now; when it was written: lost\n", "")
