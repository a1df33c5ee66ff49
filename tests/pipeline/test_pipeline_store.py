"""The whole path with a stock moto server: generator, S3, notification, consumer, DynamoDB."""

from __future__ import annotations

import json
from uuid import uuid4

from fakes.handlers import environ, opened, sqs_event
from pipeline import consumer, generator
from pipeline.environment import access, client


async def test_what_is_generated_is_what_is_stored(moto_endpoint, session, batch_writer):
    """Every generated row is in the table, cell by cell, after one ingestion and after two."""
    bucket, table = f"bucket-{uuid4().hex}", f"table-{uuid4().hex}"
    variables = environ(
        moto_endpoint,
        BUCKET_NAME=bucket,
        TABLE_NAME=table,
        FILE_COUNT="3",
        ROWS_PER_FILE="40",
        BATCH_WRITER=batch_writer,
    )
    keys = [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}]
    async with (
        client(session, "s3", access(variables, "s3"), connections=4, retries=0) as s3,
        client(session, "dynamodb", access(variables, "dynamodb"), connections=4, retries=0) as dynamodb,
        opened(generator.handler, session, variables) as generate,
        opened(consumer.handler, session, variables) as consume,
    ):
        await s3.create_bucket(Bucket=bucket)
        await dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")],
            KeySchema=keys,
        )
        await generate({"time": "2026-11-22T09:40:00Z"})
        listed = [entry["Key"] for entry in (await s3.list_objects_v2(Bucket=bucket))["Contents"]]
        event = sqs_event(
            *(
                json.dumps(
                    {
                        "Records": [
                            {
                                "eventName": "ObjectCreated:Put",
                                "s3": {"bucket": {"name": bucket}, "object": {"key": key}},
                            }
                        ]
                    }
                )
                for key in listed
            )
        )
        expected = {}
        for key in listed:
            text = (await (await s3.get_object(Bucket=bucket, Key=key))["Body"].read()).decode()
            names, *rows = [line.split(",") for line in text.splitlines()]
            for row in rows:
                cells = {name: {"N": cell} for name, cell in zip(names[2:], row[2:], strict=True)}
                expected[row[0], row[1]] = {"PK": {"S": row[0]}, "SK": {"S": row[1]}, **cells}

        for _ in range(2):
            assert await consume(event) == {"batchItemFailures": []}
            stored = (await dynamodb.scan(TableName=table))["Items"]
            assert {(item["PK"]["S"], item["SK"]["S"]): item for item in stored} == expected

    assert len(expected) == 120
