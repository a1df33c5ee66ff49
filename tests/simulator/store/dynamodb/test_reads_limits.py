"""A hot partition key holds up reads of itself and no others; the clock stands still."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fakes.clock import ManualClock
from simulator.store.counting.tallies import Tallies
from simulator.store.dynamodb.reads import TableReads
from simulator.store.dynamodb.rows import Rows
from simulator.store.dynamodb.tables import Tables
from simulator.store.dynamodb.throttles import Throttles
from simulator.store.wire.aws_errors import AwsError


def test_a_hot_partition_key_is_refused_by_get_and_query_alone() -> None:
    """GetItem and Query are charged to their partition key; a Scan asks the table alone."""
    keys = [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}]
    table = SimpleNamespace(
        name="prices",
        table_arn="arn:aws:dynamodb:us-east-1:123456789012:table/prices",
        billing_mode="PAY_PER_REQUEST",
        schema=keys,
        table_key_attrs=["PK", "SK"],
        hash_key_attr="PK",
        hash_key_type="S",
        range_key_attr="SK",
        range_key_type="S",
        items=Rows("S", "S"),
    )
    clock, throttles = ManualClock(1_000.0), Throttles(applied=True)
    tallies = Tallies(clock)
    reads = TableReads(Tables(lambda: {"prices": table}, tallies, throttles, clock, strict=True))
    throttles.charge_read(table, 2_999, clock.now(), "hot")

    def get(partition: str) -> Any:
        return reads.get({"TableName": "prices", "Key": {"PK": {"S": partition}, "SK": {"S": "s"}}})

    def query(partition: str) -> Any:
        condition = {"KeyConditionExpression": "PK = :p", "ExpressionAttributeValues": {":p": {"S": partition}}}
        return reads.query({"TableName": "prices", "ConsistentRead": True, **condition})

    assert query("hot") is not None
    for read in (get, query):
        with pytest.raises(AwsError) as caught:
            read("hot")
        (reason,) = caught.value.details["ThrottlingReasons"]
        assert reason["reason"] == "TableReadKeyRangeThroughputExceeded"
        assert read("cold") is not None
    assert reads.scan({"TableName": "prices"}) is not None
    assert tallies.tables["prices"].throttled_requests == 2
