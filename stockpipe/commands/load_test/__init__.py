"""`stockpipe load-test`: what the pipeline holds, and what holds it back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stockpipe.commands.options import Parameters, Runtime, Screenshot, Summary, Template, Ui
from stockpipe.commands.types import one_of, parse_duration, parse_rate

EPILOG = """Examples:

stockpipe load-test --rate 20/s --rows 100 --duration 30s --slo 'p99<5s' --report load.html

stockpipe load-test --backlog 10000 --rows 1

stockpipe load-test --target sink --sink-latency 8ms --ramp 10/s..500/s

stockpipe load-test --find-max

Exit codes: 0 proven and within thresholds, 1 not proven or a threshold missed, 2 wrong input, 3 could not finish, 130
interrupted."""


def parse_ramp(text: str | tuple[float, float]) -> tuple[float, float]:
    """`10/s..500/s` -> the two rates a second."""
    if not isinstance(text, str):
        return text
    first, dots, last = text.partition("..")
    if not dots:
        raise typer.BadParameter(f"'{text}' is not a ramp; write 10/s..500/s")
    return parse_rate(first.strip()), parse_rate(last.strip())


def parse_steps(text: str | tuple[float, ...]) -> tuple[float, ...]:
    """`10/s,50/s,100/s` -> the rates a second."""
    if not isinstance(text, str):
        return text
    return tuple(parse_rate(part.strip()) for part in text.split(","))


Rate = Annotated[
    float | None,
    typer.Option(parser=parse_rate, metavar="RATE", help="Objects arriving, by the clock.  [default: 20/s]"),
]
Rows = Annotated[int, typer.Option(min=1, help="Rows an object.")]
Duration = Annotated[
    float, typer.Option(parser=parse_duration, metavar="DURATION", help="How long objects arrive.", show_default="30s")
]
Backlog = Annotated[
    int | None, typer.Option(min=1, help="Put so many objects before the consumer starts, and watch the drain.")
]
Ramp = Annotated[
    Any, typer.Option(parser=parse_ramp, metavar="RATE..RATE", help="A straight line from one rate to another.")
]
Steps = Annotated[
    Any, typer.Option(parser=parse_steps, metavar="RATE,RATE,...", help="Each rate for an equal share of the duration.")
]
Spike = Annotated[
    float | None,
    typer.Option(parser=parse_rate, metavar="RATE", help="This rate in the middle fifth, --rate before and after."),
]
Poisson = Annotated[bool, typer.Option("--poisson", help="Arrivals at random, at the same mean rate.")]
FindMax = Annotated[
    bool, typer.Option("--find-max", help="Search the highest rate that keeps the latency bound of --slo (p99<5s).")
]
Target = Annotated[
    str | None,
    typer.Option(
        metavar="store|sink",
        help="The twin's store, or a sink that takes everything and keeps counts only.  [default: store]",
        show_default=False,
    ),
]
SinkLatency = Annotated[
    float | None,
    typer.Option(
        parser=parse_duration, metavar="DURATION", help="What the sink waits before it answers.  [default: 0s]"
    ),
]
EndpointUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Another engine on this machine instead of the twin's store.")
]
StackName = Annotated[
    str | None, typer.Option("--stack", metavar="NAME", help="A deployed stack, on AWS: costs money.")
]
Region = Annotated[str | None, typer.Option(help="AWS region, with --stack.  [default: as the AWS CLI finds it]")]
Profile = Annotated[str | None, typer.Option(help="AWS profile, with --stack.  [default: as the AWS CLI finds it]")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="With --stack: do not ask.")]
Slo = Annotated[
    list[str] | None,
    typer.Option("--slo", metavar="BOUND", help="'p99<5s', 'rows_per_s>2000', ...: sets the exit code; repeatable."),
]
Seed = Annotated[int, typer.Option(help="Drives all randomness.")]
Concurrency = Annotated[int | None, typer.Option(help="The mapping's maximum concurrency.  [default: the template's]")]
BatchSize = Annotated[int | None, typer.Option(help="Messages a batch.  [default: the template's]")]
Window = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="DURATION", help="The batching window.  [default: the template's]"),
]
Memory = Annotated[int | None, typer.Option(help="The consumer's memory in MB.  [default: the template's]")]
DrainTimeout = Annotated[
    float,
    typer.Option(parser=parse_duration, metavar="DURATION", help="How long a drain may take.", show_default="2m"),
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The store's port; 0: any free one.")]
Report = Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a page with charts that opens offline.")]


def load_test(
    *,
    rate: Rate = None,
    rows: Rows = 100,
    duration: Duration = 30.0,
    backlog: Backlog = None,
    ramp: Ramp = None,
    steps: Steps = None,
    spike: Spike = None,
    poisson: Poisson = False,
    find_max: FindMax = False,
    target: Target = None,
    sink_latency: SinkLatency = None,
    endpoint_url: EndpointUrl = None,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    yes: Yes = False,
    slo: Slo = None,
    seed: Seed = 0,
    runtime: Runtime = None,
    concurrency: Concurrency = None,
    batch_size: BatchSize = None,
    window: Window = None,
    memory: Memory = None,
    template: Template = None,
    parameter: Parameters = None,
    drain_timeout: DrainTimeout = 120.0,
    port: Port = 0,
    ui: Ui = "auto",
    summary: Summary = None,
    report: Report = None,
    screenshot: Screenshot = None,
) -> None:
    """Send objects by the clock, not by completions, and measure each from its planned instant to the table."""
    # These import what a run needs, and --help must not wait for that.
    from stockpipe.commands.load_test.outlet import LoadTestOptions
    from stockpipe.commands.load_test.run import run_load_test

    options = LoadTestOptions(
        rate_per_s=rate,
        rows=rows,
        duration_s=duration,
        backlog=backlog,
        ramp=ramp,
        steps=steps,
        spike_per_s=spike,
        poisson=poisson,
        find_max=find_max,
        target=one_of("--target", target, ("store", "sink")),
        sink_latency_s=sink_latency,
        endpoint_url=endpoint_url,
        stack=stack,
        region=region,
        profile=profile,
        yes=yes,
        slo=tuple(slo or ()),
        seed=seed,
        runtime=one_of("--runtime", runtime, ("inline", "process")) or "inline",
        concurrency=concurrency,
        batch_size=batch_size,
        window_s=window,
        memory_mb=memory,
        template=template,
        parameters=dict(parameter or ()),
        drain_timeout_s=drain_timeout,
        port=port,
        ui=one_of("--ui", ui, ("auto", "live", "plain", "quiet")) or "auto",
        summary=summary,
        report=report,
        screenshot=screenshot,
    )
    raise typer.Exit(run_load_test(options))
