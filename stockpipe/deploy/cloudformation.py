"""CloudFormation's side of a stack: its state, change sets, events until it settles, and a failure's first cause.

Pure functions decide what a state allows and what an event means; the rest is polling on a `Clock`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal

from botocore.exceptions import ClientError

from simulator.base.errors import CouldNotFinish, InputError
from stockpipe.deploy.aws import Aws, error_code, error_message

POLL_S = 2.0
"""Interval for polling a stack: CloudFormation's own events are seconds apart."""
CHANGE_SET_WAIT_S = 600.0
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
_NO_CHANGE = ("didn't contain changes", "no updates are to be performed", "submitted information didn't contain")
_CANCELLED = ("cancelled", "canceled")

Kind = Literal["CREATE", "UPDATE"]


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """A stack as `DescribeStacks` returns it."""

    id: str
    name: str
    status: str
    reason: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a change set. `replacement` is True, False, "Conditional", or None if it does not apply."""

    action: str
    logical_id: str
    type: str
    replacement: str | None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set that can be executed. A stack that it is to create exists only because of it."""

    arn: str
    stack_id: str
    kind: Kind
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class StackEvent:
    """Something that happened to a resource of a stack, or to the stack itself."""

    id: str
    at: str
    logical_id: str
    type: str
    status: str
    reason: str

    @property
    def text(self) -> str:
        """What happened to which resource."""
        return f"{self.logical_id} ({self.type}): {self.reason}"


def check_name(name: str) -> None:
    """Raise `InputError` for a stack name that CloudFormation would refuse."""
    if not _NAME.fullmatch(name):
        hint = "write letters, digits and hyphens, a letter first, at most 128"
        raise InputError(f"'{name}' is not a stack name", hint=hint)


def next_step(stack: DeployedStack | None, name: str) -> Kind:
    """Whether a deployment creates or updates. Raises `InputError` for any other state, with what to do about it."""
    if stack is None or stack.status == "REVIEW_IN_PROGRESS":
        return "CREATE"
    match stack.status:
        case "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" | "DELETE_FAILED":
            way_out = f"it can only be deleted: `stockpipe destroy --stack {name}`"
        case "UPDATE_ROLLBACK_FAILED":
            continued = f"`aws cloudformation continue-update-rollback --stack-name {name}`"
            way_out = f"fix what its events report, then run {continued}"
        case status if status.endswith("_IN_PROGRESS"):
            way_out = f"wait until that ends; `stockpipe status --stack {name}` shows it"
        case _:
            return "UPDATE"
    raise InputError(f"stack '{name}' is in {stack.status}", hint=way_out)


def has_succeeded(status: str) -> bool:
    """Whether the operation ended as intended."""
    return status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE", "IMPORT_COMPLETE"}


def first_cause(events: Sequence[StackEvent]) -> StackEvent | None:
    """The first failure that no other failure caused. The events are in chronological order."""
    failures = [event for event in events if event.status.endswith("_FAILED")]
    causes = (each for each in failures if each.reason and not any(word in each.reason.lower() for word in _CANCELLED))
    return next(chain(causes, failures), None)


async def describe(aws: Aws, name: str) -> DeployedStack | None:
    """The stack of this name or id, or None. A deleted stack can still be found by its id."""
    try:
        answer = await (await aws.cloudformation()).describe_stacks(StackName=name)
    except ClientError as error:
        if error_code(error) == "ValidationError" and "does not exist" in error_message(error):
            return None
        raise
    if not answer["Stacks"]:
        return None
    found: Any = answer["Stacks"][0]
    return DeployedStack(
        id=found["StackId"],
        name=found["StackName"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        parameters={each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", [])},
        outputs={output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])},
    )


async def create_change_set(
    aws: Aws,
    *,
    stack_name: str,
    kind: Kind,
    name: str,
    template: Mapping[str, str],
    parameters: Mapping[str, str],
) -> ChangeSet | None:
    """Create a change set and wait until it can be shown; None if it would change nothing (it is deleted then).

    `template` is `{"TemplateBody": text}` or `{"TemplateURL": url}`. Raises `CouldNotFinish` with CloudFormation's
    reason, and then leaves nothing behind.
    """
    arguments: Any = {
        "StackName": stack_name,
        "ChangeSetName": name,
        "ChangeSetType": kind,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        **template,
    }
    created = await (await aws.cloudformation()).create_change_set(**arguments)
    draft = ChangeSet(created["Id"], created.get("StackId") or stack_name, kind)
    try:
        status, reason = await _await_change_set(aws, draft)
        changes = await _changes(aws, draft) if status != "FAILED" else ()
    except BaseException:
        await _forget(aws, draft)
        raise
    if status == "FAILED":
        await withdraw(aws, draft)
        if any(words in reason.lower() for words in _NO_CHANGE):
            return None
        raise CouldNotFinish(f"CloudFormation refused the change set: {' '.join(reason.split())}")
    return replace(draft, changes=changes)


async def withdraw(aws: Aws, change_set: ChangeSet) -> None:
    """Delete an unwanted change set, and the empty stack that was created for it."""
    client = await aws.cloudformation()
    await client.delete_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack_id)
    if change_set.kind == "CREATE":
        await client.delete_stack(StackName=change_set.stack_id)


async def execute(aws: Aws, change_set: ChangeSet) -> None:
    """Start it; `follow` waits until it ends. A change set that is refused is deleted."""
    try:
        client = await aws.cloudformation()
        await client.execute_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack_id)
    except ClientError:
        await _forget(aws, change_set)
        raise


async def last_event(aws: Aws, stack_id: str) -> str | None:
    """The id of the newest event, after which `follow` begins."""
    try:
        answer = await (await aws.cloudformation()).describe_stack_events(StackName=stack_id)
    except ClientError as error:
        if error_code(error) == "ValidationError":
            return None
        raise
    events = answer.get("StackEvents", [])
    return events[0]["EventId"] if events else None


async def follow(
    aws: Aws, stack_id: str, *, after: str | None, on_event: Callable[[StackEvent], None]
) -> tuple[DeployedStack | None, tuple[StackEvent, ...]]:
    """Report each event once, oldest first, until the stack settles; returns the stack (None: gone) and all events."""
    shown: list[StackEvent] = []
    known = {after} if after else set()
    while True:
        # The state first: then events between the two calls are reported and not missed.
        stack = await describe(aws, stack_id)
        for event in await _new_events(aws, stack_id, known):
            known.add(event.id)
            shown.append(event)
            on_event(event)
        if stack is None or stack.status == "DELETE_COMPLETE" or (shown and not stack.status.endswith("_IN_PROGRESS")):
            return stack, tuple(shown)
        await aws.clock.sleep(POLL_S)


async def resource_ids(aws: Aws, stack_id: str) -> dict[str, tuple[str, str]]:
    """Logical id -> (type, physical id) of every resource that exists."""
    found: dict[str, tuple[str, str]] = {}
    async for page in (await aws.cloudformation()).get_paginator("list_stack_resources").paginate(StackName=stack_id):
        for summary in page["StackResourceSummaries"]:
            if summary.get("PhysicalResourceId") and summary["ResourceStatus"] != "DELETE_COMPLETE":
                found[summary["LogicalResourceId"]] = (summary["ResourceType"], summary["PhysicalResourceId"])
    return found


async def _await_change_set(aws: Aws, draft: ChangeSet) -> tuple[str, str]:
    client, deadline = await aws.cloudformation(), aws.clock.now() + CHANGE_SET_WAIT_S
    while True:
        answer = await client.describe_change_set(ChangeSetName=draft.arn, StackName=draft.stack_id)
        status, reason = str(answer["Status"]), answer.get("StatusReason", "")
        if status not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
            return status, reason
        if aws.clock.now() >= deadline:
            raise CouldNotFinish("CloudFormation did not finish the change set within 10 minutes; it was deleted")
        await aws.clock.sleep(POLL_S)


async def _changes(aws: Aws, draft: ChangeSet) -> tuple[Change, ...]:
    changes: list[Change] = []
    pages = (await aws.cloudformation()).get_paginator("describe_change_set")
    async for page in pages.paginate(ChangeSetName=draft.arn, StackName=draft.stack_id):
        for listed in page.get("Changes", []):
            change: Any = listed.get("ResourceChange", {})
            action, name, kind = (change.get(key, "") for key in ("Action", "LogicalResourceId", "ResourceType"))
            changes.append(Change(action, name, kind, change.get("Replacement")))
    return tuple(changes)


async def _forget(aws: Aws, draft: ChangeSet) -> None:
    """Delete as far as possible while another error is being raised, which must not be replaced by a second one."""
    with suppress(ClientError):
        await withdraw(aws, draft)


async def _new_events(aws: Aws, stack_id: str, known: set[str]) -> list[StackEvent]:
    """The events that are not yet known, oldest first; AWS lists the newest first."""
    new: list[StackEvent] = []
    pages = (await aws.cloudformation()).get_paginator("describe_stack_events")
    try:
        async for page in pages.paginate(StackName=stack_id):
            for event in page["StackEvents"]:
                if event["EventId"] in known:
                    return new[::-1]
                new.append(
                    StackEvent(
                        id=event["EventId"],
                        at=event["Timestamp"].strftime("%H:%M:%S"),
                        logical_id=event.get("LogicalResourceId", ""),
                        type=event.get("ResourceType", ""),
                        status=event.get("ResourceStatus", ""),
                        reason=" ".join(event.get("ResourceStatusReason", "").split()),
                    )
                )
    except ClientError as error:
        if error_code(error) != "ValidationError":
            raise
    return new[::-1]
