"""What DynamoDB documents and moto does not do, each with its sentence. Against a running store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Write = Callable[..., Any]


@pytest.fixture
def table(dynamodb: Any, name: str) -> str:
    """An on-demand table with the keys PK and SK."""
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def put(number: int, **attributes: Any) -> dict[str, Any]:
    """A put of one item."""
    return {"PutRequest": {"Item": {"PK": {"S": "p"}, "SK": {"S": str(number)}, **attributes}}}


def delete(number: int) -> dict[str, Any]:
    """A delete of one item."""
    return {"DeleteRequest": {"Key": {"PK": {"S": "p"}, "SK": {"S": str(number)}}}}


def refused(dynamodb: Any, table: str, requests: list[Any]) -> tuple[str, str]:
    """The code and text of a refused batch; also checks that nothing of it was stored."""
    with pytest.raises(ClientError) as caught:
        dynamodb.batch_write_item(RequestItems={table: requests})
    assert dynamodb.scan(TableName=table)["Count"] == 0
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_batch_has_at_most_25_operations(dynamodb: Any, table: str) -> None:
    """BatchWriteItem: there are more than 25 requests in the batch: the entire operation is rejected."""
    expected = ("ValidationException", "Too many items requested for the BatchWriteItem call")
    assert refused(dynamodb, table, [put(number) for number in range(26)]) == expected
    dynamodb.batch_write_item(RequestItems={table: [put(number) for number in range(25)]})
    assert dynamodb.scan(TableName=table)["Count"] == 25


def test_a_batch_has_at_least_one_operation(dynamodb: Any, table: str) -> None:
    """BatchWriteItem: RequestItems has a minimum of one entry, and so has each table's list."""
    code, text = refused(dynamodb, table, [])
    assert (code, "length greater than or equal to 1" in text) == ("ValidationException", True)
    with pytest.raises(ClientError, match="length greater than or equal to 1"):
        dynamodb.batch_write_item(RequestItems={})


@pytest.mark.parametrize(
    "requests",
    [[put(1, a={"S": "x"}), put(1, a={"S": "y"})], [put(1), delete(1)], [delete(1), delete(1)]],
    ids=["other attributes", "put and delete", "two deletes"],
)
def test_two_operations_on_one_key_are_refused(dynamodb: Any, table: str, requests: list[Any]) -> None:
    """BatchWriteItem: you try to perform multiple operations on the same item in the same request."""
    expected = ("ValidationException", "Provided list of item keys contains duplicates")
    assert refused(dynamodb, table, requests) == expected


def test_numeric_keys_are_compared_as_numbers(dynamodb: Any, name: str) -> None:
    """`1` and `1.0` are one key; both are stored as `1`."""
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "N"}],
        BillingMode="PAY_PER_REQUEST",
    )
    requests = [{"PutRequest": {"Item": {"PK": {"N": number}}}} for number in ("1", "1.0")]
    assert refused(dynamodb, name, requests)[1] == "Provided list of item keys contains duplicates"
    dynamodb.batch_write_item(RequestItems={name: requests[1:]})
    assert dynamodb.get_item(TableName=name, Key={"PK": {"N": "1"}})["Item"] == {"PK": {"N": "1"}}


def test_one_key_in_two_tables_is_no_duplicate(dynamodb: Any, table: str) -> None:
    """Duplicates are within one table; moto refuses the same item in two."""
    other = f"{table}-other"
    dynamodb.create_table(
        TableName=other,
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.batch_write_item(RequestItems={table: [put(1)], other: [put(1)]})
    assert dynamodb.scan(TableName=other)["Count"] == 1


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"n": {"N": "1" * 39}}, "Attempting to store more than 38 significant digits in a Number"),
        ({"n": {"N": "1e126"}}, "Number overflow. Attempting to store a number with magnitude larger than"),
        ({"n": {"N": "1e-131"}}, "Number underflow. Attempting to store a number with magnitude smaller than"),
        ({"n": {"N": "NaN"}}, "The parameter cannot be converted to a numeric value: NaN"),
        ({"n": {"L": [{"N": " 1"}]}}, "The parameter cannot be converted to a numeric value:  1"),
        ({"n": {"NS": ["1", "1.0"]}}, "contains duplicates."),
        ({"n": {"SS": []}}, "An string set  may not be empty"),
        ({"n": {"S": "x", "N": "1"}}, "Supplied AttributeValue has more than one datatypes set"),
        ({"n": {}}, "Supplied AttributeValue is empty"),
        ({"n": {"S": "x" * 410_000}}, "Item size has exceeded the maximum allowed size"),
        ({"PK": {"S": "x" * 2_049}}, "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
        ({"SK": {"S": "x" * 1_025}}, "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"),
        ({"PK": {"S": ""}}, "cannot contain an empty string value. Key: PK"),
        ({"SK": {"N": "1"}}, "The provided key element does not match the schema"),
    ],
)
def test_one_invalid_item_stores_nothing(dynamodb: Any, table: str, item: Any, text: str) -> None:
    """BatchWriteItem: if one or more of the following is true, DynamoDB rejects the entire batch write operation."""
    found = refused(dynamodb, table, [put(1), put(2, **item)])[1]
    assert text in found


@pytest.mark.parametrize(("kind", "text"), [("SS", "An string set  may not"), ("BS", "Binary sets should not")])
def test_an_empty_set_is_refused_in_the_words_of_each_operation(
    dynamodb: Any, table: str, kind: str, text: str
) -> None:
    """PutItem counts its errors first, at any level of the item; BatchWriteItem does not."""
    reason = f"One or more parameter values were invalid: {text} be empty"
    for value in ({kind: []}, {"M": {"inner": {"L": [{kind: []}]}}}):
        item = put(1, n=value)
        assert refused(dynamodb, table, [item]) == ("ValidationException", reason)
        with pytest.raises(ClientError) as caught:
            dynamodb.put_item(TableName=table, Item=item["PutRequest"]["Item"])
        assert caught.value.response["Error"]["Message"] == f"1 validation error detected: {reason}"


def test_numbers_are_stored_trimmed(dynamodb: Any, table: str) -> None:
    """Leading and trailing zeroes are trimmed; 38 digits and the ends of the range are kept."""
    numbers = {
        "a": "1.500",
        "b": "-007",
        "c": "1" * 38,
        "d": "9.9e125",
        "e": "1e-130",
        "f": "-0.0",
        "g": "-0",
        "h": "-0.5",
    }
    item = {key: {"N": value} for key, value in numbers.items()}
    dynamodb.batch_write_item(RequestItems={table: [put(1, **item)]})
    stored = dynamodb.scan(TableName=table)["Items"][0]
    assert {key: stored[key]["N"] for key in "abcfgh"} == {
        "a": "1.5",
        "b": "-7",
        "c": "1" * 38,
        "f": "0",
        "g": "0",
        "h": "-0.5",
    }
    assert (float(stored["d"]["N"]), float(stored["e"]["N"])) == (9.9e125, 1e-130)


def test_consumed_capacity_is_one_unit_for_each_started_kilobyte(dynamodb: Any, table: str) -> None:
    """Capacity unit consumption: write item sizes are rounded up to the next 1 KB, each item for itself."""
    requests = [put(1), put(2, v={"S": "x" * 1_500}), put(3, v={"S": "x" * 1_010})]
    answer = dynamodb.batch_write_item(RequestItems={table: requests}, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == [{"TableName": table, "CapacityUnits": 4.0}]
    assert "ConsumedCapacity" not in dynamodb.batch_write_item(RequestItems={table: [put(9)]})


def test_replacing_a_larger_item_costs_what_the_larger_one_does(dynamodb: Any, table: str) -> None:
    """PutItem, DeleteItem: the larger of the item's sizes before and after counts."""
    dynamodb.batch_write_item(RequestItems={table: [put(1, v={"S": "x" * 3_000})]})
    for request in (put(1), delete(2)):
        answer = dynamodb.batch_write_item(RequestItems={table: [request]}, ReturnConsumedCapacity="INDEXES")
        units = answer["ConsumedCapacity"][0]["Table"]["CapacityUnits"]
        assert units == (3.0 if "PutRequest" in request else 1.0)


def test_reads_cost_half_a_unit_for_each_started_4_kilobytes(dynamodb: Any, table: str) -> None:
    """Capacity unit consumption: one strongly consistent read of up to 4 KB, or two eventually consistent ones."""
    dynamodb.batch_write_item(RequestItems={table: [put(1, v={"S": "x" * 5_000})]})
    for consistent, units in ((False, 1.0), (True, 2.0)):
        answer = dynamodb.scan(TableName=table, ConsistentRead=consistent, ReturnConsumedCapacity="TOTAL")
        assert answer["ConsumedCapacity"]["CapacityUnits"] == units


def test_a_page_ends_at_one_megabyte_of_items(dynamodb: Any, table: str) -> None:
    """Query, Scan: a single operation can retrieve a maximum of 1 MB of data; the pages together are the table."""
    for start in range(0, 50, 10):
        rows = [put(number, v={"S": "x" * 30_000}) for number in range(start, start + 10)]
        dynamodb.batch_write_item(RequestItems={table: rows})
    pages, more = [], {}
    while True:
        page = dynamodb.scan(TableName=table, **more)
        pages.append(page["Count"])
        if "LastEvaluatedKey" not in page:
            break
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert pages == [34, 16]


def test_a_batch_over_16_megabytes_is_refused(dynamodb: Any, table: str) -> None:
    """BatchWriteItem: a single call can transmit up to 16 MB of data over the network."""
    with pytest.raises(ClientError) as caught:
        dynamodb.batch_write_item(RequestItems={table: [put(number, v={"S": "x" * 700_000}) for number in range(25)]})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


@pytest.mark.parametrize("number", ["1" * 39, "1e126"])
def test_a_single_put_keeps_the_same_rules(dynamodb: Any, table: str, number: str) -> None:
    """PutItem refuses the same numbers, even with a condition."""
    for more in ({}, {"ConditionExpression": "attribute_not_exists(PK)"}):
        with pytest.raises(ClientError, match="Number"):
            dynamodb.put_item(TableName=table, Item=put(1, n={"N": number})["PutRequest"]["Item"], **more)


INDEXED = {
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-price",
            "KeySchema": [{"AttributeName": "DAY", "KeyType": "HASH"}, {"AttributeName": "PRICE", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "local",
            "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "PRICE", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}


def test_an_index_key_has_its_type_in_every_item(dynamodb: Any, name: str) -> None:
    """PutItem: the data type of an attribute that is part of an index key must match; one that is absent is no matter.

    The index and both types are named, and one such item rejects its whole batch.
    """
    kinds = {"PK": "S", "SK": "S", "DAY": "S", "PRICE": "N"}
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in kinds.items()],
        BillingMode="PAY_PER_REQUEST",
        **INDEXED,
    )
    said = "One or more parameter values were invalid: Type mismatch for Index Key"
    price = f"{said} PRICE Expected: N Actual: NULL IndexName: "
    code, text = refused(dynamodb, name, [put(1), put(2, PRICE={"NULL": True})])
    assert (code, text[: len(price)]) == ("ValidationException", price)
    assert text[len(price) :] in ("by-price", "local")
    day = put(3, DAY={"N": "5"})["PutRequest"]
    for write in (
        lambda: dynamodb.put_item(TableName=name, **day),
        lambda: dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": name, **day}}]),
    ):
        with pytest.raises(ClientError, match=f"{said} DAY Expected: S Actual: N IndexName: by-price"):
            write()
    items = [put(1), put(2, DAY={"S": "monday"}, PRICE={"N": "5"})]
    dynamodb.batch_write_item(RequestItems={name: items})
    dynamodb.put_item(TableName=name, **put(3, PRICE={"N": "7"})["PutRequest"])
    assert dynamodb.scan(TableName=name)["Count"] == 3


def test_updates_and_deletes_cost_the_larger_of_before_and_after(dynamodb: Any, table: str) -> None:
    """UpdateItem, DeleteItem: the item's size before or after, whichever is larger, in units of 1 KB."""
    dynamodb.batch_write_item(RequestItems={table: [put(1, v={"S": "x" * 3_000})]})
    key = {"PK": {"S": "p"}, "SK": {"S": "1"}}
    common = {"TableName": table, "Key": key, "ReturnConsumedCapacity": "TOTAL"}
    values = {":v": {"S": "y"}}
    update = dynamodb.update_item(**common, UpdateExpression="SET v = :v", ExpressionAttributeValues=values)
    assert update["ConsumedCapacity"]["CapacityUnits"] == 3.0
    assert dynamodb.delete_item(**common)["ConsumedCapacity"]["CapacityUnits"] == 1.0
    assert "ConsumedCapacity" not in dynamodb.delete_item(TableName=table, Key=key)


def test_a_row_of_plain_values_is_checked_too(dynamodb: Any, table: str) -> None:
    """`-0` in a row of plain values is trimmed, and a long number in it refused."""
    dynamodb.batch_write_item(RequestItems={table: [put(1, n={"N": "-0"})]})
    assert dynamodb.scan(TableName=table)["Items"][0]["n"] == {"N": "0"}
    with pytest.raises(ClientError, match="38 significant digits"):
        dynamodb.batch_write_item(RequestItems={table: [put(2, n={"N": "1" * 39})]})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"N": "abc"}, "The parameter cannot be converted to a numeric value: abc for key :v"),
        ({"N": "1" * 39}, "Attempting to store more than 38 significant digits in a Number for key :v"),
        ({"SS": ["a", "a"]}, "Input collection [a, a] contains duplicates. for key :v"),
        ({"SS": []}, "One or more parameter values were invalid: An string set  may not be empty"),
    ],
)
def test_an_update_stores_no_value_that_a_put_would_not(dynamodb: Any, table: str, value: Any, text: str) -> None:
    """The values of an update expression are checked like an item's, before anything is stored."""
    with pytest.raises(ClientError) as caught:
        dynamodb.update_item(
            TableName=table,
            Key={"PK": {"S": "p"}, "SK": {"S": "1"}},
            UpdateExpression="SET v = :v",
            ExpressionAttributeValues={":v": value},
        )
    error = caught.value.response["Error"]
    opening = "ExpressionAttributeValues contains invalid value: " if ":v" in text else "1 validation error detected: "
    assert (error["Code"], error["Message"][: len(opening)]) == ("ValidationException", opening)
    assert error["Message"].endswith(text)
    assert dynamodb.scan(TableName=table)["Items"] == []


def test_numbers_that_an_update_or_a_transaction_writes_are_trimmed(dynamodb: Any, table: str) -> None:
    """It also covers a put with a condition, and sums; a number is in a set once."""
    key = {"PK": {"S": "p"}, "SK": {"S": "1"}}
    dynamodb.put_item(
        TableName=table,
        Item={**key, "total": {"N": "1.50"}, "set": {"NS": ["1.0", "2"]}},
        ConditionExpression="attribute_not_exists(PK)",
    )
    dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET #t = #t + :v, updated = :v, inside = :l ADD #s :s",
        ExpressionAttributeNames={"#s": "set", "#t": "total"},
        ExpressionAttributeValues={
            ":v": {"N": "0.50"},
            ":l": {"L": [{"M": {"n": {"N": "1e2"}}}, {"B": b"\xff"}]},
            ":s": {"NS": ["1.00", "3"]},
        },
    )
    other = {"PK": {"S": "p"}, "SK": {"S": "2"}}
    dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": {**other, "n": {"N": "007"}}}}])
    first, second = dynamodb.scan(TableName=table)["Items"]
    assert sorted(first.pop("set")["NS"]) == ["1", "2", "3"]
    inside = {"L": [{"M": {"n": {"N": "100"}}}, {"B": b"\xff"}]}
    assert first == {**key, "total": {"N": "2"}, "updated": {"N": "0.5"}, "inside": inside}
    assert second == {**other, "n": {"N": "7"}}


@pytest.mark.parametrize("in_transaction", [False, True])
@pytest.mark.parametrize("action", ["Update", "Delete"])
@pytest.mark.parametrize(
    ("sort_key", "text"),
    [
        ({"BOOL": True}, "The provided key element does not match the schema"),
        ({"S": "1"}, "The provided key element does not match the schema"),
        ({"N": "one"}, "The parameter cannot be converted to a numeric value: one"),
    ],
)
def test_a_write_names_an_item_by_a_key_of_the_table(
    dynamodb: Any, name: str, sort_key: Any, text: str, action: str, in_transaction: bool
) -> None:
    """A key of another type belongs to no item, and none is created for it; moto treats true as 1."""
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"PK": {"S": "p"}, "SK": {"N": "1"}}
    dynamodb.put_item(TableName=name, Item=item)
    key = {"PK": {"S": "p"}, "SK": sort_key}
    where = {"TableName": name, "Key": key}
    update = {**where, "UpdateExpression": "SET v = :v", "ExpressionAttributeValues": {":v": {"N": "2"}}}
    content = {"Update": update, "Delete": where}[action]
    operation = "transact_write_items" if in_transaction else f"{action.lower()}_item"
    with pytest.raises(ClientError) as caught:
        getattr(dynamodb, operation)(**({"TransactItems": [{action: content}]} if in_transaction else content))
    assert caught.value.response["Error"] == {"Code": "ValidationException", "Message": text}
    assert dynamodb.scan(TableName=name)["Items"] == [item]


def test_a_put_in_a_transaction_keeps_the_rules_of_any_put(dynamodb: Any, table: str) -> None:
    """Letters are not a number, and nothing is stored."""
    item = {"PK": {"S": "p"}, "SK": {"S": "1"}, "n": {"N": "abc"}}
    with pytest.raises(ClientError, match="cannot be converted to a numeric value: abc"):
        dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": item}}])
    assert dynamodb.scan(TableName=table)["Items"] == []
