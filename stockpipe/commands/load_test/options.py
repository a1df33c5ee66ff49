"""The options of `stockpipe load-test`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from simulator.base.quantities import parse_rate, rate_text
from stockpipe.commands.cloud import AwsOptions
from stockpipe.commands.options import Written
from stockpipe.commands.parameters import ParameterFiles
from stockpipe.commands.values import (
    DURATION,
    RATE,
    Accept,
    Every,
    Parameters,
    Runtime,
    Screenshot,
    Summary,
    Template,
    Ui,
)


def parse_ramp(text: str) -> tuple[float, float]:
    """`10/s..500/s` -> the two rates per second."""
    first, dots, last = text.partition("..")
    if not dots:
        raise ValueError(f"'{text}' is not a ramp; write 10/s..500/s")
    return parse_rate(first.strip()), parse_rate(last.strip())


def parse_steps(text: str) -> tuple[float, ...]:
    """`10/s,50/s,100/s` -> the rates per second."""
    return tuple(parse_rate(part.strip()) for part in text.split(","))


def ramp_text(rates: tuple[float, float]) -> str:
    """Two rates as `parse_ramp` reads them."""
    return "..".join(map(rate_text, rates))


def steps_text(rates: tuple[float, ...]) -> str:
    """Rates as `parse_steps` reads them."""
    return ",".join(map(rate_text, rates))


class LoadTestOptions(AwsOptions):
    """Where it is sent, the load, the consumer's settings, and what is written."""

    rate_per_s: Annotated[float, RATE, typer.Option("--rate", help="Objects arriving, by the clock.")] = 20.0
    rows: Annotated[int, typer.Option(min=1, help="Rows an object.")] = 100
    duration_s: Annotated[float, DURATION, typer.Option("--duration", help="How long objects arrive.")] = 30.0
    backlog: Annotated[
        int | None, typer.Option(min=1, help="Put so many objects before the consumer starts, and watch the drain.")
    ] = None
    ramp: Annotated[
        tuple[float, float] | None,
        Written(parse_ramp, "RATE..RATE", ramp_text),
        typer.Option(help="A straight line from one rate to another."),
    ] = None
    steps: Annotated[
        tuple[float, ...] | None,
        Written(parse_steps, "RATE,RATE,...", steps_text),
        typer.Option(help="Each rate for an equal share of the duration."),
    ] = None
    spike_per_s: Annotated[
        float | None, RATE, typer.Option("--spike", help="This rate in the middle fifth, --rate before and after.")
    ] = None
    poisson: Annotated[bool, typer.Option("--poisson", help="Arrivals at random, at the same mean rate.")] = False
    find_max: Annotated[
        bool, typer.Option("--find-max", help="Search the highest rate that keeps the latency bound of --slo (p99<5s).")
    ] = False
    target: Annotated[
        Literal["store", "sink"],
        typer.Option(help="The twin's store, or a sink that takes everything and keeps counts only."),
    ] = "store"
    sink_latency_s: Annotated[
        float, DURATION, typer.Option("--sink-latency", help="What the sink waits before it answers.")
    ] = 0.0
    endpoint_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Another engine on this machine instead of the twin's store.")
    ] = None
    stack: Annotated[
        str | None, typer.Option("--stack", metavar="NAME", help="A deployed stack, on AWS: costs money.")
    ] = None
    region: Annotated[
        str | None, typer.Option(help="AWS region, with --stack.", show_default="as the AWS CLI finds it")
    ] = None
    profile: Annotated[
        str | None, typer.Option(help="AWS profile, with --stack.", show_default="as the AWS CLI finds it")
    ] = None
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --stack: do not ask.")] = False
    slo: Annotated[
        tuple[str, ...],
        typer.Option(
            metavar="BOUND",
            help="'p99<5s', 'rows_per_s>2000', 'rejected<1%', ...: sets the exit code; repeatable.",
        ),
    ] = ()
    accept: Accept = ()
    audit: Annotated[
        Literal["full", "sample", "none"],
        typer.Option(
            help="Prove every row, or those of a twentieth of the objects; 'none': the bounds alone decide.",
            show_default="{}; none with --target sink and --stack",
        ),
    ] = "full"
    seed: Annotated[int, typer.Option(help="Drives all randomness.")] = 0
    runtime: Runtime = "inline"
    concurrency: Annotated[
        int | None, typer.Option(help="The mapping's maximum concurrency.", show_default="the template's")
    ] = None
    batch_size: Annotated[int | None, typer.Option(help="Messages a batch.", show_default="the template's")] = None
    window_s: Annotated[
        float | None, DURATION, typer.Option("--window", help="The batching window.", show_default="the template's")
    ] = None
    memory_mb: Annotated[
        int | None, typer.Option("--memory", help="The consumer's memory in MB.", show_default="the template's")
    ] = None
    template: Template = None
    parameters: Parameters = ()
    parameter_files: ParameterFiles = ()
    drain_timeout_s: Annotated[float, DURATION, typer.Option("--drain-timeout", help="How long a drain may take.")] = (
        120.0
    )
    port: Annotated[int, typer.Option(min=0, max=65535, help="The store's port; 0: any free one.")] = 0
    ui: Ui = "auto"
    every_s: Every = 5.0
    summary: Summary = None
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a page with charts that opens offline.")
    ] = None
    screenshot: Screenshot = None
