"""`stockpipe invoke`: runs one tick now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.base.errors import CouldNotFinish
from stockpipe.commands.cloud import AwsOptions, StackName, on_aws, say
from stockpipe.commands.options import TYPED
from stockpipe.commands.taking import takes
from stockpipe.commands.values import INSTANT

if TYPE_CHECKING:
    from stockpipe.deploy.aws import Aws

EPILOG = """Example:

stockpipe invoke --stack stockpipe

The same --time writes the same objects again, byte for byte.

Exit codes: 0 the generator succeeded, 3 it failed, or AWS refused, 130 interrupted."""


class InvokeOptions(AwsOptions):
    """The stack, and the time of the tick."""

    stack: StackName
    tick_at: Annotated[
        float | None, TYPED, INSTANT, typer.Option("--time", help="The tick's time.", show_default="now")
    ] = None


@takes(InvokeOptions)
@on_aws
async def invoke(options: InvokeOptions, aws: Aws) -> None:
    """Invoke the generator once, as EventBridge does, and wait for its answer."""
    from stockpipe.deploy.deployed import find
    from stockpipe.deploy.ticks import fire

    tick_at = aws.clock.now() if options.tick_at is None else options.tick_at
    result = await fire(aws, await find(aws, options.stack), tick_at)
    for line in result.log:
        say(line)
    if result.error is not None:
        raise CouldNotFinish(f"the tick of {result.time} failed: {result.error}")
    typer.echo(json.dumps({"time": result.time, "result": result.payload}))
