"""`simulate --clock virtual`: what does not go with it, the plan that it gives, and one real run of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from simulator.base.errors import InputError
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.simulate.run import repeat_words, resolve

BEGINS_AT = 1_767_225_600
UNREACHABLE = "nothing outside can reach a run in virtual time"


def virtual(**given: Any) -> SimulateOptions:
    """The options with a virtual clock, and with these."""
    return chosen(clock="virtual", **given)


def chosen(**given: Any) -> SimulateOptions:
    """The options with these on the command line."""
    return SimulateOptions().replaced(**given, given=frozenset(given))


@pytest.mark.parametrize(
    ("given", "said", "hint"),
    [
        ({"runtime": "process"}, "'--runtime process' does not go with '--clock virtual'", "write --runtime inline"),
        ({"port": 8000}, f"'--port' does not go with '--clock virtual': {UNREACHABLE}", "leave out --port"),
        ({"hold": True}, f"'--hold' does not go with '--clock virtual': {UNREACHABLE}", "leave out --hold"),
        ({"ready": Path("r")}, f"'--ready' does not go with '--clock virtual': {UNREACHABLE}", "leave out --ready"),
        ({"no_schedule": True}, f"nothing is sent, and {UNREACHABLE}", "leave out --no-schedule, add --send"),
    ],
)
def test_what_needs_somebody_outside_is_refused(given: dict[str, Any], said: str, hint: str) -> None:
    """In one line each, with the way out: there is no store to reach, and no process but ours."""
    with pytest.raises(InputError) as refused:
        resolve(virtual(**given))
    (line,) = refused.value.args
    assert line.startswith(said)
    assert refused.value.hint is not None
    assert refused.value.hint.startswith(hint)
    resolve(chosen(**given))


def test_a_template_without_a_schedule_needs_something_sent(tmp_path: Path) -> None:
    """It would wait for ever; with a message it does not. Another application's handlers are in this process, too."""
    template, file = Path(__file__).parents[3] / "examples" / "orders" / "template.yaml", tmp_path / "m.jsonl"
    with pytest.raises(InputError, match=r"^nothing is sent, and nothing outside") as refused:
        resolve(virtual(template=template))
    assert refused.value.hint == "add --send, --source or --event, or write --clock real"
    file.write_text("{}\n")
    _, plan = resolve(virtual(template=template, messages=(file,), to="IncomingOrders"))
    assert (plan.clock, plan.messages, plan.runtime) == ("virtual", 1, "inline")


def test_a_configured_option_gives_way_to_a_typed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Defaults for runs in real time do not have to be taken back; the run fails for another reason here."""
    for name, value in (("HOLD", "true"), ("PORT", "8000"), ("READY", "r.json"), ("RUNTIME", "process")):
        monkeypatch.setenv(f"STOCKPIPE_SIMULATE_{name}", value)
    ended = CliRunner().invoke(app, ["simulate", "--clock", "virtual", "--no-schedule"])
    assert (ended.exit_code, ended.stderr.splitlines()[0]) == (2, f"stockpipe: nothing is sent, and {UNREACHABLE}")


def test_the_schedule_is_on_the_virtual_clock() -> None:
    """It begins at a fixed instant, or at --start, and no factor applies to it; --speed is for the display alone."""
    _, plan = resolve(virtual(duration_s=86_400.0, speed=600.0))
    assert (plan.clock, plan.started_at, plan.start_at) == ("virtual", BEGINS_AT, BEGINS_AT)
    assert (plan.speed, plan.duration_s, plan.runtime) == (1.0, 86_400.0, "inline")
    _, plan = resolve(virtual(start_at=BEGINS_AT + 3600.5))
    assert (plan.started_at, plan.start_at) == (BEGINS_AT + 3600, BEGINS_AT + 3600)
    _, plan = resolve(SimulateOptions())
    assert (plan.clock, plan.speed) == ("real", 12)
    assert plan.started_at > BEGINS_AT


def test_a_scenario_keeps_the_speed_that_its_steps_are_timed_for(tmp_path: Path) -> None:
    """Its own, or the default, whatever the pace of the display."""
    file = tmp_path / "s.yaml"
    steps = "steps: [{at: 0s, caption: It begins}]\n"
    for options, speed in (("", 12), ("options: {speed: 30}\n", 30)):
        file.write_text(f"title: A title\n{options}{steps}")
        _, plan = resolve(virtual(scenario=str(file), speed=600.0))
        assert (plan.speed, plan.clock) == (speed, "virtual")


def test_a_run_in_virtual_time_does_not_depend_on_who_looks_on() -> None:
    """In real time nobody reads captions with --ui quiet; a virtual run takes the time to read them all the same."""
    for mode in ("quiet", "plain"):
        assert resolve(virtual(ui=mode))[1].captions_read
    assert not resolve(SimulateOptions(ui="quiet"))[1].captions_read


def test_the_command_that_repeats_the_run_has_its_clock() -> None:
    """With its start, so that it is the same run on a later version with another default."""
    options = virtual(ticks=3)
    words = repeat_words(options, resolve(options)[1])
    said = " ".join(words)
    assert "--clock virtual" in said
    assert "--start 2026-01-01T00:00:00Z" in said


def test_a_load_test_is_in_real_time() -> None:
    """Exit code 2, and the command that has a virtual clock."""
    ended = CliRunner().invoke(app, ["load-test", "--clock", "virtual"])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [
        "stockpipe: '--clock virtual': load-test measures this machine in real time",
        "  hint: use `stockpipe simulate --clock virtual`",
    ]


FORKED = """
import os, sys
from pathlib import Path
import simulator.world.world
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.simulate.run import run_simulate

given = dict(clock="virtual", ticks=2, files=2, rows=5, ui="quiet")
for name, seed in (("a", 1), ("b", 1), ("c", 2)):
    if not (child := os.fork()):
        options = SimulateOptions(**given, seed=seed, summary=Path(name), given={"clock", "ticks", "files", "rows"})
        os._exit(run_simulate(options))
    assert os.waitpid(child, 0)[1] == 0
"""


def test_a_run_in_virtual_time(tmp_path: Path, unmeasured: None) -> None:
    """It is proven, its summary says what a real one does, and figures of the machine are in one place."""
    del unmeasured
    ended = subprocess.run([sys.executable, "-c", FORKED], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "verdict exact\n" * 3), ended.stderr
    one, same, other = (json.loads((tmp_path / name).read_text()) for name in "abc")
    assert (one["audit"]["verdict"], one["audit"]["stored_rows"]) == ("exact", 20)
    assert (one["endpoint"], one["started_at"]) == (None, "2026-01-01T00:00:00.000Z")
    assert (one["options"]["clock"], one["options"]["speed"], one["options"]["runtime"]) == ("virtual", 1.0, "inline")
    assert 60 < one["duration_s"] < 120
    assert one.pop("machine").keys() == same.pop("machine").keys() == {"wall_s", "cpu_s", "memory_mb"}
    assert one["observations"]["count"] > 100
    assert one["observations"] != other["observations"]
    assert json.dumps(one) == json.dumps(same)
