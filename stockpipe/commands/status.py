"""`stockpipe status`: shows the state of a deployed stack."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from simulator.base.words import counted
from stockpipe.commands.cloud import AwsOptions, Json, StackName, on_aws
from stockpipe.commands.outputs import echo
from stockpipe.commands.taking import takes

if TYPE_CHECKING:
    from stockpipe.deploy.aws import Aws
    from stockpipe.deploy.status import QueueStatus, Status

EPILOG = """Example:

stockpipe status --stack stockpipe --json

Errors, throttles and rows written are totals for the last hour. These and ages come from CloudWatch and are a few
minutes old; rows in the table are DynamoDB's own count, up to six hours old.

Exit codes: 0 shown, 2 no such stack, 3 AWS refused, 130 interrupted."""


class StatusOptions(AwsOptions):
    """The stack, and how to print it."""

    stack: StackName
    as_json: Json = False


@takes(StatusOptions)
@on_aws
async def status(options: StatusOptions, aws: Aws) -> None:
    """Show a stack's queue, dead-letter queue, ages, errors, rows, last tick and alarms."""
    from stockpipe.deploy.deployed import find
    from stockpipe.deploy.status import read_status

    deployed = await find(aws, options.stack)
    if deployed.is_whole:
        found = await read_status(aws, deployed)
        figures, lines = dataclasses.asdict(found), [f"{name:<20} {value}" for name, value in _lines(found)]
    else:
        figures = {"stack": options.stack, "state": deployed.stack.status, "reason": deployed.stack.reason}
        lines = [
            f"stack                {options.stack} {deployed.stack.status} {deployed.stack.reason}".rstrip(),
            f"it has {counted(len(deployed.resources), 'resource')} at the moment, and nothing to measure",
        ]
    if options.as_json:
        lines = [json.dumps({"schema": "stockpipe.status/1", **figures})]
    echo("\n".join(lines))


def _lines(found: Status) -> list[tuple[str, str]]:
    lines = [
        ("stack", f"{found.stack} {found.state}"),
        ("schedule", found.schedule or "none"),
        ("last tick", found.last_tick_at or "none in the last 24 hours"),
        ("queue", _queue(found.queue)),
        ("dead-letter queue", _queue(found.dead_letter)),
        ("rows in the table", f"{found.rows:,} ({counted(found.table_bytes, 'byte')}), counted every six hours"),
        ("rows written", f"{_figure(found.rows_written)} in the last hour, {_figure(found.rows_rejected)} rejected"),
        ("messages failed", f"{_figure(found.messages_failed)} in the last hour"),
        ("generator errors", f"{_figure(found.generator_errors)} in the last hour"),
        ("consumer errors", f"{_figure(found.consumer_errors)} in the last hour"),
        ("consumer throttles", f"{_figure(found.consumer_throttles)} in the last hour"),
    ]
    return lines + [("alarm", f"{state:<18} {name}") for name, state in found.alarms.items()]


def _queue(queue: QueueStatus) -> str:
    age = "" if queue.oldest_age_s is None else f", oldest {queue.oldest_age_s:,.0f} s"
    return f"{queue.visible:,} visible, {queue.in_flight:,} in flight, {queue.delayed:,} delayed{age}"


def _figure(value: float | None) -> str:
    return "no data" if value is None else f"{value:,.0f}"
