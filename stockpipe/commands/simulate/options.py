"""The options of `stockpipe simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from stockpipe.commands.options import Options
from stockpipe.commands.parameters import ParameterFiles
from stockpipe.commands.values import (
    DURATION,
    INSTANT,
    Accept,
    Every,
    Parameters,
    Runtime,
    Screenshot,
    Summary,
    Template,
    Ui,
)


class SimulateOptions(Options):
    """A scenario sets those that the command line does not."""

    paths: Annotated[tuple[Path, ...], typer.Argument(metavar="[PATH]...", help="More files for --source.")] = ()
    duration_s: Annotated[
        float,
        DURATION,
        typer.Option(
            "--duration",
            help="How long rows come in, in real time; 0s: until Ctrl-C.",
            show_default="{}; none with --ticks or --source",
        ),
    ] = 60.0
    ticks: Annotated[int | None, typer.Option(min=1, help="End the schedule after this many ticks.")] = None
    speed: Annotated[float, typer.Option(min=0.001, help="How many times faster the schedule's clock runs.")] = 12
    start_at: Annotated[
        float | None, INSTANT, typer.Option("--start", help="The first tick's time.", show_default="now")
    ] = None
    seed: Annotated[int, typer.Option(help="Drives all randomness.")] = 0
    files: Annotated[int | None, typer.Option(min=1, help="Objects a tick.", show_default="the template's")] = None
    rows: Annotated[int | None, typer.Option(min=1, help="Rows an object.", show_default="the template's")] = None
    sources: Annotated[
        tuple[Path, ...],
        typer.Option("--source", metavar="PATH", help="Send real CSV files instead of the generator's; repeatable."),
    ] = ()
    skip_unreadable: Annotated[
        bool,
        typer.Option("--skip-unreadable", help="Leave out the files of --source that the consumer would not read."),
    ] = False
    no_schedule: Annotated[
        bool, typer.Option("--no-schedule", help="Fire no tick; put objects yourself, at the endpoint.")
    ] = False
    scenario: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="burst, poison, outage, ... or a .yaml file; 'list' names all."),
    ] = None
    slo: Annotated[
        tuple[str, ...],
        typer.Option(
            metavar="BOUND",
            help="'rejected<1%', 'rows_per_s>500', 'duration<2m', ...: sets the exit code; repeatable.",
        ),
    ] = ()
    template: Template = None
    parameters: Parameters = ()
    parameter_files: ParameterFiles = ()
    runtime: Runtime = "inline"
    code: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="The package (zip or unpacked) that --runtime process runs; inline finds other handlers in it.",
        ),
    ] = None
    capacity: Annotated[Literal["aws", "unlimited"], typer.Option(help="The engine's write capacity.")] = "aws"
    port: Annotated[int, typer.Option(min=0, max=65535, help="The endpoint's port; 0: any free one.")] = 0
    drain_timeout_s: Annotated[
        float, DURATION, typer.Option("--drain-timeout", help="How long the drain may take.")
    ] = 60.0
    accept: Accept = ()
    ui: Ui = "auto"
    every_s: Every = 5.0
    ready: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write endpoint and resources as JSON once all exist.")
    ] = None
    summary: Summary = None
    hold: Annotated[
        bool,
        typer.Option(
            "--hold",
            help="Keep the store with bucket, queues and table up after the summary until Ctrl-C; nothing consumes.",
        ),
    ] = False
    logs: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write each environment's log stream to a file here.")
    ] = None
    tail: Annotated[
        bool, typer.Option("--tail", help="Print the functions' log lines as they come (plain and quiet).")
    ] = False
    screenshot: Screenshot = None
