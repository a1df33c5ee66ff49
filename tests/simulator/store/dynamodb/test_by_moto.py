"""Requests that moto answers also have DynamoDB's capacity: streams, indexes, transactions. Capacity is applied."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import boto3
import pytest
import pytest_asyncio
from botocore.config import Config
from botocore.exceptions import ClientError

from fakes.waiting import until
from simulator.base.counters import TableCounters
from simulator.store import Store

pytestmark = pytest.mark.asyncio(loop_scope="session")

GLOBAL = {
    "IndexName": "by-day",
    "KeySchema": [{"AttributeName": "DAY", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
LOCAL = {
    "IndexName": "by-day",
    "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "DAY", "KeyType": "RANGE"}],
    "Projection": {"ProjectionType": "ALL"},
}
EXTRAS: dict[str, dict[str, Any]] = {
    "stream": {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}},
    "global index": {"GlobalSecondaryIndexes": [GLOBAL]},
    "local index": {"LocalSecondaryIndexes": [LOCAL]},
}


class Dynamo:
    """A store with AWS's capacity, a client that tries once, and the store's side of a table."""

    def __init__(self, store: Store) -> None:
        config = Config(retries={"total_max_attempts": 1})
        self.store = store
        self.client: Any = boto3.client(
            "dynamodb",
            endpoint_url=store.endpoint,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=config,
        )

    async def call(self, operation: str, **parameters: Any) -> Any:
        """One operation; the loop that watches the store continues."""
        return await asyncio.to_thread(getattr(self.client, operation), **parameters)

    async def refusal(self, operation: str, **parameters: Any) -> Any:
        """The error that an operation gets."""
        with pytest.raises(ClientError) as caught:
            await self.call(operation, **parameters)
        return caught.value.response

    async def create(self, name: str, write: int = 0, read: int = 1_000, **more: Any) -> str:
        """A table with the keys PK and SK: provisioned, or on demand where `write` is 0."""
        indexed = {"GlobalSecondaryIndexes", "LocalSecondaryIndexes"} & more.keys()
        attributes = ["PK", "SK", *(["DAY"] if indexed else [])]
        throughput = {"ReadCapacityUnits": read, "WriteCapacityUnits": write}
        await self.call(
            "create_table",
            TableName=name,
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in attributes],
            **({"ProvisionedThroughput": throughput} if write else {"BillingMode": "PAY_PER_REQUEST"}),
            **more,
        )
        return name

    async def counted(self, name: str) -> TableCounters:
        """The table's counters."""
        return (await self.store.counters()).tables[name]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def dynamo() -> AsyncIterator[Dynamo]:
    """One store with `--capacity aws` for all tests here."""
    async with Store.open(capacity="aws") as store:
        yield Dynamo(store)


def item(number: int, size: int = 0) -> dict[str, Any]:
    """An item; with `size`, slightly larger than that many bytes."""
    filled = {"v": {"S": "x" * size}} if size else {}
    return {"PK": {"S": f"p{number}"}, "SK": {"S": "s"}, "DAY": {"S": "monday"}, **filled}


def key(number: int) -> dict[str, Any]:
    """The key of `item(number)`."""
    return {name: item(number)[name] for name in ("PK", "SK")}


def batch(name: str, rows: int) -> dict[str, Any]:
    """A batch of this many puts."""
    return {name: [{"PutRequest": {"Item": item(number)}} for number in range(rows)]}


@pytest.mark.parametrize("extra", EXTRAS)
async def test_a_batch_to_a_table_with_a_stream_or_an_index_is_throttled(dynamo: Dynamo, name: str, extra: str) -> None:
    """Two provisioned units accept two rows of five; the others come back, and only stored ones are charged."""
    more = {**EXTRAS[extra]}
    if extra == "global index":
        throughput = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1_000}
        more = {"GlobalSecondaryIndexes": [{**GLOBAL, "ProvisionedThroughput": throughput}]}
    await dynamo.create(name, write=2, **more)
    answer = await dynamo.call("batch_write_item", RequestItems=batch(name, 5), ReturnConsumedCapacity="TOTAL")
    assert answer["UnprocessedItems"] == {name: batch(name, 5)[name][2:]}
    assert answer["ConsumedCapacity"] == [{"TableName": name, "CapacityUnits": 2.0}]
    counted = await dynamo.counted(name)
    assert (counted.rows, counted.rows_written, counted.batch_writes) == (2, 2, 1)
    assert (counted.unprocessed_items, counted.throttled_requests, counted.write_units) == (3, 1, 2.0)


@pytest.mark.parametrize("extra", EXTRAS)
async def test_refused_writes_reach_tables_with_a_stream_or_an_index(dynamo: Dynamo, name: str, extra: str) -> None:
    """The fault returns half of a batch; refusing all of it is the exception with its reason; then it is over."""
    await dynamo.create(name, **EXTRAS[extra])
    await dynamo.store.refuse_writes(name, 0.5)
    answer = await dynamo.call("batch_write_item", RequestItems=batch(name, 20))
    assert len(answer["UnprocessedItems"][name]) == 10
    assert "ConsumedCapacity" not in answer
    await dynamo.store.refuse_writes(name, 1)
    refused = await dynamo.refusal("batch_write_item", RequestItems=batch(name, 20))
    assert refused["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert refused["ThrottlingReasons"][0]["reason"] == "TableWriteKeyRangeThroughputExceeded"
    counted = await dynamo.counted(name)
    assert (counted.rows, counted.unprocessed_items, counted.throttled_requests) == (10, 30, 2)
    await dynamo.store.refuse_writes(name, 0)
    assert (await dynamo.call("batch_write_item", RequestItems=batch(name, 20)))["UnprocessedItems"] == {}


async def test_a_changed_table_keeps_what_the_change_does_not_name(dynamo: Dynamo, name: str) -> None:
    """UpdateTable: a maximum of two units per second stays when something else is changed, and -1 ends it."""
    await dynamo.create(name, OnDemandThroughput={"MaxWriteRequestUnits": 2})
    changes: list[dict[str, Any]] = [
        {},
        {"DeletionProtectionEnabled": False},
        {"WarmThroughput": {"WriteUnitsPerSecond": 9_000}},
    ]
    for change in changes:
        if change:
            await dynamo.call("update_table", TableName=name, **change)
        answer = await dynamo.call("batch_write_item", RequestItems=batch(name, 5))
        assert len(answer["UnprocessedItems"][name]) == 3
    await dynamo.call("update_table", TableName=name, OnDemandThroughput={"MaxWriteRequestUnits": -1})
    assert (await dynamo.call("batch_write_item", RequestItems=batch(name, 5)))["UnprocessedItems"] == {}


@pytest.mark.parametrize(("warm", "kept"), [({}, 10), ({"WarmThroughput": {"WriteUnitsPerSecond": 12_000}}, 25)])
async def test_a_warm_table_takes_more_at_once(dynamo: Dynamo, name: str, warm: dict[str, Any], kept: int) -> None:
    """CreateTable: of 25 items of 400 units a new table accepts ten at once, one warmed to 12,000 units all."""
    await dynamo.create(name, **warm)
    big = [{"PutRequest": {"Item": item(number, 399 * 1024)}} for number in range(25)]
    answer = await dynamo.call("batch_write_item", RequestItems={name: big})
    assert len(answer["UnprocessedItems"].get(name, ())) == 25 - kept


async def test_a_transaction_costs_double(dynamo: Dynamo, name: str) -> None:
    """Transactions: two underlying reads or writes of every item, so two units per started KB, or 4 KB."""
    await dynamo.create(name)
    writes = [
        {"Put": {"TableName": name, "Item": item(1, 1_500)}},
        {"Put": {"TableName": name, "Item": item(2, 4_200)}},
        {"Delete": {"TableName": name, "Key": key(3)}},
    ]
    answer = await dynamo.call("transact_write_items", TransactItems=writes, ReturnConsumedCapacity="INDEXES")
    units = {"CapacityUnits": 16.0, "WriteCapacityUnits": 16.0}
    assert answer["ConsumedCapacity"] == [{"TableName": name, **units, "Table": units}]
    reads = [{"Get": {"TableName": name, "Key": key(number)}} for number in (1, 2, 3)]
    answer = await dynamo.call("transact_get_items", TransactItems=reads, ReturnConsumedCapacity="TOTAL")
    units = {"CapacityUnits": 8.0, "ReadCapacityUnits": 8.0}
    assert answer["ConsumedCapacity"] == [{"TableName": name, **units}]
    counted = await dynamo.counted(name)
    assert (counted.write_units, counted.read_units, counted.rows_written, counted.rows) == (16.0, 8.0, 2, 2)


async def test_an_update_in_a_transaction_costs_what_it_makes_of_the_item(dynamo: Dynamo, name: str) -> None:
    """The larger of the sizes before and after counts, twice; a condition check counts as a write."""
    await dynamo.create(name)
    value = {":v": {"S": "x" * 2_500}}
    update = {"TableName": name, "Key": key(1), "UpdateExpression": "SET v = :v", "ExpressionAttributeValues": value}
    check = {"TableName": name, "Key": key(2), "ConditionExpression": "attribute_not_exists(PK)"}
    actions = [{"Update": update}, {"ConditionCheck": check}]
    await dynamo.call("transact_write_items", TransactItems=actions)
    assert (await dynamo.counted(name)).write_units == 2 * 3 + 2 * 1


async def test_a_throttled_transaction_is_cancelled_as_a_whole(dynamo: Dynamo, name: str) -> None:
    """TransactionCanceledException has a reason for each action, in order; nothing is stored or charged."""
    await dynamo.create(name, write=3)
    puts = [{"Put": {"TableName": name, "Item": item(number)}} for number in (1, 2)]
    refused = await dynamo.refusal("transact_write_items", TransactItems=puts)
    assert refused["Error"]["Code"] == "TransactionCanceledException"
    assert refused["Error"]["Message"].endswith("[None, ProvisionedThroughputExceeded]")
    first, second = refused["CancellationReasons"]
    assert (first, second["Code"]) == ({"Code": "None"}, "ProvisionedThroughputExceeded")
    assert second["Message"].startswith("The level of configured provisioned throughput for the table was exceeded.")
    counted = await dynamo.counted(name)
    assert (counted.rows, counted.write_units, counted.throttled_requests) == (0, 0.0, 1)
    await dynamo.call("transact_write_items", TransactItems=puts[:1])
    assert (await dynamo.counted(name)).rows == 1


async def test_refused_writes_cancel_transactions(dynamo: Dynamo, name: str) -> None:
    """On demand, the reason is ThrottlingError."""
    await dynamo.create(name)
    await dynamo.store.refuse_writes(name, 1)
    puts = [{"Put": {"TableName": name, "Item": item(1)}}]
    refused = await dynamo.refusal("transact_write_items", TransactItems=puts)
    assert [reason["Code"] for reason in refused["CancellationReasons"]] == ["ThrottlingError"]


async def test_transactional_reads_use_up_the_tables_reads(dynamo: Dynamo, name: str) -> None:
    """A read of 300,000 bytes costs 148 units of a table that has one per second; the next transaction is cancelled."""
    await dynamo.create(name, write=1_000, read=1)
    await dynamo.call("put_item", TableName=name, Item=item(1, 300_000))
    reads = [{"Get": {"TableName": name, "Key": key(1)}}]
    await dynamo.call("transact_get_items", TransactItems=reads)
    refused = await dynamo.refusal("transact_get_items", TransactItems=reads)
    assert refused["Error"]["Code"] == "TransactionCanceledException"
    assert [reason["Code"] for reason in refused["CancellationReasons"]] == ["ProvisionedThroughputExceeded"]
    assert (await dynamo.counted(name)).read_units == 148.0


async def test_what_an_update_grows_by_is_taken_afterwards(dynamo: Dynamo, name: str) -> None:
    """A table of one unit allows an update that creates an item of 300 KB, and then owes the units."""
    await dynamo.create(name, write=1)
    value = {":v": {"S": "x" * 300_000}}
    common = {"TableName": name, "Key": key(1), "UpdateExpression": "SET v = :v"}
    await dynamo.call("update_item", **common, ExpressionAttributeValues=value)
    refused = await dynamo.refusal("put_item", TableName=name, Item=item(2))
    assert refused["ThrottlingReasons"][0]["reason"] == "TableWriteProvisionedThroughputExceeded"


async def test_a_failed_transaction_fills_no_bucket(dynamo: Dynamo, name: str) -> None:
    """A table that owes 147 read units still owes them after a condition failed a transaction."""
    await dynamo.create(name, write=1_000, read=1)
    await dynamo.call("put_item", TableName=name, Item=item(1, 300_000))
    await dynamo.call("transact_get_items", TransactItems=[{"Get": {"TableName": name, "Key": key(1)}}])
    check = {"TableName": name, "Key": key(2), "ConditionExpression": "attribute_exists(PK)"}
    failed = await dynamo.refusal("transact_write_items", TransactItems=[{"ConditionCheck": check}])
    assert [reason["Code"] for reason in failed["CancellationReasons"]] == ["ConditionalCheckFailed"]
    refused = await dynamo.refusal("scan", TableName=name)
    assert refused["ThrottlingReasons"][0]["reason"] == "TableReadProvisionedThroughputExceeded"


@pytest.mark.parametrize(("extra", "kind"), [("global index", "Global"), ("local index", "Local")])
async def test_a_read_of_an_index_costs_what_it_read_of_it(dynamo: Dynamo, name: str, extra: str, kind: str) -> None:
    """Read operations: the sizes of the index's entries are added up and rounded up, whatever a filter leaves."""
    await dynamo.create(name, **EXTRAS[extra])
    for number in range(3):
        await dynamo.call("put_item", TableName=name, Item={**item(number, 3_000), "PK": {"S": "p"}, **sort(number)})
    # A local index is queried with the table's partition key, a global one with its own.
    condition, values = ("DAY = :d", {":d": {"S": "monday"}})
    if kind == "Local":
        condition, values = "PK = :p", {":p": {"S": "p"}}
    common = {"TableName": name, "IndexName": "by-day", "ReturnConsumedCapacity": "INDEXES"}
    expected = {
        "TableName": name,
        "CapacityUnits": 1.5,
        "Table": {"CapacityUnits": 0.0},
        f"{kind}SecondaryIndexes": {"by-day": {"CapacityUnits": 1.5}},
    }
    scan = await dynamo.call("scan", **common)
    conditions = {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
    query = await dynamo.call("query", **common, **conditions)
    values = {**values, ":none": {"S": "none"}}
    conditions = {
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "FilterExpression": "v = :none",
    }
    filtered = await dynamo.call("query", **common, **conditions)
    assert [answer["ConsumedCapacity"] for answer in (scan, query, filtered)] == [expected] * 3
    assert [answer["Count"] for answer in (scan, query, filtered)] == [3, 3, 0]
    assert (await dynamo.counted(name)).read_units == 4.5


def sort(number: int) -> dict[str, Any]:
    """The sort key of a row among others of its partition."""
    return {"SK": {"S": str(number)}}


async def test_an_index_of_keys_costs_its_keys_alone(dynamo: Dynamo, name: str) -> None:
    """Projections: attributes that are not projected are not read."""
    keys_only = {**GLOBAL, "Projection": {"ProjectionType": "KEYS_ONLY"}}
    await dynamo.create(name, GlobalSecondaryIndexes=[keys_only])
    await dynamo.call("put_item", TableName=name, Item=item(1, 50_000))
    answer = await dynamo.call("scan", TableName=name, IndexName="by-day", ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == {"TableName": name, "CapacityUnits": 0.5}


async def test_a_global_index_is_throttled_by_its_own_throughput(dynamo: Dynamo, name: str) -> None:
    """An index that owes 37 units refuses with its own reason and ARN, while its table still answers."""
    throughput = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1_000}
    await dynamo.create(name, write=1_000, GlobalSecondaryIndexes=[{**GLOBAL, "ProvisionedThroughput": throughput}])
    await dynamo.call("put_item", TableName=name, Item=item(1, 300_000))
    await dynamo.call("scan", TableName=name, IndexName="by-day")
    refused = await dynamo.refusal("scan", TableName=name, IndexName="by-day")
    assert refused["Error"]["Code"] == "ProvisionedThroughputExceededException"
    (reason,) = refused["ThrottlingReasons"]
    assert reason["reason"] == "IndexReadProvisionedThroughputExceeded"
    assert reason["resource"].endswith(f":table/{name}/index/by-day")
    assert (await dynamo.call("scan", TableName=name))["Count"] == 1
    assert (await dynamo.counted(name)).throttled_requests == 1


async def test_a_local_index_is_throttled_by_its_table(dynamo: Dynamo, name: str) -> None:
    """A local index has no throughput of its own: reading it uses up the table's."""
    await dynamo.create(name, write=1_000, read=1, LocalSecondaryIndexes=[LOCAL])
    await dynamo.call("put_item", TableName=name, Item=item(1, 300_000))
    await dynamo.call("scan", TableName=name, IndexName="by-day")
    refused = await dynamo.refusal("scan", TableName=name)
    assert refused["ThrottlingReasons"][0]["reason"] == "TableReadProvisionedThroughputExceeded"


async def test_a_transaction_on_a_table_that_is_not_there_is_refused(dynamo: Dynamo, name: str) -> None:
    """DynamoDB gives an error, and the other table is not charged."""
    await dynamo.create(name)
    there, gone = ({"TableName": each, "Key": key(1)} for each in (name, f"{name}-gone"))
    for operation, action in (("transact_write_items", "Delete"), ("transact_get_items", "Get")):
        refused = await dynamo.refusal(operation, TransactItems=[{action: there}, {action: gone}])
        assert refused["ResponseMetadata"]["HTTPStatusCode"] == 400
    counted = await dynamo.counted(name)
    assert (counted.write_units, counted.read_units) == (0.0, 0.0)


async def test_a_stream_has_no_record_of_what_was_not_stored(dynamo: Dynamo, name: str) -> None:
    """A PartiQL transaction that fails at its second statement leaves neither the first one's row nor its record."""
    await dynamo.create(name, **EXTRAS["stream"])
    await dynamo.call("put_item", TableName=name, Item=item(1))
    insert = "INSERT INTO \"{}\" VALUE {{'PK': 'p2', 'SK': 's'}}"
    statements = [{"Statement": insert.format(each)} for each in (name, f"{name}-gone")]
    await dynamo.refusal("execute_transaction", TransactStatements=statements)
    assert (await dynamo.call("scan", TableName=name))["Items"] == [item(1)]
    streams: Any = boto3.client(
        "dynamodbstreams",
        endpoint_url=dynamo.store.endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    arn = (await dynamo.call("describe_table", TableName=name))["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    place = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    (record,) = streams.get_records(ShardIterator=streams.get_shard_iterator(**place)["ShardIterator"])["Records"]
    assert record["dynamodb"]["Keys"] == key(1)


async def test_an_imported_table_is_a_table(dynamo: Dynamo, name: str) -> None:
    """Moto imports in its own thread; the rows are read and trimmed like all others."""
    s3: Any = boto3.client(
        "s3",
        endpoint_url=dynamo.store.endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(s3={"addressing_style": "path"}),
    )
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="data", Body=b'{"Item":{"PK":{"S":"p"},"n":{"N":"1.50"}}}\n')
    table = {
        "TableName": name,
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    source = {"S3BucketSource": {"S3Bucket": name}, "InputFormat": "DYNAMODB_JSON"}
    started = await dynamo.call("import_table", **source, TableCreationParameters=table)

    async def ended() -> str:
        described = await dynamo.call("describe_import", ImportArn=started["ImportTableDescription"]["ImportArn"])
        status: str = described["ImportTableDescription"]["ImportStatus"]
        return "" if status == "IN_PROGRESS" else status

    assert await until(ended) == "COMPLETED"
    assert (await dynamo.call("scan", TableName=name))["Items"] == [{"PK": {"S": "p"}, "n": {"N": "1.5"}}]
