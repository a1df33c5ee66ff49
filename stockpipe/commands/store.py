"""`stockpipe store`: the store alone, for any AWS SDK or the AWS CLI."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from stockpipe.commands.options import Options, takes

EPILOG = """Example:

stockpipe store --port 5000

aws --endpoint-url http://127.0.0.1:5000 s3 mb s3://prices

Exit codes: 0 stopped with Ctrl-C or SIGTERM, 2 the port is taken, 3 the store died."""


class StoreOptions(Options):
    """Where the store listens, and how much like AWS it answers."""

    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port on the loopback interface; 0 takes any free one.")
    ] = 5000
    capacity: Annotated[
        Literal["unlimited", "aws"],
        typer.Option(help="aws: DynamoDB's write and read units and S3's request rates, with AWS's refusals."),
    ] = "unlimited"
    strict: Annotated[bool, typer.Option(help="Refuse what AWS refuses; --no-strict answers as moto does.")] = True


@takes(StoreOptions)
def store(options: StoreOptions) -> None:
    """Serve S3, SQS and DynamoDB on one loopback endpoint until Ctrl-C.

    Any credentials are accepted; region us-east-1, account 123456789012. What is stored is gone at the end.
    """
    import asyncio

    asyncio.run(_serve(options))


async def _serve(options: StoreOptions) -> None:
    import asyncio
    import contextlib
    import signal
    import sys

    from simulator.store import Store

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with Store.open(port=options.port, capacity=options.capacity, strict=options.strict) as running:
        rules = "AWS's rules" if options.strict else "moto's own answers"
        limits = "AWS's capacity" if options.capacity == "aws" else "unlimited capacity"
        typer.echo(f"endpoint {running.endpoint}")
        typer.echo(f"S3, SQS and DynamoDB with {rules} and {limits}; Ctrl-C ends it", err=True)
        sys.stdout.flush()
        died, stopped = asyncio.ensure_future(running.wait_died()), asyncio.ensure_future(stop.wait())
        await asyncio.wait({died, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        died.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await died
