"""What the operating commands request from AWS where no local server answers: requests, order, and what is left."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fakes import declare
from fakes.clock import InstantClock, ManualClock
from fakes.scripted_aws import ScriptedAws, refusal
from simulator.base.errors import CouldNotFinish, InputError
from stockpipe.deploy import artifact, deployment, redrive, status, teardown, ticks, transform, verification
from stockpipe.deploy.cloudformation import ChangeSet, DeployedStack
from stockpipe.deploy.deployed import Deployed, QueueAddress
from stockpipe.deploy.package import Package
from stockpipe.deploy.targets import Target

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/s/1"
DLQ = QueueAddress("https://queue/dlq", "arn:aws:sqs:us-east-1:123456789012:dlq", "dlq")
QUEUE = QueueAddress("https://queue/q", "arn:aws:sqs:us-east-1:123456789012:q", "q")


def deployed(**resources: tuple[str, str]) -> Deployed:
    """A stack with these resources."""
    return Deployed(DeployedStack(STACK_ID, "s", "CREATE_COMPLETE", "", {}, {}), resources)


def described(state: str) -> dict[str, Any]:
    """DescribeStacks' answer."""
    return {"Stacks": [{"StackId": STACK_ID, "StackName": "s", "StackStatus": state}]}


def event(number: int, status: str, kind: str, reason: str = "") -> dict[str, Any]:
    """One of DescribeStackEvents."""
    return {
        "EventId": f"e{number}",
        "Timestamp": datetime(2026, 11, 22, 9, 0, number, tzinfo=UTC),
        "LogicalResourceId": "X",
        "ResourceType": kind,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


async def test_redrive_asks_sqs_to_move() -> None:
    """On AWS one task moves all messages from the dead-letter queue to the queue, and is watched until it ends."""
    running = {"TaskHandle": "t", "Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 3}
    other = {"TaskHandle": "old", "Status": "FAILED"}
    aws = ScriptedAws(
        start_message_move_task={"TaskHandle": "t"},
        list_message_move_tasks=[
            {"Results": [running, other]},
            {"Results": [other, {**running, "Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 5}]},
        ],
    )
    progress: list[int] = []
    assert await redrive.send_back(aws, DLQ, QUEUE, progress.append) == 5  # type: ignore[arg-type]
    assert progress == [3, 5]
    assert aws.calls[0] == ("start_message_move_task", {"SourceArn": DLQ.arn, "DestinationArn": QUEUE.arn})


async def test_ended_move_says_how_far_it_came() -> None:
    """A task that fails is one line with the number moved and what to do."""
    failed = {"TaskHandle": "t", "Status": "FAILED", "ApproximateNumberOfMessagesMoved": 2, "FailureReason": "denied"}
    aws = ScriptedAws(start_message_move_task={"TaskHandle": "t"}, list_message_move_tasks={"Results": [failed]})
    with pytest.raises(CouldNotFinish, match="2 messages moved back, then it ended: denied; run it again"):
        await redrive.send_back(aws, DLQ, QUEUE, lambda _: None)  # type: ignore[arg-type]


async def test_refusal_by_aws_is_not_worked_around() -> None:
    """Only other endpoints are served message by message; on AWS a refusal is a refusal."""
    aws = ScriptedAws(start_message_move_task=refusal("InternalError", http=500))
    with pytest.raises(ClientError):
        await redrive.send_back(aws, DLQ, QUEUE, lambda _: None)  # type: ignore[arg-type]


async def test_move_by_hand_sends_before_it_deletes() -> None:
    """Whenever it is interrupted, a message is in both queues rather than in none."""
    message = {"MessageId": "m", "ReceiptHandle": "r", "Body": "b"}
    aws = ScriptedAws(
        "http://127.0.0.1:1",
        start_message_move_task=refusal("InternalError", http=500),
        receive_message=[{"Messages": [message]}, {}],
    )
    assert await redrive.send_back(aws, DLQ, QUEUE, lambda _: None) == 1  # type: ignore[arg-type]
    assert aws.names()[1:4] == ["receive_message", "send_message", "delete_message"]


async def test_look_hands_messages_back_even_when_it_is_broken_off() -> None:
    """A reader that stops in the middle leaves every message visible."""
    messages = [{"MessageId": f"m{n}", "ReceiptHandle": f"r{n}", "Body": "{}"} for n in range(3)]
    aws = ScriptedAws(receive_message=[{"Messages": messages}, {}])
    letters = redrive.peek(aws, DLQ, 10)  # type: ignore[arg-type]
    assert (await anext(letters)).message_id == "m0"
    await letters.aclose()
    name, request = aws.calls[-1]
    assert name == "change_message_visibility_batch"
    assert [entry["ReceiptHandle"] for entry in request["Entries"]] == ["r0", "r1", "r2"]
    assert {entry["VisibilityTimeout"] for entry in request["Entries"]} == {0}


async def test_reason_is_the_last_one_about_the_message() -> None:
    """Of the log lines that name the message the last one with a reason counts; other text is ignored."""
    lines = [
        "REPORT m1",
        json.dumps({"messageId": "m1", "reason": "first"}),
        json.dumps({"messageId": "m2", "reason": "about m1", "note": "another"}),
        json.dumps({"messageId": "m1", "reason": "second"}),
    ]
    clock = ManualClock(2_000_000.0)
    aws = ScriptedAws(clock=clock, filter_log_events={"events": [{"message": line} for line in lines]})
    assert await redrive.find_reason(aws, "/aws/lambda/C", "m1") == "second"  # type: ignore[arg-type]
    absent = ScriptedAws(clock=clock, filter_log_events=refusal("ResourceNotFoundException"))
    assert await redrive.find_reason(absent, "/aws/lambda/C", "m1") is None  # type: ignore[arg-type]


async def test_tick_is_the_event_that_eventbridge_sends() -> None:
    """The generator gets a scheduled event of this second; its answer and the end of its log are returned."""

    class Body(io.BytesIO):
        async def __aenter__(self) -> Body:
            return self

        async def __aexit__(self, *_: object) -> None:
            return None

        async def read(self) -> bytes:  # type: ignore[override]
            return self.getvalue()

    aws = ScriptedAws(invoke={"Payload": Body(b'{"files": 2}'), "LogResult": "aGVsbG8KYnll"})
    stack = deployed(GeneratorLambda=("AWS::Lambda::Function", "G"), Tick=("AWS::Events::Rule", "rule-1"))
    result = await ticks.fire(aws, stack, 1_795_000_000.7)  # type: ignore[arg-type]
    sent = json.loads(aws.calls[0][1]["Payload"])
    assert sent["source"] == "aws.events"
    assert sent["detail-type"] == "Scheduled Event"
    assert sent["time"] == "2026-11-18T11:06:40Z"
    assert sent["resources"] == ["arn:aws:events:eu-central-1:123456789012:rule/rule-1"]
    assert (result.payload, result.error, result.log) == ({"files": 2}, None, ("hello", "bye"))
    failed = ScriptedAws(
        invoke={"Payload": Body(b'{"errorType": "E", "errorMessage": "m"}'), "FunctionError": "Unhandled"}
    )
    assert (await ticks.fire(failed, stack, 0.0)).error == "E: m"  # type: ignore[arg-type]


async def test_destroy_empties_again_after_a_late_tick() -> None:
    """A bucket that got one more object while the stack was deleted is emptied again, and the deletion repeated."""
    bucket_in_use = event(2, "DELETE_FAILED", "AWS::S3::Bucket", "The bucket you tried to delete is not empty")
    aws = ScriptedAws(
        list_object_versions={"Versions": [{"Key": "k", "VersionId": "v"}], "DeleteMarkers": []},
        describe_stacks=[described("DELETE_FAILED"), described("DELETE_COMPLETE")],
        describe_stack_events=[
            {"StackEvents": []},
            {"StackEvents": [bucket_in_use]},
            {"StackEvents": [bucket_in_use]},
            {"StackEvents": [event(3, "DELETE_COMPLETE", "AWS::CloudFormation::Stack"), bucket_in_use]},
        ],
    )
    emptied: list[int] = []
    await teardown.destroy(
        aws,  # type: ignore[arg-type]
        deployed(StockBucket=("AWS::S3::Bucket", "b")),
        on_event=lambda _: None,
        emptied=emptied.append,
    )
    assert aws.names().count("delete_stack") == 2
    assert aws.names().count("delete_objects") == 2
    assert emptied == [1, 1]


async def test_destroy_that_fails_names_the_first_cause() -> None:
    """Any other failure is reported once, with how to continue."""
    cause = event(2, "DELETE_FAILED", "AWS::IAM::Role", "not authorized")
    aws = ScriptedAws(
        describe_stacks=described("DELETE_FAILED"),
        describe_stack_events=[{"StackEvents": []}, {"StackEvents": [cause]}],
    )
    with pytest.raises(
        CouldNotFinish, match=r"stack 's' could not be deleted: X \(AWS::IAM::Role\): not authorized; .*--stack s"
    ):
        await teardown.destroy(
            aws,
            deployed(),
            on_event=lambda _: None,
            emptied=lambda _: None,  # type: ignore[arg-type]
        )
    assert aws.names().count("delete_stack") == 1


async def test_object_that_cannot_be_deleted_is_named() -> None:
    """An error for one object in a page is not ignored."""
    aws = ScriptedAws(
        list_object_versions={"Versions": [{"Key": "k", "VersionId": "v"}]},
        delete_objects={"Errors": [{"Key": "k", "Message": "locked"}]},
    )
    with pytest.raises(CouldNotFinish, match="s3://b/k cannot be deleted: locked"):
        await artifact.empty_bucket(await aws.s3(), "b", lambda _: None)


async def test_bucket_of_another_account_is_not_used() -> None:
    """A bucket name that somebody else has is refused; the request names the owner we expect."""
    aws = ScriptedAws(head_bucket=refusal("403", "Forbidden"))
    with pytest.raises(CouldNotFinish, match="belongs to another account"):
        await artifact.ensure_bucket(aws)  # type: ignore[arg-type]
    assert aws.calls[0][1]["ExpectedBucketOwner"] == "123456789012"


async def test_bucket_is_made_in_its_region() -> None:
    """Outside us-east-1 the region is named, as S3 requires."""
    aws = ScriptedAws(head_bucket=refusal("404"))
    assert await artifact.ensure_bucket(aws)  # type: ignore[arg-type]
    assert aws.calls[1][1]["CreateBucketConfiguration"] == {"LocationConstraint": "eu-central-1"}


async def test_long_template_goes_by_s3(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template over the 51,200 bytes of a request is uploaded, and named by its URL."""
    monkeypatch.setattr(deployment, "INLINE_TEMPLATE_BYTES", 10)
    file = tmp_path / "p.zip"
    file.write_bytes(b"zip")
    aws = ScriptedAws(
        create_change_set={"Id": "arn:change-set/1", "StackId": STACK_ID},
        describe_change_set={"Status": "CREATE_COMPLETE", "Changes": []},
    )
    document = {"Resources": {"F": {"Type": transform.FUNCTION_TYPE, "Properties": {"CodeUri": ".."}}}}
    draft = deployment.Draft(declare.stack(document=document), "CREATE", None, ())
    package = Package(file, Target("3.13", "arm64"), "ab" * 32, 3, 3, True, ())
    made = await deployment.propose(
        aws,
        draft,
        package,
        local_transform=False,
        report=lambda _: None,  # type: ignore[arg-type]
    )
    assert isinstance(made, ChangeSet)
    request = next(request for name, request in aws.calls if name == "create_change_set")
    key = f"templates/{'ab' * 32}.json"
    assert (
        request["TemplateURL"]
        == f"https://stockpipe-artifacts-123456789012-eu-central-1.s3.eu-central-1.amazonaws.com/{key}"
    )
    (uploaded,) = [request for name, request in aws.calls if name == "put_object"]
    code = json.loads(uploaded["Body"])["Resources"]["F"]["Properties"]["CodeUri"]
    assert code == {"Bucket": "stockpipe-artifacts-123456789012-eu-central-1", "Key": f"lambda/{'ab' * 32}.zip"}


async def test_schedule_goes_on_after_a_failed_audit() -> None:
    """Whatever happens while the schedule is paused, the rule is enabled again; a disabled rule stays disabled."""
    aws = ScriptedAws(describe_rule={"State": "ENABLED"})

    async def fail() -> None:
        async with verification.paused(aws, "r") as was_running:  # type: ignore[arg-type]
            assert was_running
            raise ValueError("audit")

    with pytest.raises(ValueError, match="audit"):
        await fail()
    assert aws.names() == ["describe_rule", "disable_rule", "enable_rule"]
    stopped = ScriptedAws(describe_rule={"State": "DISABLED"})
    async with verification.paused(stopped, "r") as was_running:  # type: ignore[arg-type]
        assert not was_running
    assert stopped.names() == ["describe_rule"]


async def test_queue_counts_as_drained_when_it_stays_empty() -> None:
    """One empty poll of the queue is not enough after a pause: the counts lag."""

    def counts(visible: int) -> dict[str, Any]:
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(visible),
                "ApproximateNumberOfMessagesNotVisible": "0",
                "ApproximateNumberOfMessagesDelayed": "0",
            }
        }

    clock = InstantClock(0.0)
    aws = ScriptedAws(clock=clock, get_queue_attributes=[counts(0), counts(2), counts(0)])
    depths: list[int] = []
    assert await verification.wait_until_drained(aws, QUEUE, settle_s=60, timeout_s=600, progress=depths.append)  # type: ignore[arg-type]
    assert depths[:3] == [0, 2, 0]
    assert clock.now() == pytest.approx(70.0)
    full = ScriptedAws(clock=clock, get_queue_attributes=counts(1))
    assert not await verification.wait_until_drained(  # type: ignore[arg-type]
        full, QUEUE, settle_s=0, timeout_s=30, progress=depths.append
    )


def test_cost_is_lists_gets_and_read_units() -> None:
    """A million objects cost what S3's lists and gets cost, a table a read unit per 4 KB (us-east-1)."""
    assert verification.cost_usd(1_000_000, 0, 0) == pytest.approx(0.005 + 0.4)
    assert verification.cost_usd(0, 0, 4096 * 1_000_000) == pytest.approx(0.125)
    assert verification.cost_usd(1, 1, 1) == pytest.approx(2 * 0.005 / 1000 + 2 * 0.0004 / 1000 + 0.125e-6)


def test_half_made_stack_says_what_completes_it() -> None:
    """A resource that the stack does not (yet) have is named with the commands that help."""
    with pytest.raises(InputError, match=r"has no StockData; `stockpipe deploy --stack s` creates what is missing"):
        _ = deployed().table


async def test_figures_are_sums_of_the_last_hour_and_latest_ages() -> None:
    """Sums add up a metric's minutes, an age is its latest value, a metric without data is None."""
    now = datetime(2026, 11, 22, 9, tzinfo=UTC)
    minutes = [now - timedelta(minutes=2), now - timedelta(minutes=1)]
    first = {
        "MetricDataResults": [{"Id": "rows_written", "Timestamps": minutes, "Values": [1.0, 2.0]}],
        "NextToken": "x",
    }
    second = {"MetricDataResults": [{"Id": "queue_age", "Timestamps": minutes, "Values": [50.0, 7.0]}]}
    ticks_answer = {"MetricDataResults": [{"Id": "ticks", "Timestamps": minutes, "Values": [1.0, 1.0]}]}
    aws = ScriptedAws(
        clock=ManualClock(now.timestamp()),
        get_metric_data=[first, second, ticks_answer],
        get_queue_url={"QueueUrl": "https://queue/q"},
        get_queue_attributes={
            "Attributes": {
                "QueueArn": QUEUE.arn,
                "ApproximateNumberOfMessages": "4",
                "ApproximateNumberOfMessagesNotVisible": "2",
                "ApproximateNumberOfMessagesDelayed": "0",
            }
        },
        describe_table={"Table": {"ItemCount": 9, "TableSizeBytes": 90}},
        describe_alarms={"MetricAlarms": [{"AlarmName": "s-x", "StateValue": "ALARM"}]},
    )
    stack = deployed(
        StockQueue=("AWS::SQS::Queue", "https://queue/q"),
        StockDLQ=("AWS::SQS::Queue", "https://queue/q"),
        StockData=("AWS::DynamoDB::Table", "T"),
        GeneratorLambda=("AWS::Lambda::Function", "G"),
        ConsumerLambda=("AWS::Lambda::Function", "C"),
        Alarm=("AWS::CloudWatch::Alarm", "s-x"),
    )
    found = await status.read_status(aws, stack)  # type: ignore[arg-type]
    assert (found.rows_written, found.consumer_errors, found.rows, found.schedule) == (3.0, None, 9, None)
    assert (found.queue.visible, found.queue.in_flight, found.queue.oldest_age_s) == (4, 2, 7.0)
    assert found.last_tick_at == "2026-11-22T08:59:00Z"
    assert found.alarms == {"s-x": "ALARM"}
