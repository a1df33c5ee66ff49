"""The stack's resources in a real store: the store reports what the template declares."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from fakes import declare
from simulator.base import limits
from simulator.base.clients import Clients, connect, offline_session
from simulator.base.errors import ExitCode
from simulator.base.policies import allows_s3
from simulator.stack.model import Bucket, Index, Notification, Redrive, Stack, Table
from simulator.stack.template import load
from simulator.twin import resources
from simulator.twin.resources import ResourceNotMade, ResourceRefused

ARN = "arn:aws:sqs:us-east-1:123456789012:"
Fresh = Callable[..., Stack]


@pytest_asyncio.fixture
async def clients(store_endpoint: str) -> AsyncIterator[Clients]:
    """Clients of the session's store."""
    async with connect(store_endpoint, offline_session()) as made:
        yield made


async def test_queue_has_the_templates_attributes(clients: Clients, fresh_stack: Fresh) -> None:
    """Visibility, long polling, redrive and policy are set; the dead-letter queue keeps messages for 14 days."""
    stack = fresh_stack(VisibilityTimeout="400", MaxReceiveCount="7")

    made = await resources.create(stack, clients)

    answer = await clients.sqs.get_queue_attributes(QueueUrl=made.queue_url, AttributeNames=["All"])
    attributes = dict(answer["Attributes"])
    assert (attributes["VisibilityTimeout"], attributes["ReceiveMessageWaitTimeSeconds"]) == ("400", "20")
    redrive = json.loads(attributes["RedrivePolicy"])
    assert (redrive["deadLetterTargetArn"], int(redrive["maxReceiveCount"])) == (stack.queues["StockDLQ"].arn, 7)
    assert json.loads(attributes["Policy"]) == stack.queues["StockQueue"].policy
    assert made.dlq_url is not None
    dead_letters = await clients.sqs.get_queue_attributes(QueueUrl=made.dlq_url, AttributeNames=["All"])
    assert dict(dead_letters["Attributes"])["MessageRetentionPeriod"] == "1209600"


async def test_objects_under_the_prefix_are_notified(clients: Clients, fresh_stack: Fresh) -> None:
    """An object under stocks/ gives a message, one elsewhere does not."""
    stack = fresh_stack()
    made = await resources.create(stack, clients)

    for key in ("other/a.csv", "stocks/b.csv"):
        await clients.s3.put_object(Bucket=made.bucket, Key=key, Body=b"x")

    bodies = []
    while not any('"Records"' in body for body in bodies):
        answer = await clients.sqs.receive_message(QueueUrl=made.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
        bodies += [message["Body"] for message in answer.get("Messages", [])]
    keys = [record["s3"]["object"]["key"] for body in bodies for record in json.loads(body).get("Records", [])]
    assert keys == ["stocks/b.csv"]


async def test_table_has_the_templates_keys(clients: Clients, fresh_stack: Fresh) -> None:
    """PK and SK are strings, and the table is on demand."""
    stack = fresh_stack()
    made = await resources.create(stack, clients)

    table = (await clients.dynamodb.describe_table(TableName=made.table))["Table"]

    assert {(element["AttributeName"], element["KeyType"]) for element in table["KeySchema"]} == {
        ("PK", "HASH"),
        ("SK", "RANGE"),
    }
    assert {attribute["AttributeType"] for attribute in table["AttributeDefinitions"]} == {"S"}
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


BY_STATUS = Index("ByStatus", is_global=True, keys=("status", "at"), projection="INCLUDE", projected=("total",))
BY_TIME = Index("ByTime", is_global=False, keys=("id", "at"), projection="KEYS_ONLY")


def orders(name: str, **changes: Any) -> Table:
    """A table with a global and a local index."""
    table = Table("Orders", name, f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}", (("id", "S"), ("line", "N")))
    defined = {"id": "S", "line": "N", "status": "S", "at": "N"}
    return dataclasses.replace(table, **{"attributes": defined, "indexes": (BY_STATUS, BY_TIME)} | changes)


def test_the_pipelines_table_is_asked_for_without_indexes(fresh_stack: Fresh) -> None:
    """Its request has the two keys and nothing that only tables with indexes need."""
    (table,) = fresh_stack(TableName="t").tables.values()
    assert resources.table_request(table) == {
        "TableName": "t",
        "AttributeDefinitions": [
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        "BillingMode": "PAY_PER_REQUEST",
    }


def test_a_global_index_has_throughput_only_if_its_table_has() -> None:
    """A provisioned table's index gets the table's units; an index on demand, or a local one, has none of its own."""
    request = resources.table_request(orders("t", provisioned_units=(3, 4)))
    units = {"ReadCapacityUnits": 3, "WriteCapacityUnits": 4}
    assert request["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"] == units
    assert "ProvisionedThroughput" not in request["LocalSecondaryIndexes"][0]
    assert "ProvisionedThroughput" not in resources.table_request(orders("t"))["GlobalSecondaryIndexes"][0]


async def test_a_table_has_its_indexes(clients: Clients) -> None:
    """A handler can query both, in the order of their keys: what they project, of the items that have the keys."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    await resources.create_table(orders(name), clients)
    for number, more in enumerate(({"at": {"N": "30"}}, {"at": {"N": "4"}}, {})):
        item: Any = {"id": {"S": "a"}, "line": {"N": str(number)}, "status": {"S": "new"}, "total": {"N": "7"}}
        await clients.dynamodb.put_item(TableName=name, Item=item | more | {"note": {"S": "long"}})

    async def query(index: str, key: str, value: str) -> list[Any]:
        answer = await clients.dynamodb.query(
            TableName=name,
            IndexName=index,
            KeyConditionExpression="#k = :v",
            ExpressionAttributeNames={"#k": key},
            ExpressionAttributeValues={":v": {"S": value}},
        )
        return answer["Items"]

    status, times = await query("ByStatus", "status", "new"), await query("ByTime", "id", "a")
    assert [item["at"]["N"] for item in status] == [item["at"]["N"] for item in times] == ["4", "30"]
    assert set(status[0]) == {"id", "line", "status", "at", "total"}
    assert set(times[0]) == {"id", "line", "at"}


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"id": "S", "line": "N", "status": "S", "at": "N", "spare": "S"}, "Some AttributeDefinitions are not used"),
        ({"id": "S", "line": "N", "status": "S"}, "Some index key attributes are not defined"),
    ],
)
async def test_definitions_that_agree_with_no_key_are_refused(
    clients: Clients, attributes: dict[str, str], said: str
) -> None:
    """Attributes that the template defines and no key uses, or the reverse, reach the store, which refuses them."""
    with pytest.raises(ResourceRefused, match=f"^Orders was refused by CreateTable: .*{said}"):
        await resources.create_table(orders(f"t-{uuid.uuid4().hex[:8]}", attributes=attributes), clients)


async def test_provisioned_table_keeps_its_units(clients: Clients, tmp_path: Path) -> None:
    """A table with provisioned throughput is made with it."""
    from simulator.stack.packaged import packaged_template

    text = packaged_template().read_text(encoding="utf-8")
    copy = tmp_path / "t.yaml"
    copy.write_text(
        text.replace(
            "BillingMode: PAY_PER_REQUEST",
            "ProvisionedThroughput: {ReadCapacityUnits: 3, WriteCapacityUnits: 4}",
        ),
        encoding="utf-8",
    )
    unique = uuid.uuid4().hex[:8]
    stack = load(
        copy,
        {
            "BucketName": f"b-{unique}",
            "TableName": f"t-{unique}",
            "QueueName": f"q-{unique}",
            "DeadLetterQueueName": f"d-{unique}",
        },
    )

    made = await resources.create(stack, clients)

    table = (await clients.dynamodb.describe_table(TableName=made.table))["Table"]
    assert table["ProvisionedThroughput"]["WriteCapacityUnits"] == 4


@pytest.mark.parametrize(
    ("change", "who", "said"),
    [
        ({"BucketName": "My_Bucket"}, "StockBucket", "CreateBucket: "),
        ({"QueueName": "stock queue"}, "StockQueue", "CreateQueue: "),
    ],
)
async def test_what_the_store_refuses_is_a_line_that_names_the_resource(
    clients: Clients, fresh_stack: Fresh, change: dict[str, str], who: str, said: str
) -> None:
    """It is the template's fault, in the store's words, for whatever no rule found before."""
    with pytest.raises(ResourceRefused) as refused:
        await resources.create(fresh_stack(**change), clients)
    assert str(refused.value).startswith(f"{who} was refused by {said}")
    assert refused.value.exit_code == ExitCode.WRONG_INPUT
    assert isinstance(refused.value.__cause__, ClientError)


def test_there_is_a_queue_between_each_bucket_and_each_function_that_it_invokes() -> None:
    """One for each pair, with a name of its own, to which S3 may send; what the bucket tells a queue needs none."""
    created = ("s3:ObjectCreated:*",)
    to_first = (Notification("First", created, "a/"), Notification("First", created, "b/"))
    others = (Notification("Queue", created, "c/"), Notification("Second", created, "d/"))
    stack = declare.stack(
        functions={name: declare.function(name) for name in ("First", "Second")},
        queues={"Queue": declare.queue()},
        buckets={
            "A": Bucket("A", "a", "arn:aws:s3:::a", notifications=(*to_first, *others)),
            "B": Bucket("B", "b", "arn:aws:s3:::b", notifications=(Notification("First", created),)),
        },
    )
    queues = resources.event_queues(stack)
    assert list(queues) == [("A", "First"), ("A", "Second"), ("B", "First")]
    assert len({queue.name for queue in queues.values()}) == 3
    assert all(len(queue.name) <= 80 and queue.arn == ARN + queue.name for queue in queues.values())
    assert all(allows_s3(queue.policy, queue.arn, "arn:aws:s3:::a", limits.ACCOUNT_ID) for queue in queues.values())
    assert resources.event_queues(stack) == queues


async def test_a_dead_letter_queue_may_have_one_of_its_own(clients: Clients) -> None:
    """However the template orders them, each queue is made after the one that it gives up to."""
    unique = uuid.uuid4().hex[:8]
    names, redrives = ("First", "Second", "Third"), (Redrive("Second", 2), Redrive("Third", 1), None)
    queues = {
        name: declare.queue(name, name=f"{name}-{unique}", arn=f"{ARN}{name}-{unique}", redrive=redrive)
        for name, redrive in zip(names, redrives, strict=True)
    }
    made = await resources.create(declare.stack(queues=queues), clients)
    assert list(made.queue_urls) == ["First", "Second", "Third"]


async def test_a_table_that_exists_already_is_refused(clients: Clients, fresh_stack: Fresh) -> None:
    """The store has been used before."""
    stack = fresh_stack()
    await resources.create(stack, clients)
    with pytest.raises(ResourceRefused, match=r"^StockData was refused by CreateTable: .*\(ResourceInUseException\)"):
        await resources.create(stack, clients)


async def test_a_queue_that_s3_may_not_send_to_is_the_bucket_s_refusal(clients: Clients, fresh_stack: Fresh) -> None:
    """The policy is for another bucket: S3 checks it when the notification is made."""
    stack = fresh_stack()
    queue = stack.queues["StockQueue"]
    (statement, *others) = queue.policy["Statement"] if queue.policy else []
    foreign = {**statement, "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::another-bucket"}}}
    policy = {**(queue.policy or {}), "Statement": [foreign, *others]}
    changed = {**stack.queues, "StockQueue": dataclasses.replace(queue, policy=policy)}
    with pytest.raises(
        ResourceRefused, match=r"^StockBucket was refused by PutBucketNotificationConfiguration: Unable"
    ):
        await resources.create(dataclasses.replace(stack, queues=changed), clients)


async def test_a_store_that_does_not_answer_is_one_line(fresh_stack: Fresh) -> None:
    """Only the store is to blame; nothing keeps waiting in the background."""
    async with connect("http://127.0.0.1:9", offline_session()) as nowhere:
        with pytest.raises(ResourceNotMade, match="cannot be created; the store does not answer: ") as failed:
            await resources.create(fresh_stack(), nowhere)
    assert failed.value.exit_code == ExitCode.COULD_NOT_FINISH
