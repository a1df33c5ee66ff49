"""CloudFormation's side: what a state allows, what caused a failure, and that nothing is left half done."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fakes.scripted_aws import ScriptedAws, refusal
from simulator.base.errors import CouldNotFinish, InputError
from stockpipe.deploy import cloudformation
from stockpipe.deploy.cloudformation import ChangeSet, DeployedStack, StackEvent

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/s/1"
STACK_TYPE = "AWS::CloudFormation::Stack"


def stack(status: str) -> DeployedStack:
    """A stack in a state."""
    return DeployedStack(STACK_ID, "s", status, "", {}, {})


def described(status: str, **more: Any) -> dict[str, Any]:
    """DescribeStacks' answer."""
    return {"Stacks": [{"StackId": STACK_ID, "StackName": "s", "StackStatus": status, **more}]}


def event(number: int, logical_id: str, status: str, reason: str = "", kind: str = "AWS::SQS::Queue") -> dict[str, Any]:
    """One of DescribeStackEvents."""
    return {
        "EventId": f"e{number}",
        "Timestamp": datetime(2026, 11, 22, 9, tzinfo=UTC) + timedelta(seconds=number),
        "LogicalResourceId": logical_id,
        "ResourceType": kind,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def plain(number: int, logical_id: str, status: str, reason: str = "") -> StackEvent:
    """The same, parsed."""
    return StackEvent(f"e{number}", "", logical_id, "AWS::SQS::Queue", status, reason)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(None, "CREATE"), ("REVIEW_IN_PROGRESS", "CREATE"), ("CREATE_COMPLETE", "UPDATE"), ("UPDATE_COMPLETE", "UPDATE"),
     ("UPDATE_ROLLBACK_COMPLETE", "UPDATE"), ("IMPORT_COMPLETE", "UPDATE"), ("UPDATE_FAILED", "UPDATE")],
)  # fmt: skip
def test_states_that_can_be_deployed_to(status: str | None, kind: str) -> None:
    """A missing stack, or one that was never more than a change set, is created; a settled one is updated."""
    assert cloudformation.next_step(stack(status) if status else None, "s") == kind


@pytest.mark.parametrize(
    ("status", "way_out"),
    [
        ("ROLLBACK_COMPLETE", "stockpipe destroy --stack s"),
        ("ROLLBACK_FAILED", "stockpipe destroy --stack s"),
        ("CREATE_FAILED", "stockpipe destroy --stack s"),
        ("DELETE_FAILED", "stockpipe destroy --stack s"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name s"),
        ("CREATE_IN_PROGRESS", "stockpipe status --stack s"),
        ("DELETE_IN_PROGRESS", "stockpipe status --stack s"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "stockpipe status --stack s"),
    ],
)
def test_other_states_say_the_way_out(status: str, way_out: str) -> None:
    """Every other state is refused in one line that names the state and the command that ends it."""
    with pytest.raises(InputError) as refused:
        cloudformation.next_step(stack(status), "s")
    assert status in str(refused.value)
    assert way_out in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["", "1stack", "my_stack", "a" * 129, "stäck"])
def test_bad_stack_names_are_refused(name: str) -> None:
    """A name that CloudFormation would refuse is refused before any call."""
    with pytest.raises(InputError, match="is not a stack name"):
        cloudformation.check_name(name)


def test_first_cause_is_not_what_it_cancelled() -> None:
    """Of many failures the first that was not merely cancelled is the cause."""
    events = [
        plain(1, "Stack", "CREATE_IN_PROGRESS"),
        plain(2, "Queue", "CREATE_FAILED", "Resource creation cancelled"),
        plain(3, "Table", "CREATE_FAILED", "StockData already exists"),
        plain(4, "Role", "CREATE_FAILED", "Resource creation cancelled"),
    ]
    cause = cloudformation.first_cause(events)
    assert cause is not None
    assert cause.logical_id == "Table"
    assert cloudformation.first_cause(events[:2]) == events[1]
    assert cloudformation.first_cause(events[:1]) is None


async def test_change_set_is_requested_as_aws_requires() -> None:
    """The request has type, capabilities and every parameter, and the result is what would change."""
    resource = {"Action": "Modify", "LogicalResourceId": "StockQueue", "ResourceType": "AWS::SQS::Queue"}
    change = {"ResourceChange": {**resource, "Replacement": "True"}}
    aws = ScriptedAws(
        create_change_set={"Id": "arn:change-set/1", "StackId": STACK_ID},
        describe_change_set=[
            {"Status": "CREATE_PENDING"},
            {"Status": "CREATE_COMPLETE"},
            {"Status": "CREATE_COMPLETE", "Changes": [change], "NextToken": "more"},
            {"Status": "CREATE_COMPLETE", "Changes": [change]},
        ],
    )
    made = await create(aws, kind="UPDATE", parameters={"FileCount": "2"})
    assert made is not None
    assert [(change.action, change.logical_id, change.replacement) for change in made.changes] == [
        ("Modify", "StockQueue", "True")
    ] * 2
    _, request = aws.calls[0]
    assert request["ChangeSetType"] == "UPDATE"
    assert "CAPABILITY_IAM" in request["Capabilities"]
    assert request["Parameters"] == [{"ParameterKey": "FileCount", "ParameterValue": "2"}]
    assert aws.calls[-1][1]["NextToken"] == "more"


async def test_nothing_to_change_leaves_nothing() -> None:
    """A change set without changes is None, and it is deleted; the stack stays."""
    aws = ScriptedAws(
        create_change_set={"Id": "arn:change-set/1", "StackId": STACK_ID},
        describe_change_set={"Status": "FAILED", "StatusReason": "The submitted information didn't contain changes."},
    )
    assert await create(aws, kind="UPDATE") is None
    assert aws.names()[-1] == "delete_change_set"


async def test_refused_change_set_takes_its_empty_stack_along() -> None:
    """When CloudFormation refuses a creation, change set and new stack are deleted, and the reason is given."""
    aws = ScriptedAws(
        create_change_set={"Id": "arn:change-set/1", "StackId": STACK_ID},
        describe_change_set={"Status": "FAILED", "StatusReason": "Transform failed:\n no such type"},
    )
    with pytest.raises(CouldNotFinish, match="refused the change set: Transform failed: no such type"):
        await create(aws, kind="CREATE")
    assert aws.names()[-2:] == ["delete_change_set", "delete_stack"]


async def test_interrupted_change_set_is_withdrawn() -> None:
    """Ctrl-C while CloudFormation works leaves nothing behind."""
    aws = ScriptedAws(
        create_change_set={"Id": "arn:change-set/1", "StackId": STACK_ID},
        describe_change_set=asyncio.CancelledError(),
    )
    with pytest.raises(asyncio.CancelledError):
        await create(aws, kind="CREATE")
    assert aws.names()[-2:] == ["delete_change_set", "delete_stack"]


async def test_refused_execution_is_withdrawn() -> None:
    """A change set that cannot be executed does not stay behind."""
    aws = ScriptedAws(execute_change_set=refusal("ValidationError", "no", "ExecuteChangeSet"))
    with pytest.raises(ClientError):
        await cloudformation.execute(aws, ChangeSet("arn:change-set/1", STACK_ID, "CREATE"))  # type: ignore[arg-type]
    assert aws.names() == ["execute_change_set", "delete_change_set", "delete_stack"]


async def test_endless_change_set_is_given_up() -> None:
    """After ten minutes the wait ends with a line, and the change set is deleted."""
    aws = ScriptedAws(
        create_change_set={"Id": "arn:change-set/1", "StackId": STACK_ID},
        describe_change_set={"Status": "CREATE_IN_PROGRESS"},
    )
    with pytest.raises(CouldNotFinish, match="10 minutes"):
        await create(aws, kind="UPDATE")
    assert aws.names()[-1] == "delete_change_set"


async def test_events_are_reported_once_oldest_first() -> None:
    """Events before the deployment are not reported; the others are, once each, in order, until the stack settles."""
    old = event(0, "s", "CREATE_COMPLETE", kind=STACK_TYPE)
    first = [event(1, "s", "UPDATE_IN_PROGRESS", kind=STACK_TYPE)]
    second = [event(2, "Queue", "UPDATE_IN_PROGRESS"), event(3, "Queue", "UPDATE_COMPLETE")]
    third = [event(4, "s", "UPDATE_COMPLETE", kind=STACK_TYPE)]
    aws = ScriptedAws(
        describe_stacks=[
            described("UPDATE_IN_PROGRESS"),
            described("UPDATE_IN_PROGRESS"),
            described("UPDATE_COMPLETE"),
        ],
        describe_stack_events=[
            {"StackEvents": [*first, old]},
            {"StackEvents": [*second[::-1], *first, old]},
            {"StackEvents": [*third, *second[::-1], *first, old]},
        ],
    )
    shown: list[str] = []
    ended, events = await cloudformation.follow(
        aws,
        STACK_ID,
        after="e0",
        on_event=lambda event: shown.append(event.id),  # type: ignore[arg-type]
    )
    assert shown == ["e1", "e2", "e3", "e4"] == [event.id for event in events]
    assert ended is not None
    assert cloudformation.has_succeeded(ended.status)
    assert events[0].at == "09:00:01"


async def test_follow_waits_for_the_first_event() -> None:
    """A stack that has not begun to change looks settled, and that is not taken for the end."""
    done = event(1, "s", "UPDATE_COMPLETE", kind=STACK_TYPE)
    aws = ScriptedAws(
        describe_stacks=[described("CREATE_COMPLETE"), described("UPDATE_COMPLETE")],
        describe_stack_events=[{"StackEvents": []}, {"StackEvents": [done]}],
    )
    ended, _ = await cloudformation.follow(aws, STACK_ID, after=None, on_event=lambda event: None)  # type: ignore[arg-type]
    assert ended is not None
    assert ended.status == "UPDATE_COMPLETE"


async def test_follow_ends_when_the_stack_is_gone() -> None:
    """A deleted stack that cannot be described any more is the end of following it."""
    aws = ScriptedAws(
        describe_stacks=refusal("ValidationError", "Stack with id s does not exist"),
        describe_stack_events=refusal("ValidationError", "Stack with id s does not exist"),
    )
    assert await cloudformation.follow(aws, STACK_ID, after=None, on_event=lambda event: None) == (  # type: ignore[arg-type]
        None,
        (),
    )


async def test_other_refusals_are_not_taken_for_absence() -> None:
    """Only `does not exist` means that there is no stack."""
    aws = ScriptedAws(describe_stacks=refusal("AccessDenied", "not authorized"))
    with pytest.raises(ClientError):
        await cloudformation.describe(aws, "s")  # type: ignore[arg-type]


async def test_description_has_parameters_and_outputs() -> None:
    """Parameters and outputs are plain mappings."""
    aws = ScriptedAws(
        describe_stacks=described(
            "CREATE_COMPLETE",
            Parameters=[{"ParameterKey": "FileCount", "ParameterValue": "2"}],
            Outputs=[{"OutputKey": "Bucket", "OutputValue": "b"}],
        ),
    )
    found = await cloudformation.describe(aws, "s")  # type: ignore[arg-type]
    assert found == DeployedStack(STACK_ID, "s", "CREATE_COMPLETE", "", {"FileCount": "2"}, {"Bucket": "b"})


async def create(aws: ScriptedAws, *, kind: Any, parameters: dict[str, str] | None = None) -> ChangeSet | None:
    """A change set of one short template."""
    return await cloudformation.create_change_set(
        aws,  # type: ignore[arg-type]
        stack_name="s",
        kind=kind,
        name="c1",
        template={"TemplateBody": "{}"},
        parameters=parameters or {},
    )
