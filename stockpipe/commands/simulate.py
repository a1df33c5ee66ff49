"""`stockpipe simulate`: the whole loop offline, live, and proven at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulator.base.collector import kept_for_good
from stockpipe.commands.options import Parameters, Runtime, Screenshot, Summary, Template, Ui
from stockpipe.commands.types import one_of, parse_duration, parse_instant

EPILOG = """Examples:

stockpipe simulate --ticks 3

stockpipe simulate --scenario burst

stockpipe simulate --source quotes/ --parameter TimestampFormat='%d.%m.%Y'

Exit codes: 0 proven, 1 not proven, 2 wrong input, 3 could not finish, 130 interrupted."""

Sources = Annotated[
    list[Path] | None,
    typer.Option("--source", metavar="PATH", help="Send real CSV files instead of the generator's; repeatable."),
]
MoreSources = Annotated[list[Path] | None, typer.Argument(metavar="[PATH]...", help="More files for --source.")]
Duration = Annotated[
    float | None,
    typer.Option(
        parser=parse_duration,
        metavar="DURATION",
        help="How long rows come in, in real time; 0s: until Ctrl-C.  [default: 60s; none with --ticks or --source]",
    ),
]
Ticks = Annotated[int | None, typer.Option(min=1, help="End the schedule after this many ticks.")]
Speed = Annotated[
    float | None,
    typer.Option(min=0.001, help="How many times faster the schedule's clock runs.  [default: 12]", show_default=False),
]
Start = Annotated[
    float | None,
    typer.Option(parser=parse_instant, metavar="TIME", help="The first tick's time.  [default: now]"),
]
Seed = Annotated[int | None, typer.Option(help="Drives all randomness.  [default: 0]", show_default=False)]
Files = Annotated[int | None, typer.Option(min=1, help="Objects a tick.  [default: the template's]")]
Rows = Annotated[int | None, typer.Option(min=1, help="Rows an object.  [default: the template's]")]
NoSchedule = Annotated[bool, typer.Option("--no-schedule", help="Fire no tick; put objects yourself, at the endpoint.")]
ScenarioName = Annotated[
    str | None,
    typer.Option("--scenario", metavar="NAME", help="burst, poison, outage, ... or a .yaml file; 'list' names all."),
]
Code = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        help="The package (zip or unpacked) that --runtime process runs; inline finds other handlers in it.",
    ),
]
Capacity = Annotated[
    str | None,
    typer.Option(metavar="aws|unlimited", help="The engine's write capacity.  [default: aws]", show_default=False),
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The endpoint's port; 0: any free one.")]
DrainTimeout = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="DURATION", help="How long the drain may take.  [default: 60s]"),
]
Ready = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write endpoint and resources as JSON once all exist.")
]
Hold = Annotated[bool, typer.Option("--hold", help="Keep the store up after the summary until Ctrl-C.")]
Logs = Annotated[Path | None, typer.Option(metavar="DIR", help="Write each environment's log stream to a file here.")]
Tail = Annotated[bool, typer.Option("--tail", help="Print the functions' log lines as they come (plain and quiet).")]


def simulate(
    paths: MoreSources = None,
    *,
    duration: Duration = None,
    ticks: Ticks = None,
    speed: Speed = None,
    start: Start = None,
    seed: Seed = None,
    files: Files = None,
    rows: Rows = None,
    source: Sources = None,
    no_schedule: NoSchedule = False,
    scenario: ScenarioName = None,
    template: Template = None,
    parameter: Parameters = None,
    runtime: Runtime = None,
    code: Code = None,
    capacity: Capacity = None,
    port: Port = 0,
    drain_timeout: DrainTimeout = None,
    ui: Ui = "auto",
    ready: Ready = None,
    summary: Summary = None,
    hold: Hold = False,
    logs: Logs = None,
    tail: Tail = False,
    screenshot: Screenshot = None,
) -> None:
    """Run the whole pipeline offline, with a live dashboard, and prove that no row was lost or invented."""
    with kept_for_good():
        from stockpipe.commands import simulate_run  # imports what a run needs; --help must not wait for it

    if scenario == "list":
        simulate_run.list_scenarios()
        return
    if paths and not source:
        raise typer.BadParameter(f"'{paths[0]}' is given without --source")
    options = simulate_run.SimulateOptions(
        duration_s=duration,
        ticks=ticks,
        speed=speed,
        start_at=start,
        seed=seed,
        files=files,
        rows=rows,
        sources=(*(source or ()), *(paths or ())),
        schedule=False if no_schedule else None,
        scenario=scenario,
        template=template,
        parameters=dict(parameter or ()),
        runtime=one_of("--runtime", runtime, ("inline", "process")),
        code=code,
        capacity=one_of("--capacity", capacity, ("aws", "unlimited")),
        port=port,
        drain_timeout_s=drain_timeout,
        ui=one_of("--ui", ui, ("auto", "live", "plain", "quiet")) or "auto",
        ready=ready,
        summary=summary,
        hold=hold,
        logs=logs,
        tail=tail,
        screenshot=screenshot,
    )
    raise typer.Exit(simulate_run.run_simulate(options))
