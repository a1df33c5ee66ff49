"""Options as the words of a command line: what they set is what they held."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from stockpipe.commands.load_test.options import LoadTestOptions
from stockpipe.commands.options import Options
from stockpipe.commands.simulate.options import SimulateOptions
from stockpipe.commands.taking import takes


def read_back(options: Options) -> Options:
    """What a command is given by the words of all that `given` names."""
    seen: list[Options] = []

    @takes(type(options))
    def command(options: Options) -> None:
        seen.append(options)

    single = typer.Typer(add_completion=False)
    single.command()(command)
    ended = CliRunner().invoke(single, options.words(options.given), catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    return seen[0]


@pytest.mark.parametrize(
    "options",
    [
        SimulateOptions(given=frozenset()),
        SimulateOptions(
            duration_s=0.25, ticks=3, speed=0.5, start_at=1795339800.25, seed=-7, files=2, rows=9, no_schedule=True,
            given={"duration_s", "ticks", "speed", "start_at", "seed", "files", "rows", "no_schedule"},
        ),
        SimulateOptions(
            sources=(Path("-a b.csv"), Path("it's.csv")), paths=(Path("c.csv"), Path("-d.csv")), hold=True,
            parameters=(("TimestampFormat", "%d = %m"), ("BucketName", "")), ui="quiet", capacity="unlimited",
            code=Path("z"), port=8_000,
            given={"sources", "paths", "hold", "code", "parameters", "ui", "capacity", "port"},
        ),
        LoadTestOptions(
            rate_per_s=0.5, spike_per_s=200.0, window_s=3.0, sink_latency_s=0.008, slo=("p99<5s", "errors<1"), yes=True,
            poisson=True, given={"rate_per_s", "spike_per_s", "window_s", "sink_latency_s", "slo", "poisson", "yes"},
        ),
        LoadTestOptions(ramp=(10.0, 500.0), steps=(1.0, 1.5), given={"ramp", "steps"}),
    ],
)  # fmt: skip
def test_words_say_what_the_options_hold(options: Options) -> None:
    """Every kind of option, values with blanks, quotes and dashes, and arguments that look like options."""
    assert read_back(options) == options


def test_only_what_is_asked_for_is_said() -> None:
    """Neither a field that is not named, nor one without a value, nor a flag that is off."""
    options = SimulateOptions(seed=7, ticks=3, scenario="burst")
    assert options.words({"seed", "ready", "hold", "scenario"}) == ["--seed", "7", "--scenario", "burst"]
