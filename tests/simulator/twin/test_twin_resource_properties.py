"""Each property of a queue, a bucket and a table, from a template's text to what the store then does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from botocore.exceptions import ClientError

from fakes.recorder import Recorder
from fakes.templates import proves
from fakes.waiting import until
from simulator.base import limits
from simulator.base.clients import DUMMY_CREDENTIALS, offline_session
from simulator.store.dynamodb.throttles import Throttles
from simulator.twin.resources import ResourceRefused, table_request
from simulator.twin.twin import Twin

KILOBYTES = 10
ITEMS = 25


async def received(twin: Twin, queue: str, **more: Any) -> list[str]:
    """The bodies from a receive that does not wait."""
    url = twin.resources.queue_urls[queue]
    answer = await twin.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, **more)
    return [message["Body"] for message in answer.get("Messages", [])]


async def send(twin: Twin, body: str, queue: str = "Queue") -> None:
    """Put one message into a queue of the stack."""
    await twin.clients.sqs.send_message(QueueUrl=twin.resources.queue_urls[queue], MessageBody=body)


@proves("Queue.VisibilityTimeout", "Queue.DelaySeconds", "Queue.MessageRetentionPeriod")
async def test_a_queues_times_are_kept_to_the_second(open_template: Callable[..., Any], shifted_store: Any) -> None:
    """Messages are hidden, delayed and kept for as long as the template says, on the store's clock."""
    queues = """
        Hiding: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 500}}
        Delaying: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: 600}}
        Keeping: {Type: AWS::SQS::Queue, Properties: {MessageRetentionPeriod: 700, VisibilityTimeout: 0}}
    """
    async with open_template(endpoint=shifted_store.endpoint, more=queues) as twin:
        for queue in ("Hiding", "Delaying", "Keeping"):
            await send(twin, queue, queue)
        assert [await received(twin, queue) for queue in ("Hiding", "Delaying", "Keeping")] == [
            ["Hiding"],
            [],
            ["Keeping"],
        ]
        shifted_store.set_forward(450)
        assert [await received(twin, queue) for queue in ("Hiding", "Delaying", "Keeping")] == [[], [], ["Keeping"]]
        shifted_store.set_forward(60)
        assert await received(twin, "Hiding") == ["Hiding"]
        shifted_store.set_forward(100)
        assert await received(twin, "Delaying") == ["Delaying"]
        assert await received(twin, "Keeping") == ["Keeping"]
        shifted_store.set_forward(100)
        assert await received(twin, "Keeping") == []


@proves("Queue.ReceiveMessageWaitTimeSeconds", "Queue.MaximumMessageSize", "Queue.QueueName")
async def test_a_queue_waits_for_messages_and_bounds_them(open_template: Callable[..., Any]) -> None:
    """A receive without a wait time waits as long as the queue does, and a body beyond its size is refused."""
    async with open_template(queue="ReceiveMessageWaitTimeSeconds: 20\nMaximumMessageSize: 1024") as twin:
        assert twin.resources.queue_urls["Queue"].rsplit("/", 1)[1].startswith("q-")
        waiting = asyncio.create_task(received(twin, "Queue"))
        await twin.clients.sqs.get_queue_url(QueueName=twin.stack.queues["Queue"].name)
        assert not waiting.done()
        await send(twin, "x" * 1024)
        assert await waiting == ["x" * 1024]
        with pytest.raises(ClientError, match="shorter than 1024 bytes"):
            await send(twin, "x" * 1025)


@proves("Queue.RedrivePolicy.deadLetterTargetArn", "Queue.RedrivePolicy.maxReceiveCount")
async def test_a_message_that_fails_often_enough_is_moved(open_template: Callable[..., Any]) -> None:
    """After three receives it is in the dead-letter queue."""
    redrive = "VisibilityTimeout: 0\nRedrivePolicy: {deadLetterTargetArn: !GetAtt DeadLetters.Arn, maxReceiveCount: 3}"
    async with open_template(queue=redrive) as twin:
        await send(twin, "poison")
        assert [await received(twin, "Queue") for _ in range(4)] == [["poison"]] * 3 + [[]]
        assert await received(twin, "DeadLetters") == ["poison"]


@proves("Queue.FifoQueue")
async def test_a_fifo_queue_is_not_made(load_template: Callable[..., Any]) -> None:
    """It is left out; false is the same as leaving the property out."""
    assert "Queue" in load_template(queue="FifoQueue: false").queues
    assert list(load_template(queue="FifoQueue: true").queues) == ["DeadLetters"]


@proves("QueuePolicy.Queues", "QueuePolicy.PolicyDocument")
async def test_a_policy_must_let_s3_send(open_template: Callable[..., Any]) -> None:
    """A policy for another queue or service does not let S3 send: the notification is refused."""
    statement = 'Effect: Allow, Principal: {{Service: {}}}, Action: sqs:SendMessage, Resource: "*"'
    policy = "Queues: [!Ref {}]\nPolicyDocument: {{Statement: [{{" + statement + "}}]}}"
    async with open_template(policy=policy.format("Queue", "s3.amazonaws.com")):
        pass
    for queue, service in (("DeadLetters", "s3.amazonaws.com"), ("Queue", "sns.amazonaws.com")):
        with pytest.raises(ResourceRefused, match="Unable to validate the following destination configurations"):
            async with open_template(policy=policy.format(queue, service)):
                pass


@proves(
    "Bucket.NotificationConfiguration.QueueConfigurations[].Event",
    "Bucket.NotificationConfiguration.QueueConfigurations[].Queue",
    "Bucket.NotificationConfiguration.QueueConfigurations[].Filter.S3Key.Rules[].Name",
    "Bucket.NotificationConfiguration.QueueConfigurations[].Filter.S3Key.Rules[].Value",
    "Bucket.VersioningConfiguration.Status",
    "Bucket.BucketName",
)
async def test_a_bucket_notifies_of_what_it_is_configured_for(open_template: Callable[..., Any]) -> None:
    """It reports a put under prefix and suffix, with its version, but no other key, and no removal."""
    notification = """
        Event: s3:ObjectCreated:Put
        Queue: !GetAtt Queue.Arn
        Filter: {S3Key: {Rules: [{Name: prefix, Value: in/}, {Name: suffix, Value: .csv}]}}
    """
    async with open_template(notification=notification, bucket="VersioningConfiguration: {Status: Enabled}") as twin:
        s3, bucket = twin.clients.s3, twin.resources.bucket
        assert bucket.startswith("b-")
        for key in ("in/a.txt", "out/b.csv", "in/c.csv"):
            await s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        await s3.delete_object(Bucket=bucket, Key="in/c.csv")
        await s3.put_object(Bucket=bucket, Key="in/d.csv", Body=b"y")
        bodies: list[str] = []

        async def two() -> bool:
            bodies.extend(await received(twin, "Queue"))
            return len(bodies) >= 2

        await until(two)
        records = [json.loads(body)["Records"][0] for body in bodies]
        assert [(each["eventName"], each["s3"]["object"]["key"]) for each in records] == [
            ("ObjectCreated:Put", "in/c.csv"),
            ("ObjectCreated:Put", "in/d.csv"),
        ]
        assert all(each["s3"]["object"]["versionId"] for each in records)
        assert len((await s3.list_object_versions(Bucket=bucket, Prefix="in/c.csv"))["Versions"]) == 1


INVOKES = """
    def handler(event, context):
        for record in event["Records"]:
            print("{}: {} {}".format(context.function_name, record["eventName"], record["s3"]["object"]["key"]))
"""


@proves(
    "Bucket.NotificationConfiguration.LambdaConfigurations[].Event",
    "Bucket.NotificationConfiguration.LambdaConfigurations[].Function",
    "Bucket.NotificationConfiguration.LambdaConfigurations[].Filter.S3Key.Rules[].Name",
    "Bucket.NotificationConfiguration.LambdaConfigurations[].Filter.S3Key.Rules[].Value",
    "Object.Bucket",
    "Object.Events",
    "Object.Filter.S3Key.Rules[].Name",
    "Object.Filter.S3Key.Rules[].Value",
)
async def test_a_bucket_invokes_functions(open_template: Callable[..., Any], recorded: Recorder) -> None:
    """What the bucket says and what a function's event says both hold: event, prefix and suffix."""
    events = """
        Put:
          Type: S3
          Properties:
            Bucket: !Ref Invoking
            Events: [s3:ObjectCreated:*]
            Filter: {S3Key: {Rules: [{Name: prefix, Value: in/}, {Name: suffix, Value: .csv}]}}
    """
    more = """
        Invoking:
          Type: AWS::S3::Bucket
          Properties:
            BucketName: i-{unique}
            NotificationConfiguration:
              LambdaConfigurations:
                - Event: s3:ObjectRemoved:*
                  Function: !GetAtt Other.Arn
                  Filter: {S3Key: {Rules: [{Name: suffix, Value: .csv}]}}
        Other: {Type: AWS::Lambda::Function, Properties: {FunctionName: o, Handler: {handler}, Runtime: python3.13}}
    """
    async with open_template(INVOKES, events=events, more=more) as twin:
        twin.start_mappings()
        where = {"Bucket": twin.resources.buckets["Invoking"]}
        for key in ("in/a.csv", "in/b.txt", "out/c.csv"):
            await twin.clients.s3.put_object(**where, Key=key, Body=b"x")
        for key in ("in/b.txt", "out/c.csv"):
            await twin.clients.s3.delete_object(**where, Key=key)
        assert await twin.drained(20.0)
        name = twin.stack.functions["Function"].name
    said = sorted(line for line in recorded.lines() if "Object" in line)
    assert said == sorted([f"{name}: ObjectCreated:Put in/a.csv", "o: ObjectRemoved:Delete out/c.csv"])


@proves(
    "Table.TableName",
    "Table.AttributeDefinitions[].AttributeName",
    "Table.AttributeDefinitions[].AttributeType",
    "Table.KeySchema[].AttributeName",
    "Table.KeySchema[].KeyType",
)
async def test_a_table_has_its_keys(open_template: Callable[..., Any]) -> None:
    """It has a number as partition key and text as sort key: rows differ in both, and other types are refused."""
    table = """
        AttributeDefinitions: [{AttributeName: day, AttributeType: S}, {AttributeName: shop, AttributeType: N}]
        KeySchema: [{AttributeName: day, KeyType: RANGE}, {AttributeName: shop, KeyType: HASH}]
    """
    async with open_template(table=table) as twin:
        dynamodb, name = twin.clients.dynamodb, twin.resources.table
        assert name.startswith("t-")
        for day in ("b", "a"):
            await dynamodb.put_item(TableName=name, Item={"shop": {"N": "1"}, "day": {"S": day}})
        found = await dynamodb.query(
            TableName=name, KeyConditionExpression="shop = :shop", ExpressionAttributeValues={":shop": {"N": "1"}}
        )
        assert [item["day"] for item in found["Items"]] == [{"S": "a"}, {"S": "b"}]
        with pytest.raises(ClientError, match="Type mismatch for key shop"):
            await dynamodb.put_item(TableName=name, Item={"shop": {"S": "1"}, "day": {"S": "a"}})


INDEXED = """
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions:
      - {AttributeName: id, AttributeType: S}
      - {AttributeName: day, AttributeType: N}
      - {AttributeName: n, AttributeType: N}
    KeySchema: [{AttributeName: id, KeyType: HASH}, {AttributeName: day, KeyType: RANGE}]
    GlobalSecondaryIndexes:
      - IndexName: ByDay
        KeySchema: [{AttributeName: n, KeyType: RANGE}, {AttributeName: day, KeyType: HASH}]
        Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [kept]}
    LocalSecondaryIndexes:
      - IndexName: ByNumber
        KeySchema: [{AttributeName: id, KeyType: HASH}, {AttributeName: n, KeyType: RANGE}]
        Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [own]}
"""


@proves(
    "Table.GlobalSecondaryIndexes[].IndexName",
    "Table.GlobalSecondaryIndexes[].KeySchema[].AttributeName",
    "Table.GlobalSecondaryIndexes[].KeySchema[].KeyType",
    "Table.GlobalSecondaryIndexes[].Projection.ProjectionType",
    "Table.GlobalSecondaryIndexes[].Projection.NonKeyAttributes",
    "Table.LocalSecondaryIndexes[].IndexName",
    "Table.LocalSecondaryIndexes[].KeySchema[].AttributeName",
    "Table.LocalSecondaryIndexes[].KeySchema[].KeyType",
    "Table.LocalSecondaryIndexes[].Projection.ProjectionType",
    "Table.LocalSecondaryIndexes[].Projection.NonKeyAttributes",
)
async def test_a_table_is_asked_through_its_indexes(open_template: Callable[..., Any]) -> None:
    """Each has its own order, and of the other attributes those that it projects."""
    async with open_template(table=INDEXED) as twin:
        dynamodb, name = twin.clients.dynamodb, twin.resources.table
        for day, number in ((1, 3), (2, 1), (1, 2)):
            item = {"id": {"S": f"{day}-{number}"}, "day": {"N": str(day)}, "n": {"N": str(number)}}
            await dynamodb.put_item(TableName=name, Item={**item, "kept": {"S": "k"}, "own": {"S": "o"}})
        by_day, by_number = [
            (
                await dynamodb.query(
                    TableName=name,
                    IndexName=index,
                    KeyConditionExpression="#key = :key",
                    ExpressionAttributeNames={"#key": key},
                    ExpressionAttributeValues={":key": value},
                )
            )["Items"]
            for index, key, value in (("ByDay", "day", {"N": "1"}), ("ByNumber", "id", {"S": "2-1"}))
        ]
    assert [item["n"] for item in by_day] == [{"N": "2"}, {"N": "3"}]
    assert {tuple(sorted(item)) for item in by_day} == {("day", "id", "kept", "n")}
    assert [sorted(item) for item in by_number] == [["day", "id", "n", "own"]]


@proves("Table.PrimaryKey.Name", "Table.PrimaryKey.Type")
async def test_a_simple_table_has_one_key(open_template: Callable[..., Any]) -> None:
    """Its name and its type are the template's, or a text `id`."""
    more = """
        Plain: {Type: AWS::Serverless::SimpleTable}
        Named: {Type: AWS::Serverless::SimpleTable, Properties: {PrimaryKey: {Name: number, Type: Number}}}
    """
    async with open_template(more=more) as twin:
        dynamodb, tables = twin.clients.dynamodb, twin.resources.tables
        await dynamodb.put_item(TableName=tables["Plain"], Item={"id": {"S": "a"}})
        await dynamodb.put_item(TableName=tables["Named"], Item={"number": {"N": "1"}})
        with pytest.raises(ClientError, match="Type mismatch for key number"):
            await dynamodb.put_item(TableName=tables["Named"], Item={"number": {"S": "1"}})


@asynccontextmanager
async def impatient(endpoint: str) -> AsyncIterator[Any]:
    """A client that tries only once."""
    config = AioConfig(retries={"total_max_attempts": 1})
    where: Any = {"region_name": limits.REGION, "endpoint_url": endpoint, "config": config, **DUMMY_CREDENTIALS}
    async with offline_session().create_client("dynamodb", **where) as client:
        yield client


@proves(
    "Table.BillingMode",
    "Table.ProvisionedThroughput.ReadCapacityUnits",
    "Table.ProvisionedThroughput.WriteCapacityUnits",
    "Table.OnDemandThroughput.MaxWriteRequestUnits",
)
async def test_a_table_has_its_capacity(open_template: Callable[..., Any], shifted_store: Any) -> None:
    """The table accepts rows of 250 units and reads of 63 as its mode and units allow."""
    keys = (
        "AttributeDefinitions: [{AttributeName: PK, AttributeType: S}], KeySchema: [{AttributeName: PK, KeyType: HASH}]"
    )
    capacities = {
        "Unbounded": "BillingMode: PAY_PER_REQUEST",
        "Bounded": "BillingMode: PAY_PER_REQUEST, OnDemandThroughput: {MaxWriteRequestUnits: 100}",
        "Small": "BillingMode: PROVISIONED",
        "Large": "ProvisionedThroughput: {ReadCapacityUnits: 250, WriteCapacityUnits: 250}",
        "Writing": "ProvisionedThroughput: {ReadCapacityUnits: 1, WriteCapacityUnits: 250}",
    }
    tables = "\n".join(
        f"{name}: {{Type: AWS::DynamoDB::Table, Properties: {{{keys}, {capacity}}}}}"
        for name, capacity in capacities.items()
    )
    wrote, refused = {}, {}
    async with (
        open_template(endpoint=shifted_store.endpoint, more=tables) as twin,
        impatient(shifted_store.endpoint) as dynamodb,
    ):
        for table in capacities:
            name = twin.stack.tables[table].name
            wrote[table] = await _written(dynamodb, name)
            refused[table] = await _reads_refused(dynamodb, name)
    assert {table: written == ITEMS for table, written in wrote.items()} == {
        "Unbounded": True,
        "Bounded": False,
        "Small": False,
        "Large": True,
        "Writing": True,
    }
    assert 100 // KILOBYTES - 1 <= wrote["Bounded"] <= 100 // KILOBYTES
    assert refused == {"Unbounded": 0, "Bounded": 0, "Small": 0, "Large": 0, "Writing": 1}


@proves("Table.WarmThroughput.ReadUnitsPerSecond", "Table.WarmThroughput.WriteUnitsPerSecond")
@pytest.mark.parametrize(("warm", "refused"), [(12_000, True), (20_000, False)])
def test_a_table_is_warm_from_the_start(load_template: Callable[..., Any], warm: int, refused: bool) -> None:
    """After 12,000 units in one second, a table continues if it was warmed for more, for reads and for writes."""
    table = """
        AttributeDefinitions: [{{AttributeName: PK, AttributeType: S}}]
        KeySchema: [{{AttributeName: PK, KeyType: HASH}}]
        BillingMode: PAY_PER_REQUEST
        WarmThroughput: {{ReadUnitsPerSecond: {0}, WriteUnitsPerSecond: {0}}}
    """
    throttles, declared = Throttles(applied=True), load_template(table=table.format(warm)).tables["Table"]
    throttles.configured(declared.name, table_request(declared), created=True)
    made: Any = SimpleNamespace(name=declared.name, table_arn=declared.arn, billing_mode="PAY_PER_REQUEST")
    for number in range(12):
        throttles.charge(made, 1_000, 5.0, number, writes=True)
        throttles.charge(made, 1_000, 5.0, number, writes=False)
    assert [throttles.write(made, "a", 1, 5.0) is not None, throttles.read(made, 5.0) is not None] == [refused] * 2


async def _written(dynamodb: Any, table: str) -> int:
    """How many of the rows one batch stores."""
    text = "x" * (KILOBYTES * 1024 - 100)
    rows = [{"PutRequest": {"Item": {"PK": {"S": str(number)}, "text": {"S": text}}}} for number in range(ITEMS)]
    try:
        answer = await dynamodb.batch_write_item(RequestItems={table: rows})
    except dynamodb.exceptions.ProvisionedThroughputExceededException:
        return 0
    return ITEMS - len(answer["UnprocessedItems"].get(table, []))


async def _reads_refused(dynamodb: Any, table: str) -> int:
    """How many of two reads of all rows are refused."""
    refused = 0
    for _ in range(2):
        try:
            await dynamodb.scan(TableName=table, ConsistentRead=True)
        except dynamodb.exceptions.ProvisionedThroughputExceededException:
            refused += 1
    return refused
