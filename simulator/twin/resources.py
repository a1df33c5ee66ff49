"""Makes the stack's queues, buckets and tables in a store, with API calls.

The store's own CloudFormation is no use for this: it silently drops the notification, the queue policy and more.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from simulator.base import limits
from simulator.base.clients import Clients
from simulator.base.errors import CouldNotFinish, InputError, one_failure
from simulator.stack.model import Bucket, Notification, Queue, Stack, Table
from simulator.stack.wiring import flow

_TEMPLATE_S_FAULT = (400, 404, 409)


@dataclass(frozen=True, slots=True)
class Resources:
    """Where a run's resources are: names and URLs, as in the summary and the ready file.

    The first four are the first of their kind that the data passes through, None if there is none. The others have all
    of a kind by logical id; `event_queues` has the URLs of the twin's own queues, each with the logical id of its
    function.
    """

    bucket: str | None
    queue_url: str | None
    dlq_url: str | None
    table: str | None
    queue_urls: Mapping[str, str]
    buckets: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    event_queues: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The ready file's `resources`, of which the summary has the first four."""
        first = {name: getattr(self, name) for name in ("bucket", "queue_url", "dlq_url", "table")}
        return first | {"buckets": self.buckets, "queues": self.queue_urls, "tables": self.tables}


class ResourceRefused(InputError):
    """The store refused what the template says about a resource. The cause is its refusal."""


class ResourceNotMade(CouldNotFinish):
    """The store failed to make a resource, or does not answer. The cause is its error."""


async def create(stack: Stack, clients: Clients) -> Resources:
    """Make every queue, bucket and table of the stack, and the twin's own queues, in the order that AWS needs.

    A dead-letter queue comes before the queue that names it; queue and policy come before the bucket's notification,
    because S3 checks both. Raises `ResourceRefused` and `ResourceNotMade`.
    """
    parts, own = flow(stack), event_queues(stack)
    urls: dict[str, str] = {}
    with one_failure():
        async with asyncio.TaskGroup() as group:
            for table in stack.tables.values():
                group.create_task(create_table(table, clients))
            queues = (*stack.queues.values(), *own.values())
            for queue in sorted(queues, key=lambda queue: _redrives(queue, stack)):  # targets first
                with _making(queue.logical_id):
                    attributes = queue_attributes(queue, stack)
                    answer = await clients.sqs.create_queue(QueueName=queue.name, Attributes=attributes)
                urls[queue.logical_id] = answer["QueueUrl"]
            for bucket in stack.buckets.values():
                with _making(bucket.logical_id):
                    await _create_bucket(bucket, stack, own, clients)
    return Resources(
        bucket=next((bucket.name for bucket in parts.buckets), None),
        queue_url=next((urls[queue.logical_id] for queue in parts.queues), None),
        dlq_url=next((urls[queue.logical_id] for queue in parts.dead_letter_queues), None),
        table=next((table.name for table in parts.tables), None),
        queue_urls={logical_id: urls[logical_id] for logical_id in stack.queues},
        buckets={bucket.logical_id: bucket.name for bucket in stack.buckets.values()},
        tables={table.logical_id: table.name for table in stack.tables.values()},
        event_queues=tuple((urls[queue.logical_id], function) for (_, function), queue in own.items()),
    )


def event_queues(stack: Stack) -> dict[tuple[str, str], Queue]:
    """A queue between each bucket and each function that it invokes, by their logical ids.

    A store can notify only queues. The name is the twin's own, because it has a hash of the others'.
    """
    queues: dict[tuple[str, str], Queue] = {}
    for bucket in stack.buckets.values():
        for target in {each.target: None for each in bucket.notifications if each.target in stack.functions}:
            ends = f"{bucket.arn} {stack.functions[target].arn}"
            name = f"stockpipe-{hashlib.sha256(ends.encode()).hexdigest()[:32]}"
            arn = f"arn:aws:sqs:{limits.REGION}:{limits.ACCOUNT_ID}:{name}"
            allowed = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
            policy = {"Statement": [{**allowed, "Resource": arn}]}
            queues[bucket.logical_id, target] = Queue(f"{bucket.logical_id} > {target}", name, arn, policy=policy)
    return queues


def _redrives(queue: Queue, stack: Stack) -> int:
    """How many dead-letter queues are behind it, one behind the other; a circle has a number, too."""
    number = 0
    while queue.redrive and number < len(stack.queues):
        queue, number = stack.queues[queue.redrive.dead_letter_queue], number + 1
    return number


def queue_attributes(queue: Queue, stack: Stack) -> dict[Any, str]:
    """The attributes of CreateQueue: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/."""
    attributes = {
        "VisibilityTimeout": str(queue.visibility_timeout_s),
        "ReceiveMessageWaitTimeSeconds": str(queue.receive_wait_s),
        "MessageRetentionPeriod": str(queue.retention_s),
        "DelaySeconds": str(queue.delay_s),
        "MaximumMessageSize": str(queue.maximum_message_bytes),
    }
    if queue.redrive:
        target, receives = stack.queues[queue.redrive.dead_letter_queue], queue.redrive.maximum_receives
        attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": target.arn, "maxReceiveCount": receives})
    if queue.policy:
        attributes["Policy"] = json.dumps(queue.policy)
    return attributes


async def _create_bucket(bucket: Bucket, stack: Stack, own: Mapping[tuple[str, str], Queue], clients: Clients) -> None:
    await clients.s3.create_bucket(Bucket=bucket.name)
    if bucket.versioned:
        await clients.s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    if bucket.notifications:
        configurations = [
            _queue_configuration(each, stack.queues.get(each.target) or own[bucket.logical_id, each.target])
            for each in bucket.notifications
        ]
        wanted: Any = {"QueueConfigurations": configurations}
        await clients.s3.put_bucket_notification_configuration(Bucket=bucket.name, NotificationConfiguration=wanted)


def _queue_configuration(notification: Notification, queue: Queue) -> Any:
    given = (("prefix", notification.prefix), ("suffix", notification.suffix))
    rules = [{"Name": name, "Value": value} for name, value in given if value]
    return {
        "QueueArn": queue.arn,
        "Events": list(notification.events),
        **({"Filter": {"Key": {"FilterRules": rules}}} if rules else {}),
    }


def table_request(table: Table) -> dict[str, Any]:
    """The request of CreateTable: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/.

    The template's attribute definitions are passed on as they are: the store refuses those that agree with no key.
    """
    request: dict[str, Any] = {
        "TableName": table.name,
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in (table.attributes or dict(table.keys)).items()
        ],
        "KeySchema": _key_schema([name for name, _ in table.keys]),
        "BillingMode": "PROVISIONED" if table.provisioned_units else "PAY_PER_REQUEST",
    }
    throughput: dict[str, Any] = {}
    if table.provisioned_units:
        reads, writes = table.provisioned_units
        throughput["ProvisionedThroughput"] = {"ReadCapacityUnits": reads, "WriteCapacityUnits": writes}
    request |= throughput
    for index in table.indexes:
        kind, own = ("GlobalSecondaryIndexes", throughput) if index.is_global else ("LocalSecondaryIndexes", {})
        projection: dict[str, Any] = {"ProjectionType": index.projection}
        if index.projected:
            projection["NonKeyAttributes"] = list(index.projected)
        made = {"IndexName": index.name, "KeySchema": _key_schema(index.keys), "Projection": projection, **own}
        request.setdefault(kind, []).append(made)
    if table.maximum_write_units:
        request["OnDemandThroughput"] = {"MaxWriteRequestUnits": table.maximum_write_units}
    units = (("ReadUnitsPerSecond", table.warm_read_units), ("WriteUnitsPerSecond", table.warm_write_units))
    if warm := {name: value for name, value in units if value is not None}:
        request["WarmThroughput"] = warm
    return request


def _key_schema(names: Sequence[str]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": role} for role, name in zip(("HASH", "RANGE"), names, strict=False)]


async def create_table(table: Table, clients: Clients) -> None:
    """Make one table of the stack and wait until it is active. Raises like `create`."""
    with _making(table.logical_id):
        await clients.dynamodb.create_table(**table_request(table))
        patience: Any = {"Delay": 1, "MaxAttempts": limits.TABLE_ACTIVE_ATTEMPTS}
        await clients.dynamodb.get_waiter("table_exists").wait(TableName=table.name, WaiterConfig=patience)


@contextmanager
def _making(logical_id: str) -> Iterator[None]:
    """Turn an error while making the resource in the block into one line that names it."""
    try:
        yield
    except ClientError as error:
        refusal = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        message, code = refusal.get("Message") or "no reason given", refusal.get("Code", status)
        reason = f"{error.operation_name}: {message} ({code})"
        if status in _TEMPLATE_S_FAULT:
            raise ResourceRefused(f"{logical_id} was refused by {reason}") from error
        raise ResourceNotMade(f"{logical_id} cannot be created; the store failed at {reason}") from error
    except (BotoCoreError, ResponseParserError) as error:
        raise ResourceNotMade(f"{logical_id} cannot be created; the store does not answer: {error}") from error
