"""The options of `stockpipe load-test`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import typer

from simulator.base.errors import UnusableValueError
from simulator.base.quantities import parse_rate, rate_text
from stockpipe.commands import completion, values
from stockpipe.commands.cloud import NAME, AwsOptions
from stockpipe.commands.options import TYPED, Written
from stockpipe.commands.parameters import ParameterFiles


def parse_ramp(text: str) -> tuple[float, float]:
    """`10/s..500/s` -> the two rates per second."""
    first, dots, last = text.partition("..")
    if not dots:
        raise UnusableValueError(f"'{text}' is not a ramp", "write 10/s..500/s")
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


_LOAD = ("rate_per_s", "rows", "duration_s", "backlog", "ramp", "steps", "spike_per_s", "poisson", "find_max", "seed")
_COPIED = ("object_file", "message_file")
_SHORT = {
    "concurrency": "MaximumConcurrency",
    "batch_size": "BatchSize",
    "window_s": "BatchingWindow",
    "memory_mb": "ConsumerMemory",
}
_CONSUMER = ("template", "parameters", "parameter_files", "runtime", "code", "no_build", *_SHORT)
_AS_CLI = "as the AWS CLI finds it"


class LoadTestOptions(AwsOptions):
    """The load, its target, the consumer's settings, and the output."""

    panels: ClassVar = {
        "The load": (*_LOAD, *_COPIED, "to"),
        "Where it goes": (*("target", "sink_latency_s", "endpoint_url", "port", "stack", "region", "profile", "yes"),),
        "How the consumer runs": ("clock", *_CONSUMER, "drain_timeout_s"),
        "What decides the exit code": ("slo", "accept", "audit"),
        "What is shown and written": ("ui", "every_s", "summary", "report", "screenshot"),
    }
    rivals: ClassVar = (
        *(frozenset({"rate_per_s", shape}) for shape in ("ramp", "steps", "backlog", "find_max")),
        frozenset({"ramp", "steps", "spike_per_s", "backlog", "find_max"}),
        *(frozenset({"poisson", shape}) for shape in ("backlog", "find_max")),
        frozenset({"target", "endpoint_url", "stack"}),
        frozenset(_COPIED),
        *(frozenset({file, other}) for file in _COPIED for other in ("rows", "stack", "target=sink")),
        *(frozenset({file, f"audit={audited}"}) for file in _COPIED for audited in ("full", "sample")),
        # A deployed stack already has a consumer, and a load that costs money must be typed.
        *(frozenset({"stack", other}) for other in (*_LOAD, *_CONSUMER, "port", "audit")),
        *(frozenset({"target=sink", f"audit={audited}"}) for audited in ("full", "sample")),
    )
    short: ClassVar = _SHORT
    rate_per_s: Annotated[
        float,
        values.RATE,
        typer.Option("--rate", help="How many objects to send per second (or per minute: 30/m), by the clock."),
    ] = 20.0
    rows: Annotated[int, typer.Option(min=1, help="Rows per object.")] = 100
    duration_s: Annotated[float, values.DURATION, typer.Option("--duration", help="How long to send.")] = 30.0
    backlog: Annotated[
        int | None, typer.Option(min=1, help="Queue this many objects, then start the consumer and watch the drain.")
    ] = None
    ramp: Annotated[
        tuple[float, float] | None,
        Written(parse_ramp, "RATE..RATE", ramp_text),
        typer.Option(help="Raise the rate evenly from one rate to the other, as in 10/s..500/s."),
    ] = None
    steps: Annotated[
        tuple[float, ...] | None,
        Written(parse_steps, "RATE,RATE,...", steps_text),
        typer.Option(help="Use these rates one after the other, each for an equal share of the duration."),
    ] = None
    spike_per_s: Annotated[
        float | None,
        values.RATE,
        typer.Option("--spike", help="Use this rate in the middle fifth of the duration, and --rate before and after."),
    ] = None
    poisson: Annotated[bool, typer.Option("--poisson", help="Send at random instants, at the same mean rate.")] = False
    find_max: Annotated[
        bool,
        typer.Option(
            "--find-max", help="Search for the highest rate that still meets the latency target of --slo (p99<5s)."
        ),
    ] = False
    object_file: Annotated[
        Path | None,
        typer.Option(
            "--object",
            metavar="FILE",
            help="For another application: put copies of this file, with {n}, {uuid} and {timestamp} replaced.",
        ),
    ] = None
    message_file: Annotated[
        Path | None,
        typer.Option("--message", metavar="FILE", help="The same, as messages to the queue that its functions poll."),
    ] = None
    to: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The bucket for --object or the queue for --message, if there are several."),
    ] = None
    target: Annotated[
        Literal["store", "sink"],
        typer.Option(help="The store on this machine, or a sink that accepts everything and only counts."),
    ] = "store"
    sink_latency_s: Annotated[
        float, values.DURATION, typer.Option("--sink-latency", help="How long the sink waits before it answers.")
    ] = 0.0
    endpoint_url: Annotated[
        str | None,
        TYPED,
        typer.Option(metavar="URL", help="An AWS endpoint on this machine to use instead of our own store."),
    ] = None
    stack: Annotated[
        str | None,
        TYPED,
        NAME,
        typer.Option("--stack", metavar="NAME", help="Load a deployed stack on AWS, which costs money."),
    ] = None
    region: Annotated[
        str | None, TYPED, NAME, typer.Option(metavar="REGION", help="AWS region, with --stack.", show_default=_AS_CLI)
    ] = None
    profile: Annotated[
        str | None, TYPED, NAME, typer.Option(metavar="NAME", help="AWS profile, with --stack.", show_default=_AS_CLI)
    ] = None
    yes: Annotated[bool, TYPED, typer.Option("--yes", "-y", help="With --stack: do not prompt.")] = False
    slo: Annotated[
        tuple[str, ...],
        typer.Option(
            metavar="BOUND",
            help="A bound that decides the exit code, such as 'p99<5s' or 'rejected<1%'; repeatable.",
            autocompletion=completion.load_figures,
        ),
    ] = ()
    accept: values.Accept = ()
    audit: Annotated[
        Literal["full", "sample", "none"],
        typer.Option(
            help="Audit all rows, or those of a twentieth of the objects (20 to 2,000); 'none' proves nothing.",
            show_default="{}; none with --target sink and --stack",
        ),
    ] = "full"
    seed: Annotated[int, typer.Option(help="Seed of everything random: the same seed makes the same data.")] = 0
    runtime: values.Runtime = "inline"
    code: values.Code = None
    no_build: values.NoBuild = False
    concurrency: Annotated[
        int | None, typer.Option(help="How many consumers may run at once.", show_default="the template's")
    ] = None
    batch_size: Annotated[int | None, typer.Option(help="Messages per batch.", show_default="the template's")] = None
    window_s: Annotated[
        float | None,
        values.DURATION,
        typer.Option("--window", help="How long a batch may collect messages.", show_default="the template's"),
    ] = None
    memory_mb: Annotated[
        int | None, typer.Option("--memory", metavar="MB", help="The consumer's memory.", show_default="the template's")
    ] = None
    clock: values.RunClock = "real"
    template: values.Template = None
    parameters: values.Parameters = ()
    parameter_files: ParameterFiles = ()
    drain_timeout_s: Annotated[
        float, values.DURATION, typer.Option("--drain-timeout", help="How long to wait for the queue to empty.")
    ] = 120.0
    port: Annotated[int, typer.Option(min=0, max=65535, help="The store's port; 0 uses any free one.")] = 0
    ui: values.Ui = "auto"
    every_s: values.Every = 5.0
    summary: values.Summary = None
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a page with charts that opens offline.")
    ] = None
    screenshot: values.Screenshot = None
