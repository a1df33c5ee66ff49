"""What SQS documents and moto does not do, each with its sentence. Against a running store."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fakes.clock import ManualClock
from fakes.signatures import signed
from fakes.waiting import wait_until
from simulator.base.chance import Identifiers, stream
from simulator.store.sqs.long_poll import LongPolls
from simulator.store.sqs.rules import check_request
from simulator.store.wire.aws_errors import AwsError
from simulator.store.wire.messages import Request, Response, Routed
from simulator.store.wire.routing import route

ARN = "arn:aws:sqs:us-east-1:123456789012:"


@pytest.fixture
def queue(sqs: Any, name: str) -> str:
    """The URL of an empty queue."""
    return str(sqs.create_queue(QueueName=name)["QueueUrl"])


@pytest.fixture
def dead_letters(sqs: Any, name: str) -> tuple[str, str]:
    """The URLs of a queue that gives up after one receive, and of its dead-letter queue."""
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": f"{ARN}{name}-dead", "maxReceiveCount": 1})
    source = sqs.create_queue(QueueName=f"{name}-source", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    return str(source), str(dead)


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """The code and text of a refusal."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_body_with_a_character_outside_the_allowed_set_is_refused(sqs: Any, queue: str) -> None:
    """SendMessage: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF, and nothing else."""
    code, text = refused(sqs.send_message, QueueUrl=queue, MessageBody="bell \x07")
    assert (code, "#x7" in text) == ("InvalidMessageContents", True)
    sqs.send_message(QueueUrl=queue, MessageBody="tab\t, line\n and \u20ac \U0001f600 may stay")


def test_a_message_without_a_body_is_refused(sqs: Any, queue: str) -> None:
    """SendMessage: the minimum size is one character."""
    assert refused(sqs.send_message, QueueUrl=queue, MessageBody="")[0] == "MissingParameter"


def test_a_message_is_measured_in_bytes_not_characters(sqs: Any, queue: str) -> None:
    """SetQueueAttributes: MaximumMessageSize is the limit of how many bytes a message can contain."""
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MaximumMessageSize": "1024"})
    code, text = refused(sqs.send_message, QueueUrl=queue, MessageBody="\u20ac" * 400)
    assert (code, text.endswith("Message must be shorter than 1024 bytes.")) == ("InvalidParameterValue", True)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("VisibilityTimeout", "43201"),
        ("DelaySeconds", "901"),
        ("MessageRetentionPeriod", "59"),
        ("ReceiveMessageWaitTimeSeconds", "21"),
        ("MaximumMessageSize", "1048577"),
    ],
)
def test_a_queue_attribute_out_of_its_range_is_refused(sqs: Any, queue: str, attribute: str, value: str) -> None:
    """SetQueueAttributes names a range for every number; CreateQueue the same."""
    expected = ("InvalidAttributeValue", f"Invalid value for the parameter {attribute}.")
    assert refused(sqs.set_queue_attributes, QueueUrl=queue, Attributes={attribute: value}) == expected
    assert refused(sqs.create_queue, QueueName="never-made", Attributes={attribute: value}) == expected


@pytest.mark.parametrize(
    ("parameter", "value"), [("VisibilityTimeout", 43_201), ("WaitTimeSeconds", 21), ("MaxNumberOfMessages", 11)]
)
def test_a_receive_out_of_range_is_refused(sqs: Any, queue: str, parameter: str, value: int) -> None:
    """ReceiveMessage: visibility 0 to 43,200 s, wait 0 to 20 s, 1 to 10 messages."""
    code, text = refused(sqs.receive_message, QueueUrl=queue, **{parameter: value})
    assert code == "InvalidParameterValue"
    assert text.startswith(f"Value {value} for parameter {parameter} is invalid. Reason: Must be")


def test_a_stale_receipt_handle_succeeds_and_deletes_nothing(sqs: Any, queue: str) -> None:
    """DeleteMessage: with an old handle the request succeeds, but the message might not be deleted."""
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    old = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)["Messages"][0]["ReceiptHandle"]
    new = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=30)["Messages"][0]["ReceiptHandle"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=old)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=new, VisibilityTimeout=0)
    again = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=30)["Messages"][0]["ReceiptHandle"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=again)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)


def test_a_message_changes_its_visibility_until_somebody_else_has_it(sqs: Any, queue: str) -> None:
    """ChangeMessageVisibility: it works after the timeout, too; then the message is hidden again, and comes back once.

    A handle that another receive has replaced, of a message that is not in flight, is refused, and one that is deleted.
    """
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    old = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)["Messages"][0]["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=old, VisibilityTimeout=30)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=old, VisibilityTimeout=0)
    (message,) = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0, MaxNumberOfMessages=10)["Messages"]
    for _ in range(2):
        code, text = refused(sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=old, VisibilityTimeout=5)
        assert code == "InvalidParameterValue"
        assert "not available for visibility timeout change" in text
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def test_a_dead_letter_names_the_queue_it_came_from(sqs: Any, dead_letters: tuple[str, str]) -> None:
    """ReceiveMessage: DeadLetterQueueSourceArn is an attribute of redriven messages."""
    source, dead = dead_letters
    sent = sqs.send_message(QueueUrl=source, MessageBody="m")["MessageId"]
    sqs.receive_message(QueueUrl=source, VisibilityTimeout=0)
    assert "Messages" not in sqs.receive_message(QueueUrl=source)
    message = sqs.receive_message(QueueUrl=dead, MessageSystemAttributeNames=["All"])["Messages"][0]
    assert message["MessageId"] == sent
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == ARN + source.rsplit("/", 1)[-1]
    assert message["Attributes"]["ApproximateReceiveCount"] == "2"


def test_a_dead_letter_is_not_deleted_by_a_handle_of_its_source(sqs: Any, dead_letters: tuple[str, str]) -> None:
    """DeleteMessage: ReceiptHandleIsInvalid for a message that has left the queue; it stays where it went."""
    source, dead = dead_letters
    sqs.send_message(QueueUrl=source, MessageBody="m")
    handle = sqs.receive_message(QueueUrl=source, VisibilityTimeout=0)["Messages"][0]["ReceiptHandle"]
    assert "Messages" not in sqs.receive_message(QueueUrl=source)
    assert refused(sqs.delete_message, QueueUrl=source, ReceiptHandle=handle)[0] == "ReceiptHandleIsInvalid"
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=dead)["Messages"]] == ["m"]


@pytest.mark.parametrize(("in_flight", "full"), [(119_999, False), (120_000, True)])
def test_the_cap_on_messages_in_flight_is_120_000(in_flight: int, full: bool) -> None:
    """Quotas: about 120,000 in flight messages; a short poll beyond them is refused with OverLimit."""
    depot = SimpleNamespace(counts=lambda _now_ms: (1, in_flight, 0))
    queue = SimpleNamespace(fifo_queue=False, _stockpipe_depot=depot)

    def receive() -> None:
        check_request("ReceiveMessage", {"QueueUrl": "q"}, queue, 0.0)

    if not full:
        receive()
        return
    with pytest.raises(AwsError, match="maximum number of in flight messages") as caught:
        receive()
    assert (caught.value.code, caught.value.status) == ("OverLimit", 403)


async def test_a_long_poll_over_the_cap_is_empty_and_no_error() -> None:
    """Quotas: with long polling no error is returned when the limit is reached, only no messages."""

    def over(_routed: Routed) -> Response:
        raise AwsError("OverLimit", "The maximum number of in flight messages is reached.", status=403)

    request = Request("POST", "/", {"x-amz-target": "AmazonSQS.ReceiveMessage"}, (), b'{"QueueUrl":"q"}')
    routed = route(request, Identifiers(stream(0, "requests")))
    answer = await LongPolls(ManualClock(), announced=True).poll(routed, None, 0, over)
    assert (answer.status, answer.body) == (200, b"{}")


def test_a_long_poll_ends_as_soon_as_a_message_comes(sqs: Any, queue: str) -> None:
    """ReceiveMessage: if a message is available, the call returns sooner than WaitTimeSeconds."""
    received: list[Any] = []
    poll = threading.Thread(target=lambda: received.append(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)))
    poll.start()
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    poll.join(10)
    assert [message["Body"] for message in received[0]["Messages"]] == ["m"]


def test_hidden_messages_end_a_long_poll_when_they_come_back(sqs: Any, queue: str) -> None:
    """A long poll also sees messages whose visibility timeout ends while it waits."""
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    sqs.receive_message(QueueUrl=queue, VisibilityTimeout=1)
    again = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10, AttributeNames=["All"])["Messages"][0]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def _fill(sqs: Any, source: str, count: int) -> None:
    for number in range(count):
        sqs.send_message(QueueUrl=source, MessageBody=f"m{number}")
    for _ in range(2):
        sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10, VisibilityTimeout=0)


def _ended_task(sqs: Any, source_arn: str) -> Any:
    """The queue's last move task, None while it runs."""
    latest = sqs.list_message_move_tasks(SourceArn=source_arn)["Results"][0]
    return latest if latest["Status"] != "RUNNING" else None


def test_a_move_task_brings_dead_letters_back_as_new_messages(sqs: Any, dead_letters: tuple[str, str]) -> None:
    """StartMessageMoveTask without a destination: back to their source queues, with new ids and counts."""
    source, dead = dead_letters
    _fill(sqs, source, 3)
    dead_arn = ARN + dead.rsplit("/", 1)[-1]
    before = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]
    assert before["ApproximateNumberOfMessages"] == "3"
    sqs.start_message_move_task(SourceArn=dead_arn)
    task = wait_until(lambda: _ended_task(sqs, dead_arn))
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 3)
    assert "TaskHandle" not in task
    back = sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10, AttributeNames=["All"])["Messages"]
    assert [message["Attributes"]["ApproximateReceiveCount"] for message in back] == ["1", "1", "1"]


def test_a_move_task_goes_to_the_destination_at_its_rate_and_can_be_cancelled(
    sqs: Any, dead_letters: tuple[str, str], queue: str
) -> None:
    """StartMessageMoveTask: MaxNumberOfMessagesPerSecond; CancelMessageMoveTask: what has moved stays moved."""
    source, dead = dead_letters
    _fill(sqs, source, 5)
    dead_arn, destination = ARN + dead.rsplit("/", 1)[-1], ARN + queue.rsplit("/", 1)[-1]
    handle = sqs.start_message_move_task(
        SourceArn=dead_arn, DestinationArn=destination, MaxNumberOfMessagesPerSecond=1
    )["TaskHandle"]
    running = sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"][0]
    assert (running["Status"], running["TaskHandle"]) == ("RUNNING", handle)
    assert refused(sqs.start_message_move_task, SourceArn=dead_arn)[0].endswith("UnsupportedOperation")
    moved = sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"]
    assert moved < 5
    assert refused(sqs.cancel_message_move_task, TaskHandle=handle)[0] == "ResourceNotFoundException"
    left = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]
    assert int(left["ApproximateNumberOfMessages"]) == 5 - moved


def test_a_move_task_fails_at_a_message_that_came_from_no_queue(sqs: Any, dead_letters: tuple[str, str]) -> None:
    """ListMessageMoveTasks: CouldNotDetermineMessageSource; the message stays, and the store goes on answering."""
    _, dead = dead_letters
    dead_arn = ARN + dead.rsplit("/", 1)[-1]
    sqs.send_message(QueueUrl=dead, MessageBody="sent here")
    sqs.start_message_move_task(SourceArn=dead_arn)
    task = wait_until(lambda: _ended_task(sqs, dead_arn))
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=dead)["Messages"]] == ["sent here"]


def test_only_a_dead_letter_queue_can_be_redriven(sqs: Any, queue: str) -> None:
    """StartMessageMoveTask: the source must be the dead-letter queue of another queue, and exist."""
    arn = ARN + queue.rsplit("/", 1)[-1]
    expected = ("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    assert refused(sqs.start_message_move_task, SourceArn=arn) == expected
    assert refused(sqs.start_message_move_task, SourceArn=ARN + "gone")[0] == "ResourceNotFoundException"


def test_a_client_of_the_older_protocol_gets_the_same_refusals(store_endpoint: str, queue: str) -> None:
    """The query protocol follows the rules too, in XML."""
    import urllib.error
    import urllib.parse
    import urllib.request

    headers = {"Authorization": signed("sqs")}
    form = {"Action": "SendMessage", "Version": "2012-11-05", "MessageBody": "bell \x07", "QueueUrl": queue}
    request = urllib.request.Request(store_endpoint + "/", urllib.parse.urlencode(form).encode(), headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as answer:
        assert answer.code == 400
        assert b"<Code>InvalidMessageContents</Code>" in answer.read()
    form |= {"MessageBody": "fine"}
    request = urllib.request.Request(store_endpoint + "/", urllib.parse.urlencode(form).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        assert b"<MessageId>" in answer.read()
    form |= {"Action": "ReceiveMessage", "WaitTimeSeconds": "5"}
    request = urllib.request.Request(store_endpoint + "/", urllib.parse.urlencode(form).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        assert b"<Body>fine</Body>" in answer.read()
