"""What the handlers have in common: clients, and the way to an object's event."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

TABLE, ARCHIVE = os.environ["TABLE"], os.environ["ARCHIVE"]
QUEUE_URL, BACKLOG_URL = os.environ["QUEUE_URL"], os.environ["BACKLOG_URL"]


class Event(NamedTuple):
    """What S3 says about an object."""

    bucket: str
    key: str
    etag: str
    sequencer: str
    time: str


@cache
def client(service: str) -> Any:
    """A client as boto3 makes it: it tries again."""
    return boto3.client(service)


@cache
def hasty(service: str, read_timeout_s: int = 60) -> Any:
    """A client that tries once."""
    return boto3.client(service, config=Config(read_timeout=read_timeout_s, retries={"total_max_attempts": 1}))


def code_of(error: ClientError) -> str:
    """What AWS calls the error."""
    return str(error.response["Error"]["Code"])


def events_of(message: Any) -> list[Event]:
    """The objects that a message is about; none in S3's test event."""
    return [
        Event(
            record["s3"]["bucket"]["name"],
            unquote_plus(record["s3"]["object"]["key"]),
            record["s3"]["object"]["eTag"],
            record["s3"]["object"]["sequencer"],
            record["eventTime"],
        )
        for record in json.loads(message["body"]).get("Records", ())
    ]


def events(event: Any) -> Iterator[Event]:
    """The objects that a batch of messages is about."""
    for message in event["Records"]:
        yield from events_of(message)


def read(s3: Any, each: Event, **named: Any) -> str:
    """An object's text."""
    return str(s3.get_object(Bucket=each.bucket, Key=each.key, **named)["Body"].read().decode())


def put(client: Any, identity: str, condition: str = "", **values: Any) -> None:
    """Put a row; `condition` may name the values, as in `version < :version`."""
    item = {"id": {"S": identity}, **{name: {"S": str(value)} for name, value in values.items()}}
    named: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
    used = {f":{name}": item[name] for name in values if f":{name}" in condition}
    client.put_item(TableName=TABLE, Item=item, **named, **({"ExpressionAttributeValues": used} if used else {}))


def get(client: Any, identity: str) -> dict[str, str]:
    """A row's texts; empty if there is none."""
    item = client.get_item(TableName=TABLE, Key={"id": {"S": identity}}, ConsistentRead=True).get("Item", {})
    return {name: value.get("S", value.get("N", "")) for name, value in item.items()}


def put_if(client: Any, identity: str, condition: str, **values: Any) -> bool:
    """Put a row if the condition holds; returns whether it did."""
    try:
        put(client, identity, condition, **values)
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def adding(identity: str, amount: int = 1) -> dict[str, Any]:
    """An update that adds to what a row counts."""
    return {
        "TableName": TABLE,
        "Key": {"id": {"S": identity}},
        "UpdateExpression": "ADD times :more",
        "ExpressionAttributeValues": {":more": {"N": str(amount)}},
    }


def count(client: Any, identity: str) -> None:
    """Count once more."""
    client.update_item(**adding(identity))


def count_once(client: Any, identity: str, what: str, amount: int = 1) -> None:
    """Count `what` unless it was counted: both happen or neither."""
    marker = {"TableName": TABLE, "Item": {"id": {"S": f"counted {what}"}}}
    put_marker = {"Put": {**marker, "ConditionExpression": "attribute_not_exists(id)"}}
    try:
        client.transact_write_items(TransactItems=[put_marker, {"Update": adding(identity, amount)}])
    except client.exceptions.TransactionCanceledException as error:
        if error.response["CancellationReasons"][0]["Code"] != "ConditionalCheckFailed":
            raise
