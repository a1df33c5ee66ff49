"""Handlers of messages that are about no object: a clock that sends or drains them, and workers that follow steps."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import BotoCoreError
from shared import BACKLOG_URL, QUEUE_URL, TABLE, client, count, count_once, hasty, put, put_if

sqs, dynamodb = client("sqs"), client("dynamodb")
ORDERS = ("apples", "pears", "plums")


def _steps(event: Any) -> list[str]:
    return [each["body"] for each in event["Records"] if each["body"].isdigit()]


# Steps: the highest one is how far it is


def sends_steps(event: Any, context: Any) -> None:
    """Three steps in one call."""
    entries = [{"Id": str(step), "MessageBody": str(step)} for step in (1, 2, 3)]
    sqs.send_message_batch(QueueUrl=QUEUE_URL, Entries=entries)


def sends_steps_apart(event: Any, context: Any) -> None:
    """Two steps, two seconds apart."""
    for step in (1, 2):
        sqs.send_message(QueueUrl=QUEUE_URL, MessageBody=str(step))
        time.sleep(2)


def keeps_the_highest_step(event: Any, context: Any) -> None:
    """Well: a step says itself which one it is."""
    for step in _steps(event):
        put_if(dynamodb, "steps", "attribute_not_exists(id) OR step < :step", step=step)
        time.sleep(4)


def keeps_the_last_step(event: Any, context: Any) -> None:
    """Flaw: the message that comes last is taken for the last."""
    for step in _steps(event):
        put(dynamodb, "steps", step=step)


def keeps_the_latest_step(event: Any, context: Any) -> None:
    """Flaw: each environment's clock says which step is later."""
    for step in _steps(event):
        at = f"{time.time():020.6f}"
        put_if(dynamodb, "steps", "attribute_not_exists(id) OR began_at < :began_at", step=step, began_at=at)
        time.sleep(4)


# Orders: each is taken from the backlog, and stored


def _send_orders() -> None:
    entries = [{"Id": str(number), "MessageBody": order} for number, order in enumerate(ORDERS)]
    sqs.send_message_batch(QueueUrl=BACKLOG_URL, Entries=entries)


def _receive(wait_s: int) -> list[dict[str, Any]]:
    answer = sqs.receive_message(QueueUrl=BACKLOG_URL, MaxNumberOfMessages=10, WaitTimeSeconds=wait_s)
    received: list[dict[str, Any]] = answer.get("Messages", [])
    return received


def _entries(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"Id": str(number), "ReceiptHandle": each["ReceiptHandle"]} for number, each in enumerate(messages)]


def drains(event: Any, context: Any) -> None:
    """Well: it is done after some empty answers in a row, and deletes again what was not deleted."""
    _send_orders()
    empty = 0
    while empty < 3:
        messages = _receive(1)
        empty = 0 if messages else empty + 1
        for message in messages:
            put(dynamodb, message["Body"])
        left = _entries(messages)
        while left:
            failed = {
                each["Id"] for each in sqs.delete_message_batch(QueueUrl=BACKLOG_URL, Entries=left).get("Failed", [])
            }
            left = [each for each in left if each["Id"] in failed]


def drains_until_an_empty_answer(event: Any, context: Any) -> None:
    """Flaw: the first empty answer means that there is nothing."""
    _send_orders()
    while messages := _receive(0):
        for message in messages:
            put(dynamodb, message["Body"])
        sqs.delete_message_batch(QueueUrl=BACKLOG_URL, Entries=_entries(messages))


def drains_and_looks_away(event: Any, context: Any) -> None:
    """Flaw: a delete without an exception has deleted everything."""
    _send_orders()
    while messages := _receive(1):
        for message in messages:
            put(dynamodb, message["Body"])
        sqs.delete_message_batch(QueueUrl=BACKLOG_URL, Entries=_entries(messages))


def undoes_what_it_cannot_delete(event: Any, context: Any) -> None:
    """Flaw: a message whose delete fails comes again, so that the row is for the next one."""
    _send_orders()
    while messages := _receive(1):
        for message in messages:
            put(dynamodb, message["Body"])
            try:
                hasty("sqs").delete_message(QueueUrl=BACKLOG_URL, ReceiptHandle=message["ReceiptHandle"])
            except BotoCoreError:
                dynamodb.delete_item(TableName=TABLE, Key={"id": {"S": message["Body"]}})


# One long job, which a second invocation meets


def _works_on(event: Any) -> list[dict[str, Any]]:
    """The job, which is now this invocation's for long enough."""
    if event["time"].endswith("00:00:00Z"):
        sqs.send_message(QueueUrl=BACKLOG_URL, MessageBody="job")
    messages = _receive(20)
    for message in messages:
        handle = message["ReceiptHandle"]
        sqs.change_message_visibility(QueueUrl=BACKLOG_URL, ReceiptHandle=handle, VisibilityTimeout=250)
        time.sleep(100)
    return messages


def works_long(event: Any, context: Any) -> None:
    """Well: whoever has the same message is not counted again."""
    for message in _works_on(event):
        count_once(dynamodb, "job", message["MessageId"])
        sqs.delete_message(QueueUrl=BACKLOG_URL, ReceiptHandle=message["ReceiptHandle"])


def trusts_its_visibility(event: Any, context: Any) -> None:
    """Flaw: it has asked that the message stays hidden, so that nobody else has it."""
    for message in _works_on(event):
        count(dynamodb, "job")
        sqs.delete_message(QueueUrl=BACKLOG_URL, ReceiptHandle=message["ReceiptHandle"])
