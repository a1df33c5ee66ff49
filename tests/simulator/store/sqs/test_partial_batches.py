"""SendMessageBatch reports each message separately: one that SQS refuses does not fail the others."""

from __future__ import annotations

import urllib.parse
import urllib.request
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from botocore.exceptions import ClientError

from fakes.signatures import signed

SIZE_TEXT = "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes."


@pytest.fixture
def queue(sqs: Any, name: str) -> str:
    """The URL of a queue whose messages have at most 1,024 bytes."""
    return str(sqs.create_queue(QueueName=name, Attributes={"MaximumMessageSize": "1024"})["QueueUrl"])


def bodies(sqs: Any, queue: str) -> list[str]:
    """The bodies in the queue."""
    return [each["Body"] for each in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ())]


def test_entries_that_are_refused_stand_alone(sqs: Any, queue: str) -> None:
    """A forbidden character, a body above the queue's limit and a delay out of range are each in `Failed`."""
    answer = sqs.send_message_batch(
        QueueUrl=queue,
        Entries=[
            {"Id": "first", "MessageBody": "a" * 1024},
            {"Id": "bell", "MessageBody": "\x07"},
            {"Id": "long", "MessageBody": "a" * 1025},
            {"Id": "late", "MessageBody": "m", "DelaySeconds": 901},
            {"Id": "last", "MessageBody": "m", "MessageAttributes": {"a": {"DataType": "String", "StringValue": "b"}}},
        ],
    )
    assert [each["Id"] for each in answer["Successful"]] == ["first", "last"]
    failed = {each["Id"]: (each["Code"], each["SenderFault"], each["Message"]) for each in answer["Failed"]}
    assert failed["long"] == ("InvalidParameterValue", True, SIZE_TEXT)
    assert (failed["bell"][0], "#x7" in failed["bell"][2]) == ("InvalidMessageContents", True)
    assert failed["late"][2].endswith("Reason: DelaySeconds must be >= 0 and <= 900.")
    assert list(failed) == ["bell", "long", "late"]
    assert bodies(sqs, queue) == ["a" * 1024, "m"]


def test_a_batch_may_fail_entry_by_entry_and_as_a_whole(sqs: Any, queue: str) -> None:
    """If all its messages are refused, it is 200; over 1 MiB together, or a repeated name, is an error for all."""
    every = sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "\x07"}])
    assert ([each["Id"] for each in every["Failed"]], every.get("Successful", [])) == (["1"], [])
    with pytest.raises(ClientError, match=r"longer than 1048576 bytes\. You have sent 1048577 bytes") as caught:
        sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": "a" * 1_048_577}])
    assert caught.value.response["Error"]["Code"] == "AWS.SimpleQueueService.BatchRequestTooLong"
    twice = [{"Id": "1", "MessageBody": "m"}, {"Id": "1", "MessageBody": "\x07"}]
    with pytest.raises(ClientError, match="Id 1 repeated"):
        sqs.send_message_batch(QueueUrl=queue, Entries=twice)
    with pytest.raises(ClientError, match="MessageBody"):
        sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": "1", "MessageBody": ""}])
    assert bodies(sqs, queue) == []


@pytest.mark.parametrize("refused", [["2"], ["1", "2", "3"]])
def test_the_older_protocol_has_the_same_parts(store_endpoint: str, sqs: Any, queue: str, refused: list[str]) -> None:
    """In XML; a message keeps its own delay and body when one before it is refused."""
    form = {"Action": "SendMessageBatch", "Version": "2012-11-05", "QueueUrl": queue}
    for number in ("1", "2", "3"):
        entry = f"SendMessageBatchRequestEntry.{number}."
        form |= {f"{entry}Id": f"m{number}", f"{entry}MessageBody": "\x07" if number in refused else f"body {number}"}
    request = urllib.request.Request(
        store_endpoint + "/", urllib.parse.urlencode(form).encode(), headers={"Authorization": signed("sqs")}
    )
    with urllib.request.urlopen(request) as answer:
        root = ET.fromstring(answer.read())
    sent = [element.text for element in root.iterfind(".//{*}SendMessageBatchResultEntry/{*}Id")]
    failed = [element.text for element in root.iterfind(".//{*}BatchResultErrorEntry/{*}Id")]
    assert failed == [f"m{number}" for number in refused]
    assert sent == [f"m{number}" for number in ("1", "2", "3") if number not in refused]
    assert bodies(sqs, queue) == [f"body {number}" for number in ("1", "2", "3") if number not in refused]
