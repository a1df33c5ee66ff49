"""Handlers that block, draw, wait and read the clock, in the ways in which people write them."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import secrets
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import boto3
from aiobotocore.session import get_session

logging.getLogger().setLevel("INFO")
s3, sqs = boto3.client("s3"), boto3.client("sqs")
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def tick(event: dict[str, Any], context: Any) -> None:
    """Put a few objects, one of them with the transfer manager, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda n: s3.put_object(Bucket=os.environ["BUCKET"], Key=f"{event['time']}/{n}", Body=b"x" * n),
                range(3),
            )
        )
    s3.upload_fileobj(BytesIO(secrets.token_bytes(100)), os.environ["BUCKET"], f"{event['time']}/{uuid.uuid4()}")


def split(event: dict[str, Any], context: Any) -> None:
    """Send what was put to the queue, with an asynchronous client."""

    async def send() -> None:
        async with get_session().create_client("sqs") as client:
            keys = [record["s3"]["object"]["key"] for record in event["Records"]]
            await asyncio.gather(
                *(client.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=key) for key in keys)
            )
            await asyncio.sleep(random.random())

    asyncio.run(send())


def work(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Store each message; some fail by chance, some take too long."""
    failed = []
    for record in event["Records"]:
        if random.random() < 0.2:
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        time.sleep(random.expovariate(1))
        if random.random() < 0.05:
            time.sleep(60)
        at, left = datetime.now(UTC).isoformat(), context.get_remaining_time_in_millis()
        logging.getLogger().info(json.dumps({"at": at, "left": left, "monotonic": time.monotonic()}))
        table.put_item(Item={"id": record["body"], "at": at, "token": secrets.token_hex(4), "by": str(uuid.uuid4())})
    return {"batchItemFailures": failed}
