"""`stockpipe verify`: runs the audit of `simulate` on a deployed stack."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.base.errors import ExitCode
from simulator.base.words import counted
from stockpipe.commands.cloud import AwsOptions, Json, StackName, Yes, confirm, located, on_aws, say
from stockpipe.commands.options import TYPED
from stockpipe.commands.outputs import echo
from stockpipe.commands.parameters import ParameterFiles, parameters_of
from stockpipe.commands.taking import takes
from stockpipe.commands.values import DURATION, Accept, Parameters

if TYPE_CHECKING:
    from simulator.base.observations import Observation
    from simulator.proof.account import Audit
    from stockpipe.deploy.aws import Aws
    from stockpipe.deploy.verification import Subject

EPILOG = """Example:

stockpipe verify --stack stockpipe --wait 10m

It reads objects as the deployed consumer does; --parameter and --parameters change that, and the run names each
difference.

It first prints what it will read and the cost, and asks if that exceeds --free. The schedule is paused meanwhile,
because a row that arrives during the audit would count as a difference.

Exit codes: 0 exact, 1 not proven, 2 wrong options, 3 AWS refused, 130 declined or interrupted."""


class VerifyOptions(AwsOptions):
    """The stack, and what the audit may cost."""

    stack: StackName
    wait_s: Annotated[float, DURATION, typer.Option("--wait", help="How long to wait for the queue to empty.")] = 300.0
    pause: Annotated[bool, TYPED, typer.Option(help="Disable the schedule's rule during the audit.")] = True
    free_usd: Annotated[
        float, TYPED, typer.Option("--free", metavar="USD", min=0, help="Run without asking up to this cost.")
    ] = 0.10
    parameters: Annotated[Parameters, TYPED] = ()
    parameter_files: Annotated[ParameterFiles, TYPED] = ()
    accept: Annotated[Accept, TYPED] = ()
    yes: Yes = False
    as_json: Json = False


@takes(VerifyOptions)
@on_aws
async def verify(options: VerifyOptions, aws: Aws) -> None:
    """Compare every row of every object in the bucket with the table, cell by cell."""
    from stockpipe.deploy import verification
    from stockpipe.deploy.deployed import find

    deployed = await find(aws, options.stack)
    subject = await verification.find_subject(aws, deployed)
    if parameters := parameters_of(options):
        subject, changed = verification.read_otherwise(subject, deployed, parameters)
        for line in changed:
            say(line)
    cost = await verification.estimate(aws, subject)
    say(
        f"this reads {counted(cost.objects, 'object')} ({counted(cost.object_bytes, 'byte')}) and about "
        f"{counted(cost.table_bytes, 'byte')} of the table: about {cost.usd:.4f} USD, "
        "without traffic out of the region"
    )
    if cost.usd > options.free_usd and not confirm("continue?", options.yes):
        raise typer.Exit(ExitCode.INTERRUPTED)
    async with verification.paused(aws, deployed.rule if options.pause else None) as was_running:
        if was_running:
            enable = located(f"aws events enable-rule --name {deployed.rule}", options)
            say(f"the schedule is paused; if this process is killed, enable it again: {enable}")
        settle_s = verification.SETTLE_S if was_running else 0.0
        result = await _audit(aws, subject, options, settle_s)
    if options.as_json:
        typer.echo(json.dumps({"schema": "stockpipe.verify/1", **dataclasses.asdict(result)}))
    else:
        _print(result)
    if result.verdict != "exact":
        raise typer.Exit(ExitCode.NOT_PROVEN)


async def _audit(aws: Aws, subject: Subject, options: VerifyOptions, settle_s: float) -> Audit:
    """Wait for an empty queue, then compare, and show the progress as lines or a bar."""
    from rich.progress import Progress

    from simulator.base.observations import AuditProgressed
    from simulator.base.terminal import visible_console
    from stockpipe.deploy import verification

    console = visible_console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        tasks = {"queue": progress.add_task("messages in the queue", total=None)}
        drained = await verification.wait_until_drained(
            aws,
            subject.queue,
            settle_s=settle_s,
            timeout_s=options.wait_s,
            progress=lambda depth: progress.update(tasks["queue"], description=f"messages in the queue: {depth:,}"),
        )
        progress.remove_task(tasks["queue"])

        def record(observation: Observation) -> None:
            if isinstance(observation, AuditProgressed):
                part = observation.part
                if part not in tasks:
                    tasks[part] = progress.add_task(part)
                progress.update(tasks[part], completed=observation.done, total=max(observation.total, 1))

        accepted = frozenset(options.accept)
        result = await verification.verify(aws, subject, drained=drained, accepted=accepted, record=record)
    if not drained:
        say("the queue did not empty in time, so nothing is proven; use --wait to wait longer")
    return result


def _print(result: Audit) -> None:
    figures: dict[str, Any] = dataclasses.asdict(result)
    differences, notes = figures.pop("differences"), figures.pop("notes")
    for name, value in figures.items():
        if isinstance(value, dict):
            at_rest = f"{counted(value['objects'], 'object')}, {counted(value['rows'], 'row')}"
            value = f"{at_rest}, {value['rows_stored']:,} stored"
        elif isinstance(value, int):
            value = f"{value:,}"
        elif isinstance(value, tuple):
            value = ", ".join(value) or "none"
        echo(f"{name:<16} {value}")
    for line in (*differences, *notes.values()):
        say(line)
