"""`simulate --fault`: how faults are named, what is refused, and runs that they do not harm."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from simulator.base.errors import InputError
from simulator.faults import kinds
from stockpipe.commands.simulate import clocks
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.simulate.run import repeat_words, resolve

Start = Callable[..., Any]


def chosen(**given: Any) -> SimulateOptions:
    """The options with these on the command line."""
    return SimulateOptions().replaced(**given, given=frozenset(given))


def test_every_kind_is_listed_with_what_it_does_and_what_it_is_modelled_on() -> None:
    """Nothing is started, and no placeholder is left."""
    listed = CliRunner().invoke(app, ["simulate", "--fault", "s3-slow", "--fault", "list"])
    assert listed.exit_code == 0
    for kind in kinds.ALL.values():
        assert f"{kind.name} " in listed.stdout
        assert kind.meaning in listed.stdout
        assert f"({kind.source})" in listed.stdout
    assert "{}" not in listed.stdout
    assert "the connection breaks after 0% to 100% of the body" in listed.stdout


@pytest.mark.parametrize(
    ("fault", "lines"),
    [
        ("s3-slo-down", ["there is no fault 's3-slo-down'", "did you mean 's3-slow-down'?"]),
        ("", ["there is no fault ''", "`stockpipe simulate --fault list` lists them"]),
        ("list=1", ["there is no fault 'list'", "`stockpipe simulate --fault list` lists them"]),
        *(
            (f"s3-slow={share}", [f"'{share}' is not a share", "write 0.1 or 10%; the most is 1"])
            for share in ("", "0", "0%", "1.01", "101%", "-1", "nan", "1e-3", "9" * 400)
        ),
    ],
)
def test_what_is_no_fault_is_one_line_with_the_way_out(fault: str, lines: list[str]) -> None:
    """Exit code 2, and nothing is started."""
    ended = CliRunner().invoke(app, ["simulate", "--fault", fault])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [f"stockpipe: --fault: {lines[0]}", f"  hint: {lines[1]}"]


def test_faults_are_in_the_plan_and_in_the_command_that_repeats_the_run() -> None:
    """With their shares: a tenth unless it is said, and the last of several for a kind."""
    options = chosen(faults=(("s3-slow", 0.1), ("tick-twice", 0.5), ("s3-slow", 0.025)))
    _, plan = resolve(options)
    assert plan.faults == {"s3-slow": 0.025, "tick-twice": 0.5}
    words = repeat_words(options, plan)
    assert [word for before, word in pairwise(words) if before == "--fault"] == [
        "s3-slow=0.1",
        "tick-twice=0.5",
        "s3-slow=0.025",
    ]
    assert resolve(chosen())[1].faults == {}


def test_a_drain_after_faults_has_more_time() -> None:
    """Whatever failed comes again after the visibility timeout; what is said on the command line holds."""
    faults = (("s3-slow", 0.1),)
    assert resolve(chosen())[1].drain_timeout_s == 60
    assert resolve(chosen(faults=faults))[1].drain_timeout_s == clocks.FAULTY_DRAINS_S
    assert resolve(chosen(faults=faults, clock="virtual"))[1].drain_timeout_s == clocks.WORLD_DRAINS_S
    assert resolve(chosen(faults=faults, drain_timeout_s=7.0))[1].drain_timeout_s == 7


def test_clocks_of_their_own_need_processes_or_virtual_time(tmp_path: Path) -> None:
    """An environment inside this process has its clock; a scenario's fault is refused, too."""
    file, faults = tmp_path / "s.yaml", (("lambda-clock-apart", 0.1),)
    file.write_text("title: t\nsteps: [{faults: {lambda-clock-apart: 1, for: 1s}}]\n")
    ways: tuple[dict[str, Any], ...] = {"faults": faults}, {"scenario": str(file)}
    for given in ways:
        with pytest.raises(InputError, match=r"^'lambda-clock-apart' needs environments with clocks") as refused:
            resolve(chosen(**given))
        assert refused.value.hint == "write --runtime process, or --clock virtual"
        resolve(chosen(**given, runtime="process"))
        resolve(chosen(**given, clock="virtual"))


SMALL = ("simulate", "--ticks", "2", "--files", "3", "--rows", "20", "--summary", "-", "--ui", "plain")


@pytest.mark.parametrize(
    "how",
    [
        ("--clock", "virtual", "--fault", "s3-slow-down=30%", "--fault", "lambda-crash=30%"),
        ("--speed", "60", "--fault", "dynamodb-throttled-some=80%"),
        ("--speed", "60", "--runtime", "process", "--fault", "lambda-clock-apart=1"),
    ],
    ids=["virtual", "inline", "process"],
)
def test_a_run_with_faults_is_exact_and_says_what_struck(start: Start, how: tuple[str, ...]) -> None:
    """Every row is there, the summary counts the faults by kind, and standard error has no traceback.

    In real time nothing strikes that a retry may not survive: what fails comes again after minutes.
    """
    ended = start(*SMALL, "--fault", "sqs-out-of-order=1", *how).finish()
    summary, options = ended.summary, dict(ended.summary["options"]["fault"])
    assert (ended.code, summary["audit"]["verdict"], summary["audit"]["stored_rows"]) == (0, "exact", 120), ended.err
    assert summary["faults"].keys() == options.keys()
    assert all(summary["faults"].values())
    assert options["sqs-out-of-order"] == 1
    assert "Traceback" not in ended.err
    assert "fault: sqs-out-of-order strikes 100% of the times" in ended.err
    assert f"no more faults: {', '.join(options)}" in ended.err
    (line,) = [line for line in ended.err.splitlines() if line.startswith("  faults ")]
    assert f"sqs-out-of-order {summary['faults']['sqs-out-of-order']} time" in line
