"""`stockpipe redrive`: shows what failed too often and why, and moves it back to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulator.base.errors import ExitCode
from simulator.base.words import counted
from stockpipe.commands.cloud import AwsOptions, StackName, Yes, confirm, located, on_aws, say
from stockpipe.commands.outputs import echo
from stockpipe.commands.taking import takes

if TYPE_CHECKING:
    from stockpipe.deploy.aws import Aws

EPILOG = """Example:

stockpipe redrive --stack stockpipe --sample 20

Fix the cause first; a message that keeps failing returns to the dead-letter queue after MaxReceiveCount deliveries.

Exit codes: 0 moved, or nothing to move; 3 AWS refused; 130 declined or interrupted."""


class RedriveOptions(AwsOptions):
    """The stack, and how many messages to show."""

    stack: StackName
    sample: Annotated[int, typer.Option(min=1, max=100, help="How many messages to show.")] = 10
    yes: Yes = False


@takes(RedriveOptions)
@on_aws
async def redrive(options: RedriveOptions, aws: Aws) -> None:
    """Show a sample of the dead-letter queue with the reasons, then move all its messages back to the queue."""
    from contextlib import aclosing

    from rich.console import Console

    from stockpipe.deploy import redrive as queues
    from stockpipe.deploy.deployed import address, find
    from stockpipe.deploy.status import queue_status

    deployed = await find(aws, options.stack)
    source = await address(aws, deployed.require("StockDLQ"))
    async with aclosing(queues.peek(aws, source, options.sample)) as letters:
        shown = [letter async for letter in letters]
    if not shown:
        say(f"{source.name} is empty: nothing to move")
        return
    count = max((await queue_status(aws, source)).messages, len(shown))
    say(f"{source.name} holds {counted(count, 'message')}; {len(shown)} of them:")
    for letter in shown:
        reason = await queues.find_reason(aws, deployed.get("ConsumerLogs"), letter.message_id)
        about = ", ".join(f"s3://{ref.bucket}/{ref.key}" for ref in letter.objects) or letter.body[:100]
        echo(f"{letter.sent}  {about}  {reason or 'no reason in the log'}")
    if not confirm(f"move all {count:,} back to the queue?", options.yes):
        say("nothing was moved")
        raise typer.Exit(ExitCode.INTERRUPTED)
    target = await address(aws, deployed.require("StockQueue"))
    with Console(stderr=True).status("moving") as status:
        moved = await queues.send_back(aws, source, target, lambda done: status.update(f"moved {done:,} of {count:,}"))
    how = f"`{located(f'stockpipe status --stack {options.stack}', options)}` shows the progress"
    say(f"moved {counted(moved, 'message')} back to {target.name}; {how}")
