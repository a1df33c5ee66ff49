"""Temporary resources for the raw ceiling at a local endpoint: a bucket that notifies a queue, and a table."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.base import limits
from simulator.base.clients import Clients
from simulator.base.errors import CouldNotFinish
from simulator.load.send.protocol import MeasureCeiling
from simulator.stack.model import Table
from simulator.twin.resources import create_table

NAME = "stockpipe-ceiling"


@contextlib.asynccontextmanager
async def scratch(clients: Clients, endpoint: str, rows: int) -> AsyncIterator[MeasureCeiling]:
    """Create the resources for the block, and yield the order that uses them. They are never the user's own."""
    try:
        order = MeasureCeiling(f"{endpoint}/{NAME}", await _create(clients), NAME, rows)
    except (BotoCoreError, ClientError) as error:
        raise CouldNotFinish(f"the raw ceiling's own resources could not be created at {endpoint}: {error}") from error
    try:
        yield order
    finally:
        with contextlib.suppress(BotoCoreError, ClientError):
            await _remove(clients, order.queue_url)


async def _create(clients: Clients) -> str:
    arn = f"arn:aws:sqs:{limits.REGION}:{limits.ACCOUNT_ID}:{NAME}"
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{NAME}"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    queue = await clients.sqs.create_queue(QueueName=NAME, Attributes={"Policy": policy})
    await clients.s3.create_bucket(Bucket=NAME)
    await clients.s3.put_bucket_notification_configuration(
        Bucket=NAME,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    await create_table(Table("", NAME, "", (("PK", "S"), ("SK", "S"))), clients)
    return queue["QueueUrl"]


async def _remove(clients: Clients, queue_url: str) -> None:
    await clients.dynamodb.delete_table(TableName=NAME)
    await clients.sqs.delete_queue(QueueUrl=queue_url)
    async for page in clients.s3.get_paginator("list_objects_v2").paginate(Bucket=NAME):
        keys: Any = [{"Key": entry["Key"]} for entry in page.get("Contents", ())]
        if keys:
            await clients.s3.delete_objects(Bucket=NAME, Delete={"Objects": keys, "Quiet": True})
    await clients.s3.delete_bucket(Bucket=NAME)
