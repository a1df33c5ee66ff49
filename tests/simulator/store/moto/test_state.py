"""A queue, a table and their counters belong to one Region and one account."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import aiohttp
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from fakes.signatures import signed_json
from simulator.store import Store
from simulator.store.wire.messages import HOME, Home

KEY = {"h": {"S": "x"}}


def client(service: str, endpoint: str, region: str, key: str = "testing", **more: str) -> Any:
    """A boto3 client of that Region."""
    return boto3.client(
        service, endpoint_url=endpoint, region_name=region, aws_access_key_id=key, aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}), **more,
    )  # fmt: skip


def make_table(dynamodb: Any, name: str) -> None:
    """A table with the partition key `h`."""
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "h", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "h", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


def test_a_table_is_called_by_its_name_at_home_alone() -> None:
    """Two tables with one name, in two Regions, are counted and throttled separately."""
    assert Home().full_name("T") == HOME.full_name("T") == "T"
    assert Home(region="eu-west-1").full_name("T") == "arn:aws:dynamodb:eu-west-1:123456789012:table/T"
    assert Home("1", "us-east-1").full_name("T") == "arn:aws:dynamodb:us-east-1:1:table/T"


async def test_tables_of_one_name_in_two_regions_are_two(name: str) -> None:
    """Writes, reads, batches, transactions, faults and figures reach the table in the signing Region."""
    async with Store.open() as store:
        here, there = (client("dynamodb", store.endpoint, region) for region in ("us-east-1", "eu-west-1"))
        make_table(here, name)
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            there.put_item(TableName=name, Item=KEY)
        make_table(there, name)
        there.put_item(TableName=name, Item=KEY)
        there.batch_write_item(RequestItems={name: [{"PutRequest": {"Item": {"h": {"S": "y"}}}}]})
        of_there = f"arn:aws:dynamodb:eu-west-1:123456789012:table/{name}"
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            here.batch_write_item(RequestItems={of_there: [{"PutRequest": {"Item": KEY}}]})
        there.batch_write_item(RequestItems={of_there: [{"DeleteRequest": {"Key": {"h": {"S": "none"}}}}]})
        there.transact_write_items(TransactItems=[{"Put": {"TableName": name, "Item": {"h": {"S": "z"}}}}])
        there.update_item(
            TableName=name, Key=KEY, UpdateExpression="SET a = :a", ExpressionAttributeValues={":a": {"S": "b"}}
        )
        assert there.scan(TableName=name)["Count"] == 3
        assert there.get_item(TableName=name, Key=KEY)["Item"]["a"] == {"S": "b"}
        assert here.scan(TableName=name)["Count"] == 0
        await store.refuse_writes(name, 1.0)
        there.put_item(TableName=name, Item=KEY)
        with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
            here.put_item(TableName=name, Item=KEY)
        await store.refuse_writes(name, 0)
        figures = (await store.counters()).tables[name]
        assert (figures.rows, figures.rows_written) == (0, 0)


def test_queues_of_one_name_in_two_regions_are_two(store_endpoint: str, name: str) -> None:
    """A message goes to the queue in the signing Region; S3 notifies the queue whose ARN it was given."""
    here, there = (client("sqs", store_endpoint, region) for region in ("us-east-1", "eu-west-1"))
    url = here.create_queue(QueueName=name)["QueueUrl"]
    with pytest.raises(ClientError, match="NonExistentQueue"):
        there.send_message(QueueUrl=url, MessageBody="m")
    arn = f"arn:aws:sqs:eu-west-1:123456789012:{name}"
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    there.create_queue(QueueName=name, Attributes={"Policy": json.dumps({"Statement": [allowed]})})
    there.send_message(QueueUrl=url, MessageBody="m")
    s3 = client("s3", store_endpoint, "eu-west-1")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_notification_configuration(
        Bucket=name,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    s3.put_object(Bucket=name, Key="k", Body=b"")
    received = there.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [next(iter(json.loads(each["Body"])), "") if each["Body"] != "m" else "m" for each in received] == [
        "m", "Service", "Records",
    ]  # fmt: skip
    assert "Messages" not in here.receive_message(QueueUrl=url)


def test_a_presigned_url_has_its_region_in_the_query(store_endpoint: str, name: str) -> None:
    """Both the fast path and moto take it from there."""
    body = json.dumps({"QueueName": name}).encode()
    headers = {"X-Amz-Target": "AmazonSQS.CreateQueue", "Content-Type": "application/x-amz-json-1.0"}
    credential = "X-Amz-Credential=A%2F20261122%2Feu-west-1%2Fsqs%2Faws4_request&X-Amz-Signature=x"
    urllib.request.urlopen(urllib.request.Request(f"{store_endpoint}/?{credential}", body, headers)).close()
    assert client("sqs", store_endpoint, "eu-west-1").get_queue_url(QueueName=name)["QueueUrl"].endswith(name)


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("AmazonSQS.ListQueues", 403, "SignatureDoesNotMatch"),
        ("DynamoDB_20120810.ListTables", 400, "InvalidSignatureException"),
    ],
)
async def test_an_unknown_region_is_refused(store_endpoint: str, target: str, status: int, code: str) -> None:
    """The text is AWS's for a credential's scope."""
    headers = signed_json(*target.split("."))
    headers["Authorization"] = headers["Authorization"].replace("us-east-1", "mars-north-1")
    async with aiohttp.ClientSession() as session, session.post(store_endpoint, data="{}", headers=headers) as answer:
        refusal = await answer.json(content_type=None)
    assert (answer.status, refusal["__type"].partition("#")[2]) == (status, code)
    assert refusal["message"] == "Credential should be scoped to a valid region, not 'mars-north-1'."


def test_an_assumed_role_works_in_its_own_account(store_endpoint: str, name: str) -> None:
    """The credentials that STS gives out for a role of another account find that account's tables."""
    sts = client("sts", store_endpoint, "us-east-1")
    role = sts.assume_role(RoleArn="arn:aws:iam::111122223333:role/r", RoleSessionName="session")["Credentials"]
    other = client("dynamodb", store_endpoint, "us-east-1", role["AccessKeyId"], aws_session_token=role["SessionToken"])
    make_table(client("dynamodb", store_endpoint, "us-east-1"), name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        other.put_item(TableName=name, Item=KEY)
    make_table(other, name)
    other.put_item(TableName=name, Item=KEY)
    assert other.scan(TableName=name)["Items"] == [KEY]
    assert "111122223333" in other.describe_table(TableName=name)["Table"]["TableArn"]
