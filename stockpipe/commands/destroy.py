"""`stockpipe destroy`: deletes everything, after showing what will be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulator.base.errors import ExitCode
from stockpipe.commands.cloud import AwsOptions, StackName, StackProgress, Yes, agrees, ask, located, on_aws, say
from stockpipe.commands.options import TYPED
from stockpipe.commands.taking import takes

if TYPE_CHECKING:
    from stockpipe.deploy.aws import Aws

EPILOG = """Example:

stockpipe destroy --stack stockpipe

If the table has deletion protection, nothing is removed.

Exit codes: 0 removed, 2 no such stack or a protected table, 3 AWS refused, 130 declined or interrupted."""


class DestroyOptions(AwsOptions):
    """Which stack to remove, and what else."""

    stack: StackName
    yes: Yes = False
    artifacts: Annotated[
        bool | None,
        TYPED,
        typer.Option(
            "--artifacts/--keep-artifacts",
            help="Also remove the bucket with the packages.",
            show_default="asks; kept with --yes",
        ),
    ] = None


@takes(DestroyOptions)
@on_aws
async def destroy(options: DestroyOptions, aws: Aws) -> None:
    """Show what will be lost, ask for the stack's name, empty the bucket, delete the stack and wait."""
    import asyncio

    from stockpipe.deploy import deployed as stacks
    from stockpipe.deploy import teardown

    stack = options.stack
    found = await stacks.find(aws, stack)
    losses = await teardown.losses(aws, found)
    say(f"stack {stack} in {aws.region} of account {aws.account}; this removes:")
    for line in losses:
        say(f"  {line}")
    if not options.yes and ask("type the stack's name to continue") != stack:
        say("that is not the stack's name; nothing was removed")
        raise typer.Exit(ExitCode.INTERRUPTED)
    try:
        with StackProgress(stack, len(found.resources)) as progress:
            await teardown.destroy(aws, found, on_event=progress, emptied=progress.emptied)
    except asyncio.CancelledError:
        say(f"only partly removed: `{located(f'stockpipe destroy --stack {stack}', options)}` continues from here")
        raise
    say(f"stack {stack} is removed")
    await _offer_artifacts(aws, options.artifacts, options.yes)


async def _offer_artifacts(aws: Aws, wanted: bool | None, yes: bool) -> None:
    from stockpipe.deploy import artifact

    bucket = artifact.bucket_name(aws)
    if wanted is False or not await artifact.bucket_exists(aws, bucket):
        return
    if wanted is None and not yes:
        wanted = agrees(f"remove {bucket} too? No stack needs it to run, and the next deploy creates it again")
    if wanted:
        await artifact.remove_bucket(aws, bucket)
        say(f"bucket {bucket} is removed")
    else:
        say(f"bucket {bucket} is kept; --artifacts removes it")
