"""`stockpipe invoke`: one tick now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from stockpipe.commands.cloud import EndpointUrl, Profile, Region, StackName, run_on_aws, say
from stockpipe.commands.types import parse_instant

if TYPE_CHECKING:
    from stockpipe.deploy.aws import Aws
    from stockpipe.deploy.ticks import TickResult

EPILOG = """Example:

stockpipe invoke --stack stockpipe

The same --time writes the same objects again, with the same bytes.

Exit codes: 0 the generator succeeded, 3 it failed, or AWS refused."""

Time = Annotated[
    float | None,
    typer.Option("--time", parser=parse_instant, metavar="TIME", help="The tick's time.  [default: now]"),
]


def invoke(
    *,
    stack: StackName,
    time: Time = None,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Invoke the generator once, as EventBridge does, and wait for its answer."""

    async def work(aws: Aws) -> TickResult:
        from simulator.base.clock import SystemClock
        from stockpipe.deploy.deployed import find
        from stockpipe.deploy.ticks import fire

        return await fire(aws, await find(aws, stack), SystemClock().now() if time is None else time)

    result = run_on_aws(region, profile, endpoint_url, work)
    for line in result.log:
        say(line)
    if result.error is not None:
        from simulator.base.errors import CouldNotFinish

        raise CouldNotFinish(f"the tick of {result.time} failed: {result.error}")
    typer.echo(json.dumps({"time": result.time, "result": result.payload}))
