"""The options of `stockpipe explore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

import typer

from simulator.base.errors import UnusableValueError
from simulator.faults import kinds
from stockpipe.commands import values
from stockpipe.commands.options import Options, Written
from stockpipe.commands.parameters import ParameterFiles


def parse_kinds(text: str) -> tuple[str, ...]:
    """Names of kinds of faults, joined by commas; the `ValueError` says which one may have been meant."""
    names = tuple(kinds.find(each).name for each in text.split(",") if each.strip())
    if not names:
        raise UnusableValueError("no kind of fault is named", "write dynamodb-throttled,s3-cut-short, for example")
    return names


SEARCH_ONLY = frozenset(
    {
        "worlds",
        "for_s",
        "stop_after",
        "jobs",
        "seed",
        "duration_s",
        "fault_kinds",
        "sources",
        "messages",
        "to",
        "skip_unreadable",
        "out",
        "report",
    }
)
"""What a search alone has: a world that is run again has its own."""
KINDS = Written(parse_kinds, "KIND,...", ",".join)


class ExploreOptions(Options):
    """The options."""

    panels: ClassVar = {
        "How much": ("worlds", "for_s", "stop_after", "jobs", "seed"),
        "What a world is": (
            *("duration_s", "fault_kinds", "sources", "messages", "to", "skip_unreadable"),
            *("template", "parameters", "parameter_files", "code", "no_build", "invariants"),
        ),
        "What is found": ("replay", "step", "ui", "speed", "out", "report", "summary"),
    }
    rivals: ClassVar = tuple(frozenset({"replay", other}) for other in SEARCH_ONLY)
    paths: Annotated[tuple[Path, ...], typer.Argument(metavar="PATH", help="More files for --source.")] = ()
    worlds: Annotated[
        int | None,
        typer.Option(min=1, help="How many worlds to run.", show_default="the first 100; with --for, no limit"),
    ] = None
    for_s: Annotated[
        float | None,
        values.DURATION,
        typer.Option("--for", help="How long to search, in real time; without it, as long as it takes."),
    ] = None
    stop_after: Annotated[
        int, typer.Option("--stop-after", min=0, help="End the search after this many different findings; 0: never.")
    ] = 1
    jobs: Annotated[
        int | None, typer.Option(min=1, max=256, help="Worlds at a time.", show_default="this machine's cores")
    ] = None
    seed: Annotated[int, typer.Option(min=0, help="The first world's seed; each world has the next one.")] = 0
    duration_s: Annotated[
        float,
        values.DURATION,
        typer.Option("--duration", help="How long faults strike in a world, in virtual time; then all must drain."),
    ] = 600.0
    fault_kinds: Annotated[
        tuple[str, ...] | None,
        KINDS,
        typer.Option(
            "--faults",
            help="Only these kinds of faults (`stockpipe docs exploring`).",
            show_default="the whole catalogue",
        ),
    ] = None
    sources: Annotated[
        tuple[Path, ...],
        typer.Option(
            "--source",
            metavar="PATH",
            help="Put these files, or folders of them, in each world instead of the built-in mix; repeatable.",
        ),
    ] = ()
    messages: Annotated[
        tuple[Path, ...],
        typer.Option(
            "--send", metavar="FILE.jsonl", help="Send each line to the template's queue in each world; repeatable."
        ),
    ] = ()
    to: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The bucket or queue that gets --source or --send, if several can."),
    ] = None
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Skip the files of --source that the consumer could not read.")
    ] = False
    template: values.Template = None
    parameters: values.Parameters = ()
    parameter_files: ParameterFiles = ()
    code: values.Code = None
    no_build: values.NoBuild = False
    invariants: Annotated[
        tuple[str, ...],
        typer.Option(
            "--invariant",
            metavar="MODULE:FUNCTION",
            help="A function that asserts what must hold in each world, beside the template or here; repeatable.",
        ),
    ] = ()
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Run the world of a finding again and print its story.")
    ] = None
    step: Annotated[
        bool, typer.Option("--step", help="With --replay: on the dashboard, step by step, a key for each.")
    ] = False
    ui: values.Ui = "auto"
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.001, metavar="FACTOR", help="With --replay --ui live: how many times faster than real time it goes."
        ),
    ] = None
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder for the files of findings, which --replay runs.")
    ] = Path()
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a page: findings, their pictures, and coverage.")
    ] = None
    summary: values.Summary = None
