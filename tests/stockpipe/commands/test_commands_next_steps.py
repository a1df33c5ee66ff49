"""What is printed to be done next can be done as it is printed: each command is read by the command line."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

import cli
from simulator.run.advice import Situation, advice
from simulator.run.command_line import broken, quoted
from simulator.stack import template
from stockpipe.commands import cloud, deploy
from stockpipe.commands.load_test.options import LoadTestOptions
from stockpipe.commands.load_test.outlet import repeat_words as load_words
from stockpipe.commands.options import Options
from stockpipe.commands.parameters import ParameterFile
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.simulate.run import repeat_words, resolve

GROUP: Any = typer.main.get_command(cli.app)


def read(command: str) -> dict[str, Any]:
    """The values of a command as a shell and the command line read it. Raises for one that is not whole."""
    program, name, *words = shlex.split(command)
    assert program == "stockpipe"
    with GROUP.make_context("stockpipe", [name, *words]) as context:
        made = GROUP.commands[name].make_context(name, words, parent=context)
    values: dict[str, Any] = made.params
    return values


def failing() -> dict[str, Any]:
    """A summary in which everything failed that can be advised on."""
    cause = {"permanent": None, "count": 3, "parameter": None, "deleted": 0, "remaining": 1, "dead_lettered": 2}
    nearest = "TIMESTAMP_COLUMN 'Trade Dat' is not among the columns a,b; the nearest is 'Trade Date'"
    return {
        "interrupted": False,
        "endpoint": "http://127.0.0.1:4100",
        "resources": {"bucket": "b", "table": "StockData", "dlq_url": "http://dlq"},
        "queue": {"remaining": 9, "dead_lettered": 2},
        "consumer": {"throttles": 0, "concurrency_max": 3},
        "table": {"throttled_requests": 4},
        "audit": {"verdict": "differs", "expected_rows": 5, "rejected": 2},
        "tick_failures": [{"reason": "x", "count": 1}],
        "failures": [
            {**cause, "reason": "KeyError", "outcome": "error"},
            {
                **cause,
                "reason": nearest,
                "outcome": "batch item failure",
                "permanent": True,
                "parameter": "TimestampColumn",
            },
            {**cause, "reason": "slow", "outcome": "batch item failure"},
        ],
        "rejections": [{"reason": nearest, "count": 2, "parameter": "TimestampColumn"}],
    }


@pytest.mark.parametrize(
    "options",
    [
        SimulateOptions(),
        SimulateOptions(
            sources=(Path("-a b.csv"), Path("it's.csv")), paths=(Path("-d.csv"),), ui="plain", drain_timeout_s=0.25,
            parameters=(("TimestampFormat", "%d.%m.%Y %H"), ("TimestampColumn", "x")), slo=("rejected<1%",), port=5000,
            given={"sources", "paths", "ui", "drain_timeout_s", "parameters", "slo", "port"},
        ),
        SimulateOptions(scenario="burst", runtime="process", given={"scenario", "runtime"}, ),
        LoadTestOptions(rate_per_s=0.5, spike_per_s=9.0, slo=("p99<5s",), given={"rate_per_s", "spike_per_s", "slo"}),
    ],
)  # fmt: skip
def test_each_command_to_do_next_is_whole(options: Options) -> None:
    """With all that was given, quoted for the shell, on one line and broken over several."""
    if isinstance(options, LoadTestOptions):
        words, keeps = load_words(options), ()
    else:
        assert isinstance(options, SimulateOptions)
        plain = options.replaced(sources=(), paths=())
        words, keeps = repeat_words(options, resolve(plain)[1]), ("--hold",)
    logs = ("--logs", "logs") if keeps else ()
    situation = Situation(template.load(), words, 60.0, keeps, logs)
    commands = [step.command for step in advice(failing(), situation) if step.command]
    assert len(commands) >= (4 if keeps else 2)
    before = read(quoted(words))
    for command in commands:
        values = read(command)
        assert values == read(" ".join(line.removesuffix("\\") for line in broken(command, 40)))
        changed = {name for name, value in values.items() if value != before[name]}
        assert changed <= {"drain_timeout_s", "parameters", "hold", "logs"}


def test_a_pipe_of_parameters_is_gone_when_the_command_is_followed() -> None:
    """Its parameters are in the command, below those that were given by name; a file stays a file."""
    files = (
        ParameterFile(Path("/dev/null"), {"FileCount": "3", "Seed": "4"}),
        ParameterFile(Path(__file__), {"A": "1"}),
    )
    options = SimulateOptions(
        parameter_files=files, parameters=(("Seed", "5"),), given={"parameter_files", "parameters"}
    )
    words = repeat_words(options, resolve(SimulateOptions())[1])
    assert "/dev/null" not in words
    assert {"FileCount=3", "Seed=5", __file__} <= set(words)
    assert "Seed=4" not in words


def test_a_command_for_a_stack_says_where_it_is() -> None:
    """The region, the profile and the endpoint that were typed go with it, also into the AWS CLI's own."""
    typed = deploy.DeployOptions(
        stack="s", region="eu-central-1", profile="my team", given={"stack", "region", "profile"}
    )
    for command in deploy._NEXT:
        printed = cloud.located(f"stockpipe {command} --stack s", typed)
        values = read(printed)
        assert (values["stack"], values["region"], values["profile"]) == ("s", "eu-central-1", "my team")
    said = cloud.located("fix it, then run `stockpipe destroy --stack s` or `aws events enable-rule --name r`", typed)
    where = "--region eu-central-1 --profile 'my team'"
    assert (
        said == f"fix it, then run `stockpipe destroy --stack s {where}` or `aws events enable-rule --name r {where}`"
    )
    alone = deploy.DeployOptions(stack="s", given={"stack"})
    assert cloud.located("stockpipe destroy --stack s", alone) == "stockpipe destroy --stack s"


def test_commands_of_the_help_can_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example that a command's help shows is read by the command line."""
    monkeypatch.chdir(tmp_path)
    Path("quotes.json").write_text("{}", encoding="utf-8")
    for command in cli.app.registered_commands:
        examples = re.findall(r"(?m)^stockpipe .*$", command.epilog or "")
        assert examples
        for example in examples:
            read(example.partition(" >")[0])
