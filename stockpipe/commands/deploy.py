"""`stockpipe deploy`: check, package and upload, show the change set, ask, and follow it to its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.base.errors import CouldNotFinish, ExitCode
from stockpipe.commands.cloud import AwsOptions, StackName, StackProgress, Yes, agrees, confirm, located, on_aws, say
from stockpipe.commands.options import TYPED
from stockpipe.commands.outputs import echo
from stockpipe.commands.parameters import ParameterFiles, parameters_of
from stockpipe.commands.taking import takes
from stockpipe.commands.values import PROGRAM, Parameters, Template

if TYPE_CHECKING:
    from stockpipe.deploy.aws import Aws
    from stockpipe.deploy.cloudformation import ChangeSet, DeployedStack

EPILOG = """Example:

stockpipe deploy --stack stockpipe --region eu-central-1 --parameter FileCount=10

A parameter that you do not set keeps its value in the stack, or has the template's default. A second stack in the
same region needs its own names: --parameter TableName=... and so on.

Exit codes: 0 deployed or nothing to change, 2 refused before anything was created, 3 AWS refused, 130 declined
or interrupted."""


_NEXT = {
    "invoke": "fires one tick now",
    "status": "shows queue, rows and alarms",
    "verify": "proves every row",
    "destroy": "removes everything",
}


class DeployOptions(AwsOptions):
    """What to deploy, and to which stack."""

    stack: StackName
    parameters: Annotated[Parameters, TYPED] = ()
    parameter_files: Annotated[ParameterFiles, TYPED] = ()
    template: Annotated[Template, TYPED] = None
    interpreter: Annotated[
        Path | None,
        PROGRAM,
        typer.Option(
            help="A Python of the stack's minor version, to precompile the code.", show_default="auto-detected"
        ),
    ] = None
    yes: Yes = False
    clean_up: Annotated[
        bool, TYPED, typer.Option("--clean-up", help="Delete what a failed creation leaves behind.")
    ] = False
    local_transform: Annotated[
        bool,
        TYPED,
        typer.Option("--local-transform", help="Do the serverless transform here, for endpoints without it."),
    ] = False


@takes(DeployOptions)
@on_aws
async def deploy(options: DeployOptions, aws: Aws) -> None:
    """Create or update the pipeline's stack on AWS, with the handlers and the template that simulate runs."""
    import asyncio

    from simulator.base.folders import OwnFolder
    from stockpipe.deploy import deployment
    from stockpipe.deploy.package import build_package

    stack = options.stack
    say(f"account {aws.account}, region {aws.region}, as {aws.caller}")
    draft = await deployment.check(aws, stack, options.template, parameters_of(options))
    for advice in draft.advice:
        say(f"advice: {advice.logical_id}: {advice.text}")
    with OwnFolder() as scratch:
        package = await asyncio.to_thread(
            build_package, scratch.path / "package.zip", draft.target, interpreter=options.interpreter, report=say
        )
        change_set = await deployment.propose(aws, draft, package, local_transform=options.local_transform, report=say)
    if change_set is None:
        say(f"stack {stack} is up to date: nothing to change")
        if draft.existing:
            _print_outputs(draft.existing)
        return
    if not await _agreed(aws, change_set, stack, options.yes):
        say("nothing was changed")
        raise typer.Exit(ExitCode.INTERRUPTED)
    made = await _execute(aws, change_set, options)
    await deployment.refuse_incomplete(aws, draft, made)
    _print_outputs(made)
    say("what to do next")
    for command, effect in _NEXT.items():
        say(located(f"  stockpipe {command} --stack {stack}", options) + f"  # {effect}")


async def _agreed(aws: Aws, change_set: ChangeSet, stack: str, yes: bool) -> bool:
    """Show the change set and ask; unless the answer is yes, delete it."""
    from stockpipe.deploy import cloudformation

    say(f"changes to stack {stack}:")
    for change in change_set.changes:
        replaced = "" if change.replacement in (None, "False") else f"  REPLACEMENT: {change.replacement}"
        say(f"  {change.action:<8}{change.logical_id}  {change.type}{replaced}")
    agreed = False
    try:
        agreed = confirm("deploy these changes?", yes)
    finally:
        if not agreed:
            await cloudformation.withdraw(aws, change_set)
    return agreed


async def _execute(aws: Aws, change_set: ChangeSet, options: DeployOptions) -> DeployedStack:
    """Execute the change set and follow it; `CouldNotFinish` names the first cause of a failure."""
    import asyncio

    from stockpipe.deploy import cloudformation

    stack, clean_up = options.stack, options.clean_up
    after = await cloudformation.last_event(aws, change_set.stack_id)
    await cloudformation.execute(aws, change_set)
    try:
        with StackProgress(stack, len(change_set.changes)) as progress:
            ended, events = await cloudformation.follow(aws, change_set.stack_id, after=after, on_event=progress)
    except asyncio.CancelledError:
        look = located(f"stockpipe status --stack {stack}", options)
        say(f"AWS continues on its own: `{look}` shows the result; then deploy again to resume")
        raise
    if ended is not None and cloudformation.has_succeeded(ended.status):
        return ended
    cause = cloudformation.first_cause(events)
    why = cause.text if cause else (ended.reason if ended else "the stack no longer exists")
    way_out = f"fix that and deploy again; the stack is as before ({ended.status if ended else 'deleted'})"
    if change_set.kind == "CREATE":
        if ended is not None and (clean_up or agrees(f"{why}\ndelete what is left of the stack?")):
            await (await aws.cloudformation()).delete_stack(StackName=change_set.stack_id)
            with StackProgress(stack, len(change_set.changes)) as progress:
                await cloudformation.follow(aws, change_set.stack_id, after=None, on_event=progress)
            way_out = "nothing is left of the stack; fix that and deploy again"
        else:
            way_out = f"fix that, run `stockpipe destroy --stack {stack}`, and deploy again"
    raise CouldNotFinish(f"the deployment failed at {why}", hint=way_out)


def _print_outputs(stack: DeployedStack) -> None:
    for name, value in stack.outputs.items():
        echo(f"{name:<20} {value}")
