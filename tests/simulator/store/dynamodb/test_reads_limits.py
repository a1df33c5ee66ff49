"""What reads cost and when they are refused; the clock does not move."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from fakes.clock import ManualClock
from simulator.store.counting.tallies import Tallies
from simulator.store.dynamodb import reads
from simulator.store.dynamodb.rows import Rows
from simulator.store.dynamodb.rules import rows_size
from simulator.store.dynamodb.tables import Tables
from simulator.store.dynamodb.throttles import Throttles
from simulator.store.moto.application import LeftToMoto
from simulator.store.wire.aws_errors import AwsError


def prices() -> Any:
    """A table as moto makes it, with a partition key PK and a sort key SK."""
    keys = [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}]
    return SimpleNamespace(
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


def test_a_hot_partition_key_is_refused_by_get_and_query_alone() -> None:
    """GetItem and Query are charged to their partition key; a Scan only to the table."""
    table, clock, throttles = prices(), ManualClock(1_000.0), Throttles(applied=True)
    tallies = Tallies(clock)
    tables = Tables(lambda: {"prices": table}, tallies, throttles, clock, strict=True)
    throttles.charge(table, 2_999, clock.now(), "hot", writes=False)

    def get(partition: str) -> Any:
        return reads.get(tables, {"TableName": "prices", "Key": {"PK": {"S": partition}, "SK": {"S": "s"}}})

    def query(partition: str) -> Any:
        condition = {"KeyConditionExpression": "PK = :p", "ExpressionAttributeValues": {":p": {"S": partition}}}
        return reads.query(tables, {"TableName": "prices", "ConsistentRead": True, **condition})

    assert query("hot") is not None
    for read in (get, query):
        with pytest.raises(AwsError) as caught:
            read("hot")
        (reason,) = caught.value.details["ThrottlingReasons"]
        assert reason["reason"] == "TableReadKeyRangeThroughputExceeded"
        assert read("cold") is not None
    assert reads.scan(tables, {"TableName": "prices"}) is not None
    assert tallies.tables["prices"].throttled_requests == 2


@pytest.mark.parametrize("limit", [{}, {"Limit": 30}, {"Limit": 29}])
def test_a_page_costs_the_size_of_its_items_whatever_ends_it(limit: dict[str, int]) -> None:
    """Scan: 30 items of 207 bytes, whose JSON is larger, cost two units of 4 KB, and so do 29."""
    table, clock = prices(), ManualClock(1_000.0)
    for number in range(30):
        item = {"PK": {"S": "p"}, "SK": {"S": f"{number:02}"}, **{f"n{each:02}": {"N": "1"} for each in range(40)}}
        table.items.put("p", f"{number:02}", orjson.dumps(item))
    tables = Tables(lambda: {"prices": table}, Tallies(clock), Throttles(applied=False), clock, strict=True)
    answer = json.loads(
        reads.scan(tables, {"TableName": "prices", "ConsistentRead": True, "ReturnConsumedCapacity": "TOTAL", **limit})
    )
    assert answer["Count"] == limit.get("Limit", 30)
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 2


@pytest.mark.parametrize("page_bytes", [1, 149, 150, 151, 299, 300, 450, 749, 750, 10_000])
def test_a_page_holds_as_many_items_as_fit_by_their_own_size(monkeypatch: pytest.MonkeyPatch, page_bytes: int) -> None:
    """A page has at least one item, and all that fit; longer JSON does not end it. A last key means more rows."""
    monkeypatch.setattr("simulator.store.dynamodb.reads.DYNAMODB_PAGE_BYTES", page_bytes)
    table, clock = prices(), ManualClock(1_000.0)
    for number in range(5):
        item = {"PK": {"S": "p"}, "SK": {"S": f"{number:02}"}, **{f"n{each:02}": {"N": "1"} for each in range(28)}}
        item["n28"] = {"S": ""}
        table.items.put("p", f"{number:02}", orjson.dumps(item))
    assert [rows_size([row]) for _, _, row in table.items.walk(None)] == [150] * 5
    tables = Tables(lambda: {"prices": table}, Tallies(clock), Throttles(applied=False), clock, strict=True)
    answer = json.loads(reads.scan(tables, {"TableName": "prices"}))
    assert answer["Count"] == min(5, max(1, page_bytes // 150))
    assert ("LastEvaluatedKey" in answer) == (answer["Count"] < 5)


def _key(number: int) -> dict[str, Any]:
    return {"PK": {"S": "p"}, "SK": {"S": f"{number:03}"}}


def test_a_batch_of_keys_is_answered_with_the_items_there_are_and_each_is_counted() -> None:
    """BatchGetItem: whole units for each item of up to 4 KB, also for one that is not there."""
    table, clock = prices(), ManualClock(1_000.0)
    tallies = Tallies(clock)
    for number, text in ((1, "x" * 5_000), (2, "short")):
        table.items.put("p", f"{number:03}", orjson.dumps({**_key(number), "v": {"S": text}}))
    tables = Tables(lambda: {"prices": table}, tallies, Throttles(applied=False), clock, strict=True)
    asked = {"Keys": [_key(1), _key(2), _key(3)], "ConsistentRead": True}
    answer = json.loads(reads.batch_get(tables, {"RequestItems": {"prices": asked}}))
    assert [len(item["v"]["S"]) for item in answer["Responses"]["prices"]] == [5_000, 5]
    assert answer["UnprocessedKeys"] == {}
    assert tallies.tables["prices"].read_units == 2 + 1 + 1


@pytest.mark.parametrize(
    ("strict", "wanted", "more"),
    [
        (True, {"Keys": []}, {}),
        (True, {"Keys": [_key(1), _key(1)]}, {}),
        (True, {"Keys": [_key(number) for number in range(101)]}, {}),
        (True, {"Keys": [{"PK": {"S": "p"}}]}, {}),
        (True, {"Keys": "all"}, {}),
        (True, {"Keys": [_key(1)], "ProjectionExpression": "v"}, {}),
        (True, {"Keys": [_key(1)]}, {"ReturnConsumedCapacity": "TOTAL"}),
        (False, {"Keys": [_key(1)]}, {}),
        (True, [], {}),
    ],
)
def test_any_other_batch_of_keys_is_left_to_moto(strict: bool, wanted: Any, more: dict[str, str]) -> None:
    """Mistakes, whose texts are moto's, and what is asked for beyond whole items of one table."""
    clock = ManualClock(1_000.0)
    throttles = Throttles(applied=False)
    tables = Tables(lambda: {"prices": prices()}, Tallies(clock), throttles, clock, strict=strict)
    with pytest.raises(LeftToMoto):
        reads.batch_get(tables, {"RequestItems": {"prices": wanted}, **more})
