"""What a user's own code sees of an application, read from a real store out of another thread."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, cast

import aiohttp
import pytest
import pytest_asyncio

from fakes import declare
from simulator.base.workers import Worker
from simulator.run.application import ApplicationUnderTest, DeadMessage
from simulator.stack.model import Bucket, Redrive, Stack, Table
from simulator.store import Store

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEST_EVENT = '{"Service":"Amazon S3","Event":"s3:TestEvent"}'


def orders(unique: str) -> Stack:
    """A queue that a function polls, its dead-letter queue, a bucket and a table, all with fresh names."""
    queue = declare.queue("Orders", name=f"orders-{unique}", redrive=Redrive("Dead", 1))
    dead = declare.queue("Dead", name=f"dead-{unique}")
    return declare.stack(
        queues={"Orders": queue, "Dead": dead},
        mappings={"Mapping": declare.mapping(queue="Orders")},
        functions={"Consumer": declare.function()},
        buckets={"Files": Bucket("Files", f"files-{unique}", declare.ARN.format("s3", "files"))},
        tables={
            "Stored": Table("Stored", f"stored-{unique}", declare.ARN.format("dynamodb", "stored"), (("id", "S"),))
        },
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(store_endpoint: str) -> AsyncIterator[ApplicationUnderTest]:
    """That application, made under a user's AWS configuration that would break any client that read it."""
    stack = orders(uuid.uuid4().hex[:12])
    async with aiohttp.ClientSession() as session:
        store = Store(cast("Any", None), int(store_endpoint.rpartition(":")[2]), session)
        made = ApplicationUnderTest(stack, store_endpoint, store.peek, Worker("theirs"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_PROFILE", "nobody")
            patch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
            await asyncio.to_thread(create, made)
        yield made


def create(app: ApplicationUnderTest) -> None:
    """Create the application's resources."""
    for queue in app.stack.queues.values():
        app.boto3("sqs").create_queue(QueueName=queue.name)
    app.boto3("s3").create_bucket(Bucket=app.stack.buckets["Files"].name)
    app.boto3("dynamodb").create_table(
        TableName=app.stack.tables["Stored"].name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


async def test_everything_is_read_as_plain_values(app: ApplicationUnderTest) -> None:
    """By logical id or name; messages in any state, none of them received, without S3's test events."""

    def theirs() -> None:
        stack = app.stack
        table, files, queue = stack.tables["Stored"].name, stack.buckets["Files"].name, stack.queues["Orders"].name
        item = {"id": {"S": "a"}, "n": {"N": "1.50"}, "b": {"L": [{"B": b"\0"}]}, "s": {"BS": [b"x"]}}
        app.boto3("dynamodb").put_item(TableName=table, Item=item)
        assert app.table("Stored").items() == [{"id": "a", "n": Decimal("1.5"), "b": [b"\0"], "s": {b"x"}}]
        assert app.table(table).items() == app.table("Stored").items()

        app.boto3("s3").put_object(Bucket=files, Key="b/c", Body=b"content")
        assert app.bucket("Files").keys() == ["b/c"]
        assert app.bucket(files).get("b/c") == b"content"

        sqs = app.boto3("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        for body, delay_s in ((TEST_EVENT, 0), ("one", 0), ("two", 0), ("three", 900)):
            sqs.send_message(QueueUrl=url, MessageBody=body, DelaySeconds=delay_s)
        sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=60)
        assert app.queue("Orders").messages() == app.queue(queue).messages() == ["one", "two", "three"]

    await asyncio.to_thread(theirs)


async def test_dead_letters_say_where_from_and_why(app: ApplicationUnderTest) -> None:
    """As far as it is known: an event that a function gave up is only known to be there."""

    def theirs() -> list[DeadMessage]:
        sqs = app.boto3("sqs")
        url = sqs.get_queue_url(QueueName=app.stack.queues["Dead"].name)["QueueUrl"]
        sent = [sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"] for body in ("first", TEST_EVENT, "last")]
        app.failed = {sent[0]: ("Orders", ("no price",))}.get
        return app.dead_letters()

    letters = await asyncio.to_thread(theirs)
    assert letters == [DeadMessage("first", "Orders", ("no price",)), DeadMessage("last", "Dead", ())]


async def test_a_name_that_is_not_there_is_one_line(app: ApplicationUnderTest) -> None:
    """With the one that was probably meant."""
    for call, said in (
        (lambda: app.table("Storde"), "there is no table 'Storde'; did you mean 'Stored'?"),
        (lambda: app.bucket("Orders"), "there is no bucket 'Orders'; choose from 'Files'"),
        (lambda: app.queue("x"), "there is no queue 'x'; choose from 'Orders' or 'Dead'"),
        (lambda: app.bucket("Files").get("a/b"), f"there is no object 'a/b' in {app.bucket('Files').name}"),
    ):
        with pytest.raises(LookupError) as raised:
            await asyncio.to_thread(call)
        assert str(raised.value) == said
