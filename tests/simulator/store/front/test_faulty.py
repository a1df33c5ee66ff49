"""Faults that strike in the store's own process: connections break for whoever calls, and nobody sees a traceback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiobotocore.config import AioConfig
from aiohttp import ClientPayloadError
from botocore.exceptions import ConnectionClosedError

from simulator.base.clients import offline_session
from simulator.base.principals import session_token
from simulator.store import Store
from simulator.store.store import ControlRefused

CONTENT = b"0123456789" * 10_000


@asynccontextmanager
async def handlers() -> AsyncIterator[tuple[Store, list[Any]]]:
    """A store with a bucket, a queue and a table, and an environment's clients for them, which try once.

    In the end it must have written nothing to standard error.
    """
    config = AioConfig(retries={"mode": "standard", "total_max_attempts": 1}, s3={"addressing_style": "path"})
    how: dict[str, Any] = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    how |= {"aws_session_token": session_token("Consumer", "1"), "config": config}
    async with Store.open(seed=1) as store, AsyncExitStack() as owned:
        s3, sqs, dynamodb = [
            await owned.enter_async_context(
                offline_session().create_client(service, endpoint_url=store.endpoint, **how)
            )
            for service in ("s3", "sqs", "dynamodb")
        ]
        await s3.create_bucket(Bucket="bucket")
        await sqs.create_queue(QueueName="q")
        await dynamodb.create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield store, [s3, sqs, dynamodb]
    assert await store._process.last_words() == ""


async def test_a_lost_answer_is_a_connection_that_breaks_before_any_byte() -> None:
    """The client sees a closed connection; what was lost with the answer is done, and what was lost before is not."""
    async with handlers() as (store, (_, sqs, dynamodb)):
        url = (await sqs.get_queue_url(QueueName="q"))["QueueUrl"]
        await sqs.send_message(QueueUrl=url, MessageBody="m")
        await store.set_faults({"sqs-receive-lost": 1.0, "sqs-delete-lost": 1.0, "dynamodb-applied-late": 1.0})
        with pytest.raises(ConnectionClosedError):
            await sqs.receive_message(QueueUrl=url)
        with pytest.raises(ConnectionClosedError):
            await sqs.delete_message(QueueUrl=url, ReceiptHandle="x")
        with pytest.raises(ConnectionClosedError):
            await dynamodb.put_item(TableName="t", Item={"PK": {"S": "late"}})
        counters = await store.counters()
        assert (counters.queues["q"].received, counters.queues["q"].in_flight) == (1, 1)
        assert counters.faults == {"sqs-receive-lost": 1, "sqs-delete-lost": 1, "dynamodb-applied-late": 1}


async def test_a_body_that_is_cut_short_is_a_connection_that_breaks_within_it() -> None:
    """The client gets its beginning; a calm store gives all of it again, on another connection."""
    async with handlers() as (store, (s3, *_)):
        await s3.put_object(Bucket="bucket", Key="k", Body=CONTENT)
        await store.set_faults({"s3-cut-short": 1.0})
        answer = await s3.get_object(Bucket="bucket", Key="k")
        assert answer["ContentLength"] == len(CONTENT)
        with pytest.raises(ClientPayloadError, match=f"of {len(CONTENT)} bytes"):
            async with answer["Body"] as body:
                await body.read()
        await store.set_faults({"s3-cut-short": 0.0})
        async with (await s3.get_object(Bucket="bucket", Key="k"))["Body"] as body:
            assert await body.read() == CONTENT


async def test_a_frozen_environment_finds_the_connections_that_it_had_dead() -> None:
    """All of them, once each, and a new one works: the store knows them for as long as they are open.

    The calls are POSTs: what is idempotent, aiohttp sends again by itself.
    """
    async with handlers() as (store, (s3, _, dynamodb)):
        await store.set_faults({"lambda-frozen": 1e-9})
        await s3.create_multipart_upload(Bucket="bucket", Key="k")
        await dynamodb.put_item(TableName="t", Item={"PK": {"S": "a"}})
        await store.set_faults({"lambda-frozen": 1.0})
        with pytest.raises(ConnectionClosedError):
            await dynamodb.put_item(TableName="t", Item={"PK": {"S": "b"}})
        await store.set_faults({"lambda-frozen": 1e-9})
        with pytest.raises(ConnectionClosedError):
            await s3.create_multipart_upload(Bucket="bucket", Key="k")
        await s3.create_multipart_upload(Bucket="bucket", Key="k")
        await dynamodb.put_item(TableName="t", Item={"PK": {"S": "c"}})
        assert (await store.counters()).tables["t"].rows == 2


async def test_only_functions_are_struck_and_only_until_the_share_is_zero() -> None:
    """Everybody else's calls to S3 have no faults; an unknown kind, or a share out of range, is refused in one line."""
    async with handlers() as (store, (s3, *_)), AsyncExitStack() as owned:
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
        mine = offline_session().create_client("s3", endpoint_url=store.endpoint, **keys)
        others = await owned.enter_async_context(mine)
        await store.set_faults({"s3-slow-down": 1.0})
        await others.put_object(Bucket="bucket", Key="k", Body=b"1")
        with pytest.raises(s3.exceptions.ClientError, match="SlowDown"):
            await s3.put_object(Bucket="bucket", Key="k", Body=b"1")
        await store.set_faults({"s3-slow-down": 0.0})
        await s3.put_object(Bucket="bucket", Key="k", Body=b"1")
        assert (await store.counters()).faults == {"s3-slow-down": 1}
        with pytest.raises(ControlRefused, match=r"^there is no fault 's3-slo'; did you mean 's3-slow'\?$"):
            await store.set_faults({"s3-slo": 1.0})
        with pytest.raises(ControlRefused, match=r"^share must be a number from 0 to 1, not '1.5'$"):
            await store.set_faults({"s3-slow": 1.5})
