"""A run says why messages failed, what to do about it, and does not wait for what cannot succeed."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from simulator.base.clock import SystemClock
from simulator.stack.packaged import packaged_template
from simulator.twin.surroundings import Machine
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.simulate.run import _SimulateOutlet, repeat_words, resolve
from stockpipe.commands.taking import takes

pytestmark = pytest.mark.usefixtures("unmeasured")

Stockpipe = Callable[..., Any]
SMALL = ("--ticks", "1", "--files", "2", "--rows", "2", "--summary", "-", "--ui", "plain")
HANDLERS = """
import json, time
from pipeline.consumer import handler as reads

def crashes(event, context):
    return event["Rows"]

def hangs(event, context):
    time.sleep(5)

def says_why(event, context):
    for record in event["Records"]:
        count = int(record["attributes"]["ApproximateReceiveCount"])
        line = {"message": "message failed", "messageId": record["messageId"], "receiveCount": count}
        line |= {"reason": "a\\x1b[2Jbad thing", "permanent": True, "setting": "TIMESTAMP_FORMAT"}
        print(json.dumps(line))
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}
"""


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str], tuple[str, ...]]:
    """`changed(old, new)`: options for the pipeline's template with a text replaced, and for handlers of one's own."""

    def changed(old: str, new: str) -> tuple[str, ...]:
        text = packaged_template().read_text(encoding="utf-8")
        assert old in text
        (tmp_path / "changed.yaml").write_text(text.replace(old, new), encoding="utf-8")
        (tmp_path / "mine.py").write_text(HANDLERS, encoding="utf-8")
        return ("--template", "changed.yaml", "--code", ".")

    return changed


def test_a_run_ends_when_all_that_is_left_failed_for_good(
    stockpipe: Stockpipe, tmp_path: Path, changed: Callable[[str, str], tuple[str, ...]]
) -> None:
    """A good file and one that nobody can read: no wait for a drain of a quarter of an hour, and it says why."""
    # What another handler would read is not known, so that nothing is refused beforehand.
    mine = changed("pipeline.consumer.handler", "mine.reads")
    (tmp_path / "quotes").mkdir()
    (tmp_path / "quotes" / "good.csv").write_text("ticker,date,price\nA,2026-01-01,1\n")
    (tmp_path / "quotes" / "bad.csv").write_text("a,b\n1,2\n")

    ended = stockpipe(
        *("simulate", "--source", "quotes", "--drain-timeout", "15m", "--ui", "plain", "--summary", "-"), *mine
    )

    summary, audit = ended.summary, ended.summary["audit"]
    assert (ended.code, audit["verdict"], audit["pending"]["objects"], audit["stored_rows"]) == (1, "unproven", 1, 1)
    (failure,) = summary["failures"]
    assert "no timestamp column in the header 'a,b'" in failure["reason"]
    assert (failure["permanent"], failure["count"], failure["remaining"]) == (True, 1, 1)
    assert failure["examples"] == [{"object": "stocks/source/bad.csv", "line": None, "cell": None}]
    assert "-- stocks/source/bad.csv failed for good: " in ended.err
    assert "-- all that is left failed for good: 1 message" in ended.err
    assert "1 message will never succeed: fix the object, or " in " ".join(ended.err.split())
    assert "--drain-timeout" not in summary["next_steps"][0]["text"]


def test_a_function_that_crashes_names_its_error_and_the_run_can_be_repeated(
    stockpipe: Stockpipe, changed: Callable[[str, str], tuple[str, ...]]
) -> None:
    """The last line of its traceback, and a command that, run as it is, fails on the same objects again."""
    mine = changed("pipeline.consumer.handler", "mine.crashes")
    first = stockpipe("simulate", *SMALL, *mine, "--drain-timeout", "1s", "--parameter", "TimestampFormat=%d %m %Y")

    (failure,) = first.summary["failures"]
    assert (failure["reason"], failure["permanent"], failure["count"]) == ("KeyError: 'Rows'", None, 2)
    assert first.code == 1
    assert "-- ConsumerLambda failed: KeyError: 'Rows'" in first.err
    (step, *_) = first.summary["next_steps"]
    assert "ConsumerLambda ended with an error (KeyError: 'Rows'): fix mine.crashes" in step["text"]
    second = stockpipe(*shlex.split(step["command"])[1:])
    (again,) = second.summary["failures"]
    assert {each["object"] for each in again["examples"]} == {each["object"] for each in failure["examples"]}
    assert second.summary["generated"] == first.summary["generated"]
    assert second.summary["options"] == first.summary["options"]


@pytest.mark.parametrize(
    ("old", "new", "parameters", "reason", "advice"),
    [
        (
            "pipeline.consumer.handler", "mine.hangs", ("ConsumerTimeout=1",),
            "Task timed out after 1.00 seconds", "did not return within 1 second",
        ),
        (
            "pipeline.consumer.handler", "mine.says_why", (),
            r"a\x1b[2Jbad thing", "set --parameter TimestampFormat=... to match it",
        ),
        (
            "BatchSize: !Ref BatchSize", "Enabled: false", (),
            None, "the event source mapping ConsumerLambdaBatch is disabled",
        ),
        (
            "pipeline.consumer.handler", "mine.crashes",
            ("ReservedConcurrency=0", "VisibilityTimeout=1", "ConsumerTimeout=1"),
            "throttled: ReservedFunctionConcurrentInvocationLimitExceeded", "--parameter ReservedConcurrency=...",
        ),
    ],
)  # fmt: skip
def test_each_cause_is_named(
    stockpipe: Stockpipe,
    changed: Callable[[str, str], tuple[str, ...]],
    old: str,
    new: str,
    parameters: tuple[str, ...],
    reason: str | None,
    advice: str,
) -> None:
    """Whatever keeps messages from being done: its reason in the JSON and the text, and what to do about it first."""
    options = [word for parameter in parameters for word in ("--parameter", parameter)]
    ended = stockpipe("simulate", *SMALL, *changed(old, new), "--drain-timeout", "1s", *options)

    summary = ended.summary
    assert (ended.code, summary["audit"]["verdict"], summary["queue"]["remaining"]) == (1, "unproven", 2)
    assert [(failure["reason"], failure["count"]) for failure in summary["failures"]] == [(reason, 2)] * bool(reason)
    assert advice in summary["next_steps"][0]["text"]
    shown = " ".join(ended.err.split())
    assert advice in shown
    assert reason is None or f"2 messages still in the queue: {reason}" in shown
    assert "\x1b" not in ended.err


@pytest.mark.parametrize(
    "options",
    [
        SimulateOptions(),
        SimulateOptions(ticks=3, seed=9, speed=120.0, given={"ticks", "seed", "speed"}),
        SimulateOptions(duration_s=0.0, no_schedule=True, port=8_123, given={"duration_s", "no_schedule", "port"}),
        SimulateOptions(scenario="poison", ticks=1, hold=True, given={"scenario", "ticks", "hold"}),
    ],
)
def test_the_command_that_repeats_a_run_makes_the_same_plan(options: SimulateOptions) -> None:
    """What was given, with the seed and the first tick's time, which were perhaps not given."""
    _, plan = resolve(options)
    words = repeat_words(options, plan)
    read: list[SimulateOptions] = []
    single = typer.Typer(add_completion=False)
    single.command()(takes(SimulateOptions)(read.append))
    assert CliRunner().invoke(single, words[2:]).exit_code == 0

    _, repeated = resolve(read[0])
    assert words[:2] == ("stockpipe", "simulate")
    assert dataclasses.replace(repeated, started_at=plan.started_at, start_at=plan.start_at, hold=plan.hold) == plan
    assert repeated.start_at == plan.start_at or not plan.fires
    assert not repeated.hold


@pytest.mark.parametrize(
    ("hold", "phase", "stays"), [(True, "done", True), (True, "auditing", False), (False, "done", False)]
)
def test_only_a_run_that_is_done_is_held(hold: bool, phase: str, stays: bool) -> None:
    """Whatever it proves; then nobody is advised to keep the store up, and the text says where it is."""
    plan: Any = SimpleNamespace(hold=hold, clock="real")
    telemetry: Any = SimpleNamespace(snapshot=lambda _: SimpleNamespace(phase=phase))
    place: Any = SimpleNamespace(surroundings=Machine(clock=SystemClock()), cadence=None)
    outlet = _SimulateOutlet(SimulateOptions(ui="quiet"), plan, telemetry, place)
    assert outlet._stays_up() is stays


def test_a_handler_that_gets_no_memory_is_not_the_inputs_fault(
    stockpipe: Stockpipe, changed: Callable[[str, str], tuple[str, ...]], tmp_path: Path
) -> None:
    """The machine has no more, or a limit: the run could not finish, as when any other part of it gets none."""
    mine = changed("Handler: pipeline.consumer.handler", "Handler: greedy.handler")
    (tmp_path / "greedy.py").write_text("raise MemoryError", encoding="utf-8")
    ended = stockpipe("simulate", *mine, *SMALL)
    assert ended.code == 3
    assert "stockpipe: ConsumerLambda cannot start: out of memory: " in ended.err


def test_a_setting_that_a_handler_refuses_ends_the_run(
    stockpipe: Stockpipe, changed: Callable[[str, str], tuple[str, ...]]
) -> None:
    """A handler that nobody knows fails at its init; the run ends with its own line, exit code 2."""
    mine = changed("Handler: pipeline.consumer.handler", "Handler: mine.reads")
    ended = stockpipe("simulate", *mine, "--parameter", "RejectedPrefix=stocks/bad/", *SMALL)

    assert ended.code == 2
    assert "ConsumerLambda cannot start: " in ended.err
    assert "REJECTED_PREFIX" in ended.err
    assert "Traceback" not in ended.err
