"""The dead-letter queue: what is in it and why, and how to send it back to the queue."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from simulator.base.errors import CouldNotFinish
from simulator.base.words import counted
from simulator.proof.notifications import ObjectRef, objects_of
from stockpipe.deploy.aws import Aws, error_code, is_absent
from stockpipe.deploy.deployed import QueueAddress

PEEK_VISIBILITY_S = 300
"""How long an inspected message stays hidden if it is not made visible again."""
BATCH = 10
REASONS_WINDOW_S = 14 * 86_400
"""How long a message can have waited in the dead-letter queue."""
POLL_S = 2.0
_UNSUPPORTED = {"InternalFailure", "InternalError", "500", "501", "UnsupportedOperation", "InvalidAction"}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that failed too often. `sent` is when, in the form `2026-11-22 09:00:01Z`, or `?` if unknown."""

    message_id: str
    objects: tuple[ObjectRef, ...]
    sent: str
    body: str


async def peek(aws: Aws, queue: QueueAddress, limit: int | None) -> AsyncGenerator[DeadLetter, None]:
    """Messages of a queue, each once, made visible again at the end in any case; `limit` None: all of them.

    This is for a queue that nothing else reads. A message stays hidden from others during the inspection.
    """
    sqs = await aws.sqs()
    known: set[str] = set()
    handles: list[str] = []
    try:
        while limit is None or len(known) < limit:
            answer = await sqs.receive_message(
                QueueUrl=queue.url,
                MaxNumberOfMessages=BATCH if limit is None else min(BATCH, limit - len(known)),
                VisibilityTimeout=PEEK_VISIBILITY_S,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["SentTimestamp"],
            )
            messages = answer.get("Messages", [])
            handles += [message["ReceiptHandle"] for message in messages]
            new = [message for message in messages if message["MessageId"] not in known]
            if not new:
                return
            for message in new:
                known.add(message["MessageId"])
                yield _dead_letter(message)
    finally:
        for start in range(0, len(handles), BATCH):
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for number, handle in enumerate(handles[start : start + BATCH])
            ]
            await sqs.change_message_visibility_batch(QueueUrl=queue.url, Entries=entries)


async def find_reason(aws: Aws, log_group: str | None, message_id: str) -> str | None:
    """The last reason in the consumer's log for this message."""
    if log_group is None:
        return None
    logs = await aws.logs()
    reason: str | None = None
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=log_group,
        filterPattern=f'"{message_id}"',
        startTime=int((aws.clock.now() - REASONS_WINDOW_S) * 1000),
        PaginationConfig={"MaxItems": 1000},
    )
    try:
        async for page in pages:
            for event in page["events"]:
                reason = _reason_in(event.get("message", ""), message_id) or reason
    except ClientError as error:
        if not is_absent(error):
            raise
    return reason


async def send_back(aws: Aws, source: QueueAddress, target: QueueAddress, progress: Callable[[int], None]) -> int:
    """Move every message back and wait until that is done; returns how many. `progress` gets the running total.

    At an endpoint without message move tasks this moves message by message: it sends first, then deletes, so that an
    interruption leaves a message in both queues rather than in none.
    """
    sqs = await aws.sqs()
    try:
        task = await sqs.start_message_move_task(SourceArn=source.arn, DestinationArn=target.arn)
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if aws.endpoint_url and (status >= 500 or error_code(error) in _UNSUPPORTED):
            return await _move_by_hand(aws, source, target, progress)
        raise
    handle = task.get("TaskHandle")
    while True:
        answer = await sqs.list_message_move_tasks(SourceArn=source.arn, MaxResults=BATCH)
        tasks = answer.get("Results", [])
        found: Any = next((listed for listed in tasks if listed.get("TaskHandle") == handle), tasks[0] if tasks else {})
        moved = int(found.get("ApproximateNumberOfMessagesMoved", 0))
        progress(moved)
        if found.get("Status") == "COMPLETED":
            return moved
        if found.get("Status") in {"FAILED", "CANCELLED"}:
            reason = found.get("FailureReason") or found["Status"].lower()
            said = f"{counted(moved, 'message')} moved back, then it ended: {reason}"
            raise CouldNotFinish(said, hint="run it again for the rest")
        await aws.clock.sleep(POLL_S)


async def _move_by_hand(aws: Aws, source: QueueAddress, target: QueueAddress, progress: Callable[[int], None]) -> int:
    sqs, moved = await aws.sqs(), 0
    while True:
        answer = await sqs.receive_message(QueueUrl=source.url, MaxNumberOfMessages=BATCH)
        messages = answer.get("Messages", [])
        if not messages:
            return moved
        for message in messages:
            await sqs.send_message(QueueUrl=target.url, MessageBody=message["Body"])
            await sqs.delete_message(QueueUrl=source.url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
        progress(moved)


def _dead_letter(message: Any) -> DeadLetter:
    sent_ms = message.get("Attributes", {}).get("SentTimestamp")
    sent = f"{datetime.fromtimestamp(int(sent_ms) / 1000, UTC):%Y-%m-%d %H:%M:%SZ}" if sent_ms else "?"
    return DeadLetter(message["MessageId"], objects_of(message["Body"]), sent, message["Body"])


def _reason_in(line: str, message_id: str) -> str | None:
    """The `reason` in a JSON log line about this message."""
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    if not isinstance(fields, dict) or message_id not in fields.values():
        return None
    reason = fields.get("reason")
    return str(reason) if reason else None
