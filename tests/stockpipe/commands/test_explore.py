"""`stockpipe explore`: what it says, writes and ends with, and what it refuses in one line."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from simulator.explore import replay
from simulator.explore.case import WorldCase
from simulator.explore.replay import RecordedWorld
from stockpipe.commands.explore import run
from stockpipe.commands.explore.options import ExploreOptions

pytestmark = pytest.mark.usefixtures("unmeasured")

ROOT = Path(__file__).resolve().parents[3]
ORDERS = ROOT / "examples" / "orders"
Stockpipe = Callable[..., Any]
Start = Callable[..., Any]


def test_two_worlds_end_with_0_and_a_summary(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """JSON alone on standard output, what was found on standard error, no file of a finding, and the page."""
    ended = stockpipe("explore", "--worlds", "2", "--ui", "quiet", "--summary", "-", "--report", "page.html")
    assert ended.code == 0, ended.err
    found = ended.summary
    assert (found["command"], found["worlds"], found["failed_worlds"], found["findings"]) == ("explore", 2, 0, [])
    assert found["objects"] >= 20
    assert found["faults"]
    assert (found["options"]["seed"], found["options"]["worlds"], found["options"]["stop_after"]) == (0, 2, 1)
    said, page = ended.err.splitlines()
    assert said.startswith("2 worlds, ")
    assert said.endswith(": nothing was found")
    assert page == "the page: page.html"
    assert "2 worlds, no findings" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "tmp"]


def test_files_are_put_instead_of_the_mix(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """Exactly these, in each world; a tick's objects come besides."""
    (tmp_path / "data").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "data" / f"{name}.csv").write_text(f"ticker,timestamp\n{name},2026-01-01\n", encoding="utf-8")
    arguments = ("--worlds", "1", "--jobs", "1", "--faults", "sqs-out-of-order", "--ui", "quiet", "--summary", "-")
    ended = stockpipe("explore", *arguments, "--source", "data", "data/a.csv", "--duration", "1s")
    assert ended.code == 0, ended.err
    assert ended.summary["objects"] == 3 + 1
    assert ended.summary["options"]["source"] == ["data", "data/a.csv"]
    assert ended.summary["options"]["faults"] == ["sqs-out-of-order"]


def test_another_application_is_explored(stockpipe: Stockpipe) -> None:
    """Its messages are sent in each world, and its invariant holds there."""
    arguments = ("--template", str(ORDERS / "template.yaml"), "--send", str(ORDERS / "orders.jsonl"))
    invariant = ("--invariant", "invariants:every_order_once", "--faults", "dynamodb-answer-lost,sqs-delivered-twice")
    ended = stockpipe("explore", *arguments, *invariant, "--worlds", "2", "--ui", "quiet", "--summary", "-")
    assert ended.code == 0, ended.err
    found = ended.summary
    assert (found["worlds"], found["objects"], found["findings"]) == (2, 0, [])
    assert found["settlements"]["success"] >= 2 * 66
    assert found["faults"]
    assert found["options"]["invariant"] == ["invariants:every_order_once"]


def test_ctrl_c_ends_a_search_in_good_order(start: Start) -> None:
    """With 130 and what was covered; no process is left, though worlds were running."""
    running = start("explore", "--worlds", "1000000", "--jobs", "2", "--ui", "quiet", "--summary", "-")
    running.wait_for(lambda: len(running.children()) >= 2, "worlds")
    running.signal(signal.SIGINT)
    ended = running.finish()
    assert ended.code == 130, ended.err
    assert ended.summary["interrupted"]
    assert ended.summary["findings"] == []
    (said,) = ended.err.splitlines()
    assert said.startswith("interrupted after ")


# What it refuses


def refused(*arguments: str) -> str:
    """What is said, and nothing else is."""
    ended = CliRunner().invoke(app, ["explore", *arguments], env={"COLUMNS": "200", "TERM": "dumb"})
    assert (ended.exit_code, ended.stdout) == (2, ""), ended.output
    _, *hint = ended.stderr.splitlines()
    assert len(hint) <= 1
    assert all(line.startswith("  hint: ") for line in hint)
    return str(ended.stderr)


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a world, in the working directory."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "world-0.json"
    file.write_text(replay.text(RecordedWorld(WorldCase(0, 1.0, faults=()), "lost", "", {}, None, None, ())))
    return file


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--faults", "s3-slov"), "did you mean 's3-slow'?"),
        (("--faults", "s3-slow,dynamodb-throttle"), "did you mean 'dynamodb-throttled'?"),
        (("--faults", ","), "no kind of fault is named"),
        (("--step",), "'--step' only goes with '--replay'"),
        (("--speed", "2"), "'--speed' only goes with '--replay'"),
        (("--out", "no/such/folder"), "--out: there is no folder 'no/such/folder'"),
        (("data/a.csv",), "'data/a.csv' is given without --source"),
        (("--report", "-"), "'-' means standard output only for --summary"),
        (("--report", "no/such/page.html"), "'no/such/page.html' cannot be written"),
        (("--replay", "none.json"), "--replay: there is no file 'none.json'"),
        (("--template", "none.yaml"), "none.yaml"),
        (("--worlds", "0"), "--worlds"),
        (("--jobs", "0"), "--jobs"),
        (("--seed", "-1"), "--seed"),
        (("--stop-after", "-1"), "--stop-after"),
        (("--for", "soon"), "soon"),
        (("--for", "0s"), "'--for' is 0"),
        (("--duration", "0s"), "'--duration' is 0"),
        (("--duration", "long"), "long"),
        (("--invariant", "nothing"), "the invariant 'nothing' is not MODULE:FUNCTION"),
        (("--invariant", "no_such_module:check"), "no_such_module"),
        (("--parameter", "NoSuch=1"), "NoSuch"),
    ],
)
def test_a_wrong_option_is_one_line(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2 before any world is run, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    assert said in refused(*arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "option",
    [
        *("--worlds=2", "--for=2s", "--stop-after=2", "--report=page.html", "--faults=s3-slow", "--seed=0"),
        *(
            "--jobs=1",
            "--duration=10m",
            "--source=data",
            "--send=data.jsonl",
            "--to=Queue",
            "--skip-unreadable",
            "--out=.",
        ),
    ],
)
def test_what_only_a_search_has_does_not_go_with_a_replay(option: str, recorded: Path) -> None:
    """The options of the search are refused, not ignored."""
    said = refused("--replay", str(recorded), option)
    assert "--replay" in said
    assert option.partition("=")[0] in said


def test_a_file_is_not_written_over_what_is_read(recorded: Path) -> None:
    """The summary would replace the recording."""
    before = recorded.read_text()
    refused("--replay", str(recorded), "--summary", str(recorded))
    assert recorded.read_text() == before


def test_files_that_are_not_there_are_refused() -> None:
    """Before any world is run, in as many lines as there are files."""
    ended = CliRunner().invoke(app, ["explore", "--source", "no/such/folder"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "no/such/folder: it does not exist" in ended.stderr


def test_steps_need_a_terminal(recorded: Path) -> None:
    """There is none here."""
    assert "--step needs a terminal" in refused("--replay", str(recorded), "--step")


def test_a_pace_needs_a_terminal(recorded: Path) -> None:
    """There is nothing to watch here."""
    assert "--speed needs a terminal" in refused("--replay", str(recorded), "--speed", "60")


def test_so_much_that_no_world_should_hold_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte more than is allowed; exactly that many are not too many."""
    (tmp_path / "data").mkdir()
    for name in ("a", "b"):
        (tmp_path / "data" / f"{name}.csv").write_text("ticker,timestamp\nA,2026-01-01\n", encoding="utf-8")
    size = sum(file.stat().st_size for file in (tmp_path / "data").iterdir())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "MOST_BYTES", size - 1)
    assert "--source: each world would hold more than" in refused("--source", "data")
    monkeypatch.setattr(run, "MOST_BYTES", size)
    assert "none.json" in refused("--source", "data", "--invariant", "none.json:check")


@pytest.mark.parametrize(
    ("given", "variants", "timeouts"),
    [
        ((), 4, {None, "10"}),
        ((("ConsumerTimeout", "30"),), 4, {"30"}),
        ((("VisibilityTimeout", "600"),), 4, {None}),
        ((("FileCount", "2"),), 4, {None, "10"}),
        ((("BatchWriter", "signed"), ("RowsPerFile", "5"), ("ConsumerTimeout", "30")), 1, {"30"}),
    ],
)
def test_given_parameters_hold_in_all_variants(
    given: tuple[tuple[str, str], ...], variants: int, timeouts: set[str | None]
) -> None:
    """A timeout that is given is not paired with a short one of ours, with which no stack could be deployed."""
    chosen = run.variants_of(ExploreOptions(parameters=given))
    assert len(chosen) == variants
    assert all(dict(given).items() <= dict(each).items() for each in chosen)
    assert {each.get("ConsumerTimeout") for each in chosen} == timeouts


def test_a_template_in_which_nothing_happens_is_refused() -> None:
    """No world would show anything: how something would, is said."""
    said = refused("--template", str(ORDERS / "template.yaml"))
    assert "nothing would happen" in said
    assert "hint: add --source or --send" in said


def test_help_says_what_it_is() -> None:
    """With examples and exit codes."""
    ended = CliRunner().invoke(app, ["explore", "--help"], env={"COLUMNS": "120", "TERM": "dumb"})
    assert ended.exit_code == 0
    assert "stockpipe explore --worlds 1000" in ended.stdout
    assert "130 interrupted" in ended.stdout


def test_the_summary_goes_to_a_file(stockpipe: Stockpipe, tmp_path: Path) -> None:
    """And standard output has what was found then; a world with another first seed is another one."""
    arguments = ("--seed", "5", "--worlds", "1", "--faults", "tick-late", "--duration", "1s", "--ui", "quiet")
    ended = stockpipe("explore", *arguments, "--summary", "s.json", "--source", "data", "--skip-unreadable")
    assert ended.code == 2
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("ticker,timestamp\nA,2026-01-01\n", encoding="utf-8")
    ended = stockpipe("explore", *arguments, "--summary", "s.json", "--source", "data")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("1 world, ")
    assert json.loads((tmp_path / "s.json").read_text())["options"]["seed"] == 5
