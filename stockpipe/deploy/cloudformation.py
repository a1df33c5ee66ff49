"""CloudFormation's side of a stack: its state, change sets, events until an end, and the first cause of a failure.

What a state allows and what an event means is decided by pure functions; the rest is polling on a `Clock`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from simulator.base.clock import Clock
from simulator.base.errors import CouldNotFinish, InputError
from stockpipe.deploy.aws import error_code, error_message

if TYPE_CHECKING:
    from types_aiobotocore_cloudformation import CloudFormationClient

POLL_S = 2.0
"""Between two looks at a stack: CloudFormation's own events are seconds apart."""
CHANGE_SET_WAIT_S = 600.0
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
_NO_CHANGE = ("didn't contain changes", "no updates are to be performed", "submitted information didn't contain")
_CANCELLED = ("cancelled", "canceled")

Kind = Literal["CREATE", "UPDATE"]


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """A stack as `DescribeStacks` has it."""

    id: str
    name: str
    status: str
    reason: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a change set. `replacement` is True, False, "Conditional" or None where the word has no meaning."""

    action: str
    logical_id: str
    type: str
    replacement: str | None


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set that can be executed. A stack that it is to create exists only for its sake."""

    arn: str
    stack_id: str
    kind: Kind
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One thing that happened to a resource of a stack, or to the stack itself."""

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
        raise InputError(
            f"'{name}' is not a stack name", hint="write letters, digits and hyphens, a letter first, at most 128"
        )


def next_step(stack: DeployedStack | None, name: str) -> Kind:
    """Whether a deployment creates or updates. Raises `InputError` with the way out of every other state."""
    if stack is None or stack.status == "REVIEW_IN_PROGRESS":
        return "CREATE"
    match stack.status:
        case "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" | "DELETE_FAILED":
            way_out = f"only deleting it helps: `stockpipe destroy --stack {name}`"
        case "UPDATE_ROLLBACK_FAILED":
            continued = f"`aws cloudformation continue-update-rollback --stack-name {name}`"
            way_out = f"fix what its events name, then run {continued}"
        case status if status.endswith("_IN_PROGRESS"):
            way_out = f"wait for its end, which `stockpipe status --stack {name}` shows"
        case _:
            return "UPDATE"
    raise InputError(f"stack '{name}' is in {stack.status}", hint=way_out)


def has_succeeded(status: str) -> bool:
    """Whether the end is the one that was wanted."""
    return status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE", "IMPORT_COMPLETE"}


def first_cause(events: Sequence[StackEvent]) -> StackEvent | None:
    """The first failure that no other failure caused. Events in the order in which they happened."""
    failures = [event for event in events if event.status.endswith("_FAILED")]
    for event in failures:
        if not any(word in event.reason.lower() for word in _CANCELLED) and event.reason:
            return event
    return failures[0] if failures else None


async def describe(client: CloudFormationClient, name: str) -> DeployedStack | None:
    """The stack of this name or id, or None. A deleted stack is still found by its id."""
    try:
        answer = await client.describe_stacks(StackName=name)
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
        parameters={
            parameter["ParameterKey"]: parameter.get("ParameterValue", "") for parameter in found.get("Parameters", [])
        },
        outputs={output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])},
    )


async def create_change_set(
    client: CloudFormationClient,
    clock: Clock,
    *,
    stack_name: str,
    kind: Kind,
    name: str,
    template: Mapping[str, str],
    parameters: Mapping[str, str],
) -> ChangeSet | None:
    """Create a change set and wait until it can be shown; None if it would change nothing (and it is gone again).

    `template` is `{"TemplateBody": text}` or `{"TemplateURL": url}`. Raises `CouldNotFinish` with CloudFormation's
    reason; nothing is left then.
    """
    arguments: Any = {
        "StackName": stack_name,
        "ChangeSetName": name,
        "ChangeSetType": kind,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        **template,
    }
    created = await client.create_change_set(**arguments)
    draft = ChangeSet(created["Id"], created.get("StackId") or stack_name, kind)
    try:
        status, reason = await _await_change_set(client, clock, draft)
        changes = await _changes(client, draft) if status != "FAILED" else ()
    except BaseException:
        await _forget(client, draft)
        raise
    if status == "FAILED":
        await withdraw(client, draft)
        if any(words in reason.lower() for words in _NO_CHANGE):
            return None
        raise CouldNotFinish(f"CloudFormation refuses the change set: {' '.join(reason.split())}")
    return replace(draft, changes=changes)


async def withdraw(client: CloudFormationClient, change_set: ChangeSet) -> None:
    """Remove a change set that is not wanted, and the empty stack that was made for it."""
    await client.delete_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack_id)
    if change_set.kind == "CREATE":
        await client.delete_stack(StackName=change_set.stack_id)


async def execute(client: CloudFormationClient, change_set: ChangeSet) -> None:
    """Set it going; `follow` sees it to its end. A change set that is refused is withdrawn."""
    try:
        await client.execute_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack_id)
    except ClientError:
        await _forget(client, change_set)
        raise


async def last_event(client: CloudFormationClient, stack_id: str) -> str | None:
    """The id of the newest event, after which `follow` begins."""
    try:
        answer = await client.describe_stack_events(StackName=stack_id)
    except ClientError as error:
        if error_code(error) == "ValidationError":
            return None
        raise
    events = answer.get("StackEvents", [])
    return events[0]["EventId"] if events else None


async def follow(
    client: CloudFormationClient,
    clock: Clock,
    stack_id: str,
    *,
    after: str | None,
    on_event: Callable[[StackEvent], None],
) -> tuple[DeployedStack | None, tuple[StackEvent, ...]]:
    """Tell each event once, oldest first, until the stack rests; the stack (None: gone) and all events told."""
    shown: list[StackEvent] = []
    known = {after} if after else set()
    while True:
        # The state first: what happens between the two calls is then told rather than missed.
        stack = await describe(client, stack_id)
        for event in await _new_events(client, stack_id, known):
            known.add(event.id)
            shown.append(event)
            on_event(event)
        if stack is None or stack.status == "DELETE_COMPLETE":
            return stack, tuple(shown)
        if shown and not stack.status.endswith("_IN_PROGRESS"):
            return stack, tuple(shown)
        await clock.sleep(POLL_S)


async def resource_ids(client: CloudFormationClient, stack_id: str) -> dict[str, tuple[str, str]]:
    """Logical id -> (type, physical id) of every resource that exists."""
    found: dict[str, tuple[str, str]] = {}
    async for page in client.get_paginator("list_stack_resources").paginate(StackName=stack_id):
        for summary in page["StackResourceSummaries"]:
            if summary.get("PhysicalResourceId") and summary["ResourceStatus"] != "DELETE_COMPLETE":
                found[summary["LogicalResourceId"]] = (summary["ResourceType"], summary["PhysicalResourceId"])
    return found


async def _await_change_set(client: CloudFormationClient, clock: Clock, draft: ChangeSet) -> tuple[str, str]:
    deadline = clock.now() + CHANGE_SET_WAIT_S
    while True:
        answer = await client.describe_change_set(ChangeSetName=draft.arn, StackName=draft.stack_id)
        status, reason = str(answer["Status"]), answer.get("StatusReason", "")
        if status not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
            return status, reason
        if clock.now() >= deadline:
            raise CouldNotFinish("CloudFormation did not finish the change set in 10 minutes; it is withdrawn")
        await clock.sleep(POLL_S)


async def _changes(client: CloudFormationClient, draft: ChangeSet) -> tuple[Change, ...]:
    changes: list[Change] = []
    pages = client.get_paginator("describe_change_set")
    async for page in pages.paginate(ChangeSetName=draft.arn, StackName=draft.stack_id):
        for listed in page.get("Changes", []):
            change = listed.get("ResourceChange", {})
            changes.append(
                Change(
                    action=change.get("Action", ""),
                    logical_id=change.get("LogicalResourceId", ""),
                    type=change.get("ResourceType", ""),
                    replacement=change.get("Replacement"),
                )
            )
    return tuple(changes)


async def _forget(client: CloudFormationClient, draft: ChangeSet) -> None:
    """Withdraw as far as possible while another error is on its way: that one is told, not a second."""
    with suppress(ClientError):
        await withdraw(client, draft)


async def _new_events(client: CloudFormationClient, stack_id: str, known: set[str]) -> list[StackEvent]:
    """The events that are not yet seen, oldest first; AWS lists the newest first."""
    new: list[StackEvent] = []
    try:
        async for page in client.get_paginator("describe_stack_events").paginate(StackName=stack_id):
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
