"""Buckets that invoke functions: each event of the bucket is an asynchronous event of the function.

A store notifies only queues. So the twin makes a queue of its own between each such bucket and function, and hands its
messages to Lambda's asynchronous queue. Nothing else knows these queues, and no figure shows them.

AWS: Lambda Developer Guide, "Process Amazon S3 event notifications with Lambda" (with-s3).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.base import limits
from simulator.base.counters import is_test_event
from simulator.base.observations import Noted
from simulator.stack.model import Bucket, Function, Queue, Stack
from simulator.triggers.eventbridge import AsynchronousInvoker

_TO = ">"  # no logical id of a template has it


def through_queues(stack: Stack) -> Stack:
    """The stack with a queue between each bucket and each function that it notifies."""
    queues, buckets = dict(stack.queues), {}
    for bucket in stack.buckets.values():
        notifications = list(bucket.notifications)
        for number, each in enumerate(notifications):
            if each.target in stack.functions:
                queue = _between(bucket, stack.functions[each.target])
                queues[queue.logical_id] = queue
                notifications[number] = replace(each, target=queue.logical_id)
        buckets[bucket.logical_id] = replace(bucket, notifications=tuple(notifications))
    return replace(stack, queues=queues, buckets=buckets)


def _between(bucket: Bucket, function: Function) -> Queue:
    """The queue; its name is its own, because it contains a hash of the others'."""
    name = f"stockpipe-{hashlib.sha256(f'{bucket.arn} {function.arn}'.encode()).hexdigest()[:32]}"
    arn = f"arn:aws:sqs:{limits.REGION}:{limits.ACCOUNT_ID}:{name}"
    sender = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**sender, "Resource": arn}]}
    return Queue(f"{bucket.logical_id}{_TO}{function.logical_id}", name, arn, policy=policy)


async def deliver(queue: str, queue_url: str, invoker: AsynchronousInvoker, stop: asyncio.Event) -> None:
    """Hand each event in the queue (a logical id of `through_queues`) to its function, until `stop`.

    An event is deleted only after it was accepted: at any moment it is in the queue, or the invoker knows it. S3 sends
    no test events to functions, so that of the queue is dropped.
    """
    bucket, _, function = queue.partition(_TO)
    while not stop.is_set():
        try:
            if invoker.pending > limits.ASYNC_QUEUED_EVENTS // 10:
                await invoker.clock.sleep(limits.POLL_SLICE_S)
                continue
            answer = await invoker.sqs.receive_message(
                QueueUrl=queue_url, MaxNumberOfMessages=limits.SQS_BATCH_ENTRIES, WaitTimeSeconds=limits.POLL_SLICE_S
            )
            done: list[Any] = []
            for message in answer.get("Messages", []):
                if not is_test_event(message["Body"]):
                    invoker.accept(function, json.loads(message["Body"]))
                done.append({"Id": str(len(done)), "ReceiptHandle": message["ReceiptHandle"]})
            if done:
                await invoker.sqs.delete_message_batch(QueueUrl=queue_url, Entries=done)
        except (BotoCoreError, ClientError) as error:
            invoker.record(Noted(invoker.clock.now(), f"events of {bucket} do not arrive: {error}", "warning"))
            await invoker.clock.sleep(limits.POLL_SLICE_S)
