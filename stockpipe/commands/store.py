"""`stockpipe store`: runs only the store, for any AWS SDK or the AWS CLI."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Literal

import typer

from simulator.base.errors import Interrupted
from stockpipe.commands.options import Options
from stockpipe.commands.taking import takes

EPILOG = """Example:

stockpipe store --port 5000

aws --endpoint-url http://127.0.0.1:5000 s3 mb s3://prices

Exit codes: 0 stopped with Ctrl-C or SIGTERM, 2 the port is taken, 3 the store died or does not answer."""


class StoreOptions(Options):
    """The store's port, and how closely it follows AWS."""

    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port on the loopback interface; 0 uses any free one.")
    ] = 5000
    capacity: Annotated[
        Literal["unlimited", "aws"],
        typer.Option(help="With aws, DynamoDB's capacity units and S3's request rates are limited as on AWS."),
    ] = "unlimited"
    strict: Annotated[
        bool, typer.Option(help="Refuse what AWS refuses; with --no-strict, the store answers as moto does.")
    ] = True


@takes(StoreOptions)
def store(options: StoreOptions) -> None:
    """Serve S3, SQS and DynamoDB on one loopback endpoint until Ctrl-C.

    It accepts any credentials; the region is us-east-1, the account 123456789012. At the end, all data is lost.
    """
    from simulator.base import interrupts
    from simulator.base.usage import allow_open_files
    from stockpipe.commands.addresses import require_free_port

    require_free_port(options.port)
    allow_open_files()
    with suppress(Interrupted):
        interrupts.run(_until_it_dies(options))


async def _until_it_dies(options: StoreOptions) -> None:
    import sys

    from simulator.store import Store

    async with Store.open(port=options.port, capacity=options.capacity, strict=options.strict) as running:
        rules = "AWS's rules" if options.strict else "moto's own answers"
        limits = "AWS's capacity" if options.capacity == "aws" else "unlimited capacity"
        typer.echo(f"endpoint {running.endpoint}")
        typer.echo(f"S3, SQS and DynamoDB with {rules} and {limits}; Ctrl-C ends it", err=True)
        sys.stdout.flush()
        await running.wait_died()
