"""The options of `stockpipe simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import typer

from stockpipe.commands import completion, values
from stockpipe.commands.options import Options, Written
from stockpipe.commands.parameters import ParameterFiles


class SimulateOptions(Options):
    """The options; a scenario sets those that the command line does not."""

    panels: ClassVar = {
        "What is sent": (
            *("duration_s", "ticks", "speed", "start_at", "seed", "files", "rows", "sources", "skip_unreadable"),
            *("messages", "event", "to", "no_schedule", "scenario"),
        ),
        "How it runs": (
            *("clock", "template", "parameters", "parameter_files", "runtime", "code", "no_build", "capacity"),
            *("faults", "port", "drain_timeout_s", "hold"),
        ),
        "What decides the exit code": ("slo", "accept", "invariants"),
        "What is shown and written": ("ui", "every_s", "ready", "summary", "logs", "tail", "screenshot"),
    }
    rivals: ClassVar = (
        frozenset({"duration_s", "ticks", "sources", "paths", "messages", "event"}),
        frozenset({"no_schedule", "ticks"}),
        frozenset({"tail", "ui=live"}),
        *(frozenset({"clock=virtual", other}) for other in ("runtime=process", "port", "hold", "ready")),
    )
    short: ClassVar = {"files": "FileCount", "rows": "RowsPerFile"}
    paths: Annotated[tuple[Path, ...], typer.Argument(metavar="PATH", help="More files for --source.")] = ()
    duration_s: Annotated[
        float,
        values.DURATION,
        typer.Option(
            "--duration",
            help="How long to generate data (wall clock, or virtual time); 0s means until Ctrl-C.",
            show_default="{}; none with --ticks or --source",
        ),
    ] = 60.0
    ticks: Annotated[int | None, typer.Option(min=1, help="End the schedule after this many ticks.")] = None
    speed: Annotated[
        float,
        typer.Option(
            min=0.001,
            metavar="FACTOR",
            help="How many times faster than real time the schedule runs; in virtual time, if given, what is shown.",
        ),
    ] = 12
    start_at: Annotated[
        float | None,
        values.INSTANT,
        typer.Option("--start", help="The first tick's time.", show_default="now; 2026-01-01 in virtual time"),
    ] = None
    seed: Annotated[int, typer.Option(help="Seed of everything random: the same seed makes the same data.")] = 0
    files: Annotated[int | None, typer.Option(min=1, help="Objects per tick.", show_default="the template's")] = None
    rows: Annotated[int | None, typer.Option(min=1, help="Rows per object.", show_default="the template's")] = None
    sources: Annotated[
        tuple[Path, ...],
        typer.Option(
            "--source",
            metavar="PATH",
            help="Put real files, or folders of them, instead of generated ones (the pipeline: CSV files); repeatable.",
        ),
    ] = ()
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Skip the files of --source that the consumer could not read.")
    ] = False
    messages: Annotated[
        tuple[Path, ...],
        typer.Option(
            "--send",
            metavar="FILE.jsonl",
            help="Send each line to the template's queue: a JSON string as its text, other JSON as it is; repeatable.",
        ),
    ] = ()
    event: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Invoke the template's function once with this event.")
    ] = None
    to: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The bucket, queue or function that gets --source, --send or --event, if several can."
        ),
    ] = None
    no_schedule: Annotated[
        bool, typer.Option("--no-schedule", help="Do not run the schedule; upload objects yourself to the endpoint.")
    ] = False
    scenario: Annotated[
        str | None,
        Written(str, "NAME", is_file=lambda text: text.endswith((".yaml", ".yml"))),
        typer.Option(
            metavar="NAME",
            help="A prepared run, such as burst, poison or outage, or a .yaml file; 'list' lists them.",
            autocompletion=completion.scenarios,
        ),
    ] = None
    slo: Annotated[
        tuple[str, ...],
        typer.Option(
            metavar="BOUND",
            help="A bound that decides the exit code, such as 'rejected<1%' or 'duration<2m'; repeatable.",
            autocompletion=completion.figures,
        ),
    ] = ()
    clock: values.RunClock = "real"
    template: values.Template = None
    parameters: values.Parameters = ()
    parameter_files: ParameterFiles = ()
    runtime: values.Runtime = "inline"
    code: values.Code = None
    no_build: values.NoBuild = False
    capacity: Annotated[
        Literal["aws", "unlimited"], typer.Option(help="The store's capacity: AWS's limits, or none.")
    ] = "aws"
    faults: Annotated[
        tuple[tuple[str, float], ...],
        values.FAULT,
        typer.Option(
            "--fault",
            help="Let this kind of fault strike 10% of the times that it can, or the given SHARE (30%, 0.3), until all "
            "is sent, and for a minute at most after that. 'list' shows the kinds; repeatable.",
            autocompletion=completion.faults,
        ),
    ] = ()
    port: Annotated[int, typer.Option(min=0, max=65535, help="The endpoint's port; 0 uses any free one.")] = 0
    drain_timeout_s: Annotated[
        float,
        values.DURATION,
        typer.Option(
            "--drain-timeout",
            help="How long to wait for the queue to empty (with --fault 15m, in virtual time 1h, unless given).",
        ),
    ] = 60.0
    accept: values.Accept = ()
    invariants: Annotated[
        tuple[str, ...],
        typer.Option(
            "--invariant",
            metavar="MODULE:FUNCTION",
            help="A function that asserts what must hold at the end, beside the template or here; repeatable.",
        ),
    ] = ()
    ui: values.Ui = "auto"
    every_s: values.Every = 5.0
    ready: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the endpoint and the resources as JSON once all exist.")
    ] = None
    summary: values.Summary = None
    hold: Annotated[
        bool,
        typer.Option(
            "--hold",
            help="Keep the store with its resources up after the summary, until Ctrl-C; the consumer has stopped.",
        ),
    ] = False
    logs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the log of each execution environment to a file in this folder."),
    ] = None
    tail: Annotated[
        bool, typer.Option("--tail", help="Print the functions' log lines as they come (with --ui plain or quiet).")
    ] = False
    screenshot: values.Screenshot = None
