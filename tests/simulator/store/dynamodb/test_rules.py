"""What DynamoDB accepts and how large it is, to the digit and the byte. For HTTP see test_dynamodb_rules.py."""

from __future__ import annotations

import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.store.dynamodb.rules import (
    WriteOperation,
    check_body,
    check_index_keys,
    check_item,
    check_key,
    check_put,
    check_request_sizes,
    check_values,
    is_plain_row,
    item_size,
    keys_of,
    plan_batch,
    plan_write,
    read_units,
    row_units,
    rows_size,
    table_of,
    trimmed,
    write_units,
)
from simulator.store.wire.aws_errors import AwsError

INVALID = "ValidationException"
SERIAL = "SerializationException"
MISMATCH = "The provided key element does not match the schema"


def a_table(hash_type: str = "S", range_type: str | None = "S") -> Any:
    """A table as moto makes it, with a partition key PK and perhaps a sort key SK."""
    names = ["PK", "SK"] if range_type else ["PK"]
    return SimpleNamespace(
        table_key_attrs=names,
        hash_key_attr="PK",
        hash_key_type=hash_type,
        range_key_attr="SK" if range_type else None,
        range_key_type=range_type,
        table_arn="arn:aws:dynamodb:us-east-1:123456789012:table/t",
        indexes=[],
        global_indexes=[],
    )


def refusal(act: Any, *arguments: Any) -> tuple[str, str]:
    """The code and the text of the exception."""
    with pytest.raises(AwsError) as caught:
        act(*arguments)
    assert caught.value.status == (413 if caught.value.code.startswith("Request") else 400)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("1", "1"),
        ("-0", "0"),
        ("0.0", "0"),
        ("0e500", "0"),
        ("+1.50", "1.5"),
        ("-007", "-7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("12E-3", "0.012"),
        ("1" * 38, "1" * 38),
        ("1" * 38 + "0" * 5, "1" * 38 + "0" * 5),
        ("0." + "1" * 38, "0." + "1" * 38),
        ("9." + "9" * 37 + "e125", "9" * 38 + "0" * 88),
        ("1" + "0" * 125, "1" + "0" * 125),
        ("1e-130", "0." + "0" * 129 + "1"),
        ("-1.5e-130", "-0." + "0" * 129 + "15"),
        ("0" * 300 + "1", "1"),
    ],
)
def test_a_number_is_stored_without_zeros_to_trim(text: str, stored: str) -> None:
    """Data types: up to 38 digits from 1E-130 to 9.99E+125, leading and trailing zeroes trimmed; no exponent here."""
    assert check_item({"n": {"N": text}}) == (None if text == stored else {"n": {"N": stored}})


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1" * 39, "Attempting to store more than 38 significant digits in a Number"),
        ("1" + "0" * 37 + "1", "Attempting to store more than 38 significant digits in a Number"),
        ("1e126", "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ("9.9e-131", "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
        ("1e9999999999999999999", "The parameter cannot be converted to a numeric value: 1e9999999999999999999"),
        ("", "The parameter cannot be converted to a numeric value: "),
        ("1_0", "The parameter cannot be converted to a numeric value: 1_0"),
    ],
)
def test_a_number_out_of_range_is_refused(number: str, text: str) -> None:
    """Data types: numbers beyond the range or 38 digits of precision result in an exception."""
    assert refusal(check_item, {"n": {"N": number}}) == (INVALID, text)


def nested(levels: int) -> dict[str, Any]:
    """An attribute of lists and maps within each other, with text innermost."""
    typed: dict[str, Any] = {"S": "x"}
    for level in range(levels - 1):
        typed = {"M": {"m": typed}} if level % 2 else {"L": [typed]}
    return typed


def test_documents_are_nested_up_to_32_levels() -> None:
    """Quotas: nested attributes of up to 32 levels; lists and maps count alike."""
    assert check_item({"d": nested(32)}) is None
    assert refusal(check_item, {"d": nested(33)}) == (INVALID, "Nesting Levels have exceeded supported limits")
    assert refusal(check_item, {"d": {"L": [nested(32)]}})[0] == INVALID


@pytest.mark.parametrize(
    "typed",
    [
        {"S": ""},
        {"B": ""},
        {"B": "AP8="},
        {"BOOL": False},
        {"NULL": True},
        {"L": []},
        {"M": {}},
        {"SS": ["a", "b"]},
        {"NS": ["1", "2"]},
        {"BS": ["AA==", "AQ=="]},
        {"M": {"l": {"L": [{"N": "1"}, {"BOOL": True}, {"SS": ["a"]}]}}},
    ],
)
def test_every_type_is_accepted_as_it_is(typed: dict[str, Any]) -> None:
    """Data types: there are ten; only a key may not be empty."""
    assert check_item({"PK": {"S": "p"}, "a": typed}) is None


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("text", (SERIAL, "Unexpected value type in payload")),
        ("t", (SERIAL, "Unexpected value type in payload")),
        ({"L": ["text"]}, (SERIAL, "Unexpected value type in payload")),
        ({"L": ["t"]}, (SERIAL, "Unexpected value type in payload")),
        (
            {},
            (INVALID, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        ),
        (
            {"X": True},
            (INVALID, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        ),
        (
            {"X": "x"},
            (INVALID, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        ),
        (
            {"L": [{}]},
            (INVALID, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        ),
        (
            {"M": {"x": {"S": "", "N": "1"}}},
            (
                INVALID,
                "Supplied AttributeValue has more than one datatypes set, "
                "must contain exactly one of the supported datatypes",
            ),
        ),
        ({"S": 1}, (SERIAL, "Unexpected value type in payload for attribute type S")),
        ({"B": 1}, (SERIAL, "Unexpected value type in payload for attribute type B")),
        ({"N": 1}, (SERIAL, "NUMBER_VALUE cannot be converted to String")),
        ({"L": {}}, (SERIAL, "Unexpected value type in payload for attribute type L")),
        ({"M": []}, (SERIAL, "Unexpected value type in payload for attribute type M")),
        ({"BOOL": "true"}, (SERIAL, "Unexpected value type in payload for attribute type BOOL")),
        ({"NULL": 1}, (SERIAL, "Unexpected value type in payload for attribute type NULL")),
        ({"SS": "a"}, (SERIAL, "Unexpected value type in payload for attribute type SS")),
        ({"SS": [1]}, (SERIAL, "Unexpected value type in payload for attribute type S")),
        ({"B": "?"}, (SERIAL, "Base64 encoded length is expected a multiple of 4 bytes")),
        ({"B": "AA=?="}, (SERIAL, "Base64 encoded length is expected a multiple of 4 bytes")),
        (
            {"NULL": False},
            (
                INVALID,
                "One or more parameter values were invalid: Null attribute value types must have the value of true",
            ),
        ),
        ({"SS": []}, (INVALID, "One or more parameter values were invalid: An string set  may not be empty")),
        ({"NS": []}, (INVALID, "One or more parameter values were invalid: An number set  may not be empty")),
        ({"BS": []}, (INVALID, "One or more parameter values were invalid: Binary sets should not be empty")),
        (
            {"NS": ["1", "1.0"]},
            (INVALID, "One or more parameter values were invalid: Input collection [1, 1.0] contains duplicates."),
        ),
    ],
)
def test_a_value_of_another_kind_is_refused(typed: Any, error: tuple[str, str]) -> None:
    """AttributeValue: exactly one type, and a value of that type."""
    assert refusal(check_item, {"PK": {"S": "p"}, "a": typed}) == error


def test_a_single_put_counts_its_errors_where_a_set_is_empty() -> None:
    """Only PutItem does so; a batch has another text."""
    with pytest.raises(AwsError, match=r"^1 validation error detected: One or more .*An string set  may not be empty$"):
        check_put({"a": {"SS": []}})
    with pytest.raises(AwsError, match=r"^One or more .*An string set  may not be empty$"):
        check_item({"a": {"SS": []}})
    with pytest.raises(AwsError, match=r"^The parameter cannot be converted"):
        check_put({"a": {"N": "x"}})
    check_put({"a": {"SS": ["x"]}})


def test_what_changes_leaves_the_rest_as_it_is() -> None:
    """Numbers are normalised at every level, in a new item; the client's is unchanged."""
    item = {"a": {"N": "01"}, "b": {"S": "x"}, "c": {"L": [{"M": {"n": {"N": "2.0"}}}]}, "d": {"NS": ["1", "3.0"]}}
    before = json.dumps(item)
    assert check_item(item) == {
        "a": {"N": "1"},
        "b": {"S": "x"},
        "c": {"L": [{"M": {"n": {"N": "2"}}}]},
        "d": {"NS": ["1", "3"]},
    }
    assert json.dumps(item) == before


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"é": {"S": "éa"}}, 5),
        ({"n": {"N": "0"}}, 2),
        ({"n": {"N": "5"}}, 3),
        ({"n": {"N": "55"}}, 3),
        ({"n": {"N": "-555"}}, 5),
        ({"n": {"N": "5500"}}, 3),
        ({"n": {"N": "0.055"}}, 3),
        ({"n": {"N": "12e7"}}, 3),
        ({"n": {"N": "12E7"}}, 3),
        ({"b": {"B": "AP8="}}, 3),
        ({"b": {"B": b"12345"}}, 6),
        ({"t": {"BOOL": False}}, 2),
        ({"u": {"NULL": True}}, 2),
        ({"s": {"SS": ["a", "bcd"]}}, 5),
        ({"s": {"NS": ["1", "222"]}}, 6),
        ({"s": {"BS": ["AP8=", "AA=="]}}, 4),
        ({"l": {"L": []}}, 4),
        ({"l": {"L": [{"S": "ab"}, {"N": "1"}]}}, 10),
        ({"m": {"M": {}}}, 4),
        ({"m": {"M": {"k": {"S": "ab"}, "l": {"BOOL": True}}}}, 11),
        ({"a": {"S": "b"}, "c": {"S": "d"}}, 4),
    ],
)
def test_the_size_of_an_item_is_that_of_its_names_and_values(item: dict[str, Any], size: int) -> None:
    """Item sizes and formats: UTF-8; two digits per byte, one more, one for a minus; 3 per document, 1 per element."""
    assert item_size(item) == size


_texts = st.text(max_size=6)
_plain_numbers = st.from_regex(r"-?[1-9][0-9]{0,4}(\.[0-9]{0,3}[1-9])?", fullmatch=True) | st.just("0")
_values = st.one_of(
    st.builds(lambda text: {"S": text}, _texts),
    st.builds(lambda number: {"N": number}, _plain_numbers | st.sampled_from(["0.0", "1E5", "-0", "1" * 30])),
    st.sampled_from([{"BOOL": True}, {"B": "AP8="}, {"M": {"k": {"N": "10"}}}]),
)
_items = st.dictionaries(_texts, _values, min_size=1, max_size=4)


@given(st.lists(_items, max_size=4))
@example([])
@example([{'":{"': {"S": '{"N":"12"}'}}, {"a": {"S": "b"}}])
@example([{"l": {"L": [{"N": "12"}]}}])
@example([{"m": {"M": {"N": {"N": "12"}}}}])
def test_the_size_of_rows_is_that_of_their_items(items: list[dict[str, Any]]) -> None:
    """Measured by their JSON where it is plain, rows together have the sum of their own sizes."""
    assert rows_size(list(map(orjson.dumps, items))) == sum(map(item_size, items))


def test_rows_of_texts_and_numbers_are_measured_without_reading_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most rows of most tables are such; one other row makes all of them be read."""
    monkeypatch.delattr("simulator.store.dynamodb.rules.item_size")
    assert rows_size([b'{"a":{"S":"bc"},"d":{"N":"-1.5"}}', b'{"a":{"S":""}}']) == 8
    with pytest.raises(NameError):
        rows_size([b'{"a":{"S":"bc"}}', b'{"a":{"BOOL":true}}'])


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1, 1), (1_024, 1), (1_025, 2), (2_048, 2), (409_600, 400)])
def test_a_write_unit_is_a_kilobyte(size: int, units: int) -> None:
    """Capacity unit consumption: one unit per started KB, at least one."""
    assert write_units(size) == units


@pytest.mark.parametrize(
    ("size", "consistent", "units"),
    [
        (0, True, 1),
        (0, False, 0.5),
        (4_096, True, 1),
        (4_097, True, 2),
        (4_097, False, 1),
        (12_288, True, 3),
        (12_288, False, 1.5),
    ],
)
def test_a_read_unit_is_four_kilobytes(size: int, consistent: bool, units: float) -> None:
    """Capacity unit consumption: one unit per started 4 KB, at least one; half for an eventually consistent read."""
    assert read_units(size, consistent=consistent) == units


def test_a_row_costs_by_its_size() -> None:
    """The cost to replace a stored row depends on its item's size, which is never more than its JSON's."""
    assert row_units(None) == row_units(b"{}") == 1
    lean = json.dumps({"n": {"L": [{"BOOL": True}] * 200}}).encode()
    assert len(lean) > 1_025
    assert row_units(lean) == 1
    assert row_units(json.dumps({"n": {"S": "x" * 1_023}}).encode()) == 1
    assert row_units(json.dumps({"n": {"S": "x" * 1_024}}).encode()) == 2


def test_a_body_has_up_to_16_megabytes() -> None:
    """Quotas: BatchWriteItem, at most 16 MB; more is status 413."""
    check_body(16 * 1024 * 1024)
    assert refusal(check_body, 16 * 1024 * 1024 + 1)[0] == "RequestEntityTooLargeException"


def put(number: Any, **attributes: Any) -> dict[str, Any]:
    """A put of one item."""
    return {"PutRequest": {"Item": {"PK": {"S": "p"}, "SK": {"S": str(number)}, **attributes}}}


def delete(number: Any) -> dict[str, Any]:
    """A delete of one item."""
    return {"DeleteRequest": {"Key": {"PK": {"S": "p"}, "SK": {"S": str(number)}}}}


def test_a_batch_names_every_write_in_its_order() -> None:
    """BatchWriteItem: puts and deletes of several tables, named by name or by ARN."""
    one, two = a_table(), a_table()
    arn = two.table_arn = "arn:aws:dynamodb:us-east-1:123456789012:table/two"
    requests = {"one": [put(1), delete(2)], arn: [put(1, n={"N": "1.0"})]}
    elsewhere = {"arn:aws:dynamodb:eu-west-1:123456789012:table/two": [put(1)]}
    assert refusal(plan_batch, elsewhere, {"two": two})[0] == "ResourceNotFoundException"
    first, second, third = plan_batch(requests, {"one": one, "two": two})
    assert first == WriteOperation(one, "one", "p", "1", b'{"PK":{"S":"p"},"SK":{"S":"1"}}', 1, requests["one"][0])
    assert second == WriteOperation(one, "one", "p", "2", None, 1, requests["one"][1])
    assert (third.table, third.table_name) == (two, arn)
    assert third.row == b'{"PK":{"S":"p"},"SK":{"S":"1"},"n":{"N":"1"}}'


@pytest.mark.parametrize(
    ("requests", "text"),
    [
        ({"t": [put(1), delete(1)]}, "Provided list of item keys contains duplicates"),
        ({"x": [put(1)]}, "Requested resource not found"),
        ({"t": [put(n) for n in range(13)], "u": [put(n) for n in range(13)]}, "Too many items requested for the"),
        (None, "Value null at 'requestItems' failed to satisfy constraint: Member must not be null"),
        ({}, "Value '{}' at 'requestItems' failed to satisfy constraint: Member must have length greater than or"),
        ({"t": []}, "Value '{t=[]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy"),
        ({"t": "text"}, "Value '{t=[]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy"),
        ({"t": [{}]}, "Supplied WriteRequest is empty, must contain exactly one of PutRequest and DeleteRequest"),
        ({"t": ["text"]}, "Supplied WriteRequest is empty, must contain exactly one of PutRequest and DeleteRequest"),
        ({"t": ["t"]}, "Supplied WriteRequest is empty, must contain exactly one of PutRequest and DeleteRequest"),
        ({"t": [{"PutRequest": {}}]}, "Supplied WriteRequest is empty, must contain exactly one of"),
        ({"t": [{"DeleteRequest": {}}]}, "Supplied WriteRequest is empty, must contain exactly one of"),
        ({"t": [{"Other": {}}]}, "Supplied WriteRequest is empty, must contain exactly one of"),
        ({"t": [put(1) | delete(1)]}, "Supplied AttributeValue has more than one datatypes set"),
        ({"t": [{"DeleteRequest": {"Key": {"PK": {"S": "p"}}}}]}, MISMATCH),
        (
            {"t": [{"DeleteRequest": {"Key": {"PK": {"S": "p"}, "SK": {"S": "1"}, "n": {"S": "1"}}}}]},
            MISMATCH,
        ),
    ],
)
def test_a_batch_is_refused_as_a_whole(requests: Any, text: str) -> None:
    """BatchWriteItem: when the entire operation is rejected."""
    assert text in refusal(plan_batch, requests, {"t": a_table(), "u": a_table()})[1]


def test_25_operations_are_a_batch() -> None:
    """BatchWriteItem: up to 25 put or delete operations, over all tables."""
    check_request_sizes({"t": [put(n) for n in range(12)], "u": [put(n) for n in range(13)]})


def test_an_item_has_up_to_400_kilobytes() -> None:
    """Quotas: 400 KB by the billed size, including names; its JSON may be longer."""
    most = 400 * 1024 - len("PKpSK1v")
    write = plan_write(a_table(), "t", put(1, v={"S": "x" * most}))
    assert write.units == 400
    text = "Item size has exceeded the maximum allowed size"
    assert refusal(plan_write, a_table(), "t", put(1, v={"S": "x" * (most + 1)})) == (INVALID, text)


def test_an_item_costs_its_size_not_its_json() -> None:
    """An item whose JSON is longer than a KB costs one unit, one whose size is costs two."""
    lean = {"l": {"L": [{"BOOL": True}] * 200}}
    assert plan_write(a_table(), "t", put(1, **lean)).units == 1
    assert plan_write(a_table(), "t", put(1, v={"S": "x" * (1_024 - 7)})).units == 1
    assert plan_write(a_table(), "t", put(1, v={"S": "x" * (1_024 - 6)})).units == 2


def test_a_write_costs_at_least_what_it_replaces() -> None:
    """PutItem: the larger of the item's sizes before and after; a row that is read back is the one kept."""
    write = plan_write(a_table(), "t", put(1))
    write.replaces(3)
    assert write.units == 3
    write.replaces(2)
    assert write.units == 3
    write.reads_back(b"{}")
    assert write.row == b"{}"


@pytest.mark.parametrize(
    ("hash_type", "range_type", "item", "keys"),
    [
        ("S", None, {"PK": {"S": "p"}}, ("p", None)),
        ("N", "B", {"PK": {"N": "1.0"}, "SK": {"B": "AP8="}}, (Decimal(1), b"\x00\xff")),
        ("S", "N", {"PK": {"S": "é" * 1_024}, "SK": {"N": "-0"}}, ("é" * 1_024, Decimal(0))),
        ("S", "S", {"PK": {"S": "x" * 2_048}, "SK": {"S": "😀" * 256}}, ("x" * 2_048, "😀" * 256)),
        ("B", "B", {"PK": {"B": "AAAA"}, "SK": {"B": "AAAA" * 341}}, (b"\0" * 3, b"\0" * 1_023)),
    ],
)
def test_a_key_is_of_its_type(hash_type: str, range_type: str | None, item: Any, keys: Any) -> None:
    """Quotas: a partition key of up to 2,048 bytes, a sort key of up to 1,024; of type S, N or B."""
    assert keys_of(a_table(hash_type, range_type), item) == keys


HASH_TOO_LONG = (
    "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
)
RANGE_TOO_LONG = (
    "One or more parameter values were invalid: "
    "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
)
EMPTY = (
    "One or more parameter values are not valid. "
    "The AttributeValue for a key attribute cannot contain an empty {} value. Key: {}"
)


@pytest.mark.parametrize(
    ("kind", "hash_key", "sort_key", "text"),
    [
        ("S", {"S": "x" * 2_049}, {"S": "s"}, HASH_TOO_LONG),
        ("S", {"S": "é" * 1_025}, {"S": "s"}, HASH_TOO_LONG),
        ("S", {"S": "p"}, {"S": "x" * 1_025}, RANGE_TOO_LONG),
        ("S", {"S": "p"}, {"S": "x" + "😀" * 256}, RANGE_TOO_LONG),
        ("B", {"B": "AAAA" * 683}, {"B": "AAAA"}, HASH_TOO_LONG),
        ("B", {"B": "AAAA"}, {"B": "AAAA" * 342}, RANGE_TOO_LONG),
        ("S", {"S": ""}, {"S": "s"}, EMPTY.format("string", "PK")),
        ("S", {"S": "p"}, {"S": ""}, EMPTY.format("string", "SK")),
        ("B", {"B": ""}, {"B": "AA=="}, EMPTY.format("binary", "PK")),
        ("S", None, {"S": "s"}, MISMATCH),
        ("S", {"S": "p"}, None, MISMATCH),
        ("S", "text", {"S": "s"}, MISMATCH),
        ("S", {"N": "1"}, {"S": "s"}, MISMATCH),
        ("S", {"S": "p", "N": "1"}, {"S": "s"}, MISMATCH),
        ("S", {"S": 1}, {"S": "s"}, MISMATCH),
        ("N", {"N": ""}, {"N": "1"}, "The parameter cannot be converted to a numeric value: "),
        ("N", {"N": "x"}, {"N": "1"}, "The parameter cannot be converted to a numeric value: x"),
    ],
)
def test_a_key_of_another_kind_is_refused(kind: str, hash_key: Any, sort_key: Any, text: str) -> None:
    """PutItem: key attributes exist, with the schema's types, not empty and not too long."""
    item = {"PK": hash_key, "SK": sort_key}
    assert refusal(keys_of, a_table(kind, kind), item) == (INVALID, text)


@pytest.mark.parametrize(
    ("row", "plain"),
    [
        (b'{"a":{"S":"x"},"n":{"N":"-1.5"}}', True),
        (b'{"n":{"N":"0"}}', True),
        (b'{"n":{"N":"-0"}}', False),
        (b'{"n":{"N":"1.0"}}', False),
        (b'{"n":{"N":"12345678901"}}', False),
        (b'{"a":{"S":"\\n"}}', False),
        (b'{"a":{"BOOL":true}}', False),
    ],
)
def test_a_plain_row_needs_no_further_look(row: bytes, plain: bool) -> None:
    """It has texts without escapes, and numbers that are stored as they came."""
    assert (is_plain_row(row) is not None) is plain


def test_a_row_is_stored_with_its_numbers_trimmed() -> None:
    """It holds at any level, with each once in a set; anything that is not a valid number is unchanged."""
    row = {
        "n": {"N": "01.50"},
        "wrong": {"N": "1e999"},
        "set": {"NS": ["1", "1.0", "02"]},
        "texts": {"SS": ["01"]},
        "list": {"L": [{"N": "0.0"}, {"S": "0.0"}, {"L": [{"N": "+1"}]}]},
        "map": {"M": {"a": {"N": "1e1"}, "b": {"BOOL": True}}},
    }
    stored = {
        "n": {"N": "1.5"},
        "wrong": {"N": "1e999"},
        "set": {"NS": ["1", "2"]},
        "texts": {"SS": ["01"]},
        "list": {"L": [{"N": "0"}, {"S": "0.0"}, {"L": [{"N": "1"}]}]},
        "map": {"M": {"a": {"N": "10"}, "b": {"BOOL": True}}},
    }
    assert orjson.loads(trimmed(orjson.dumps(row))) == stored
    plain = orjson.dumps({"a": {"S": "x"}, "b": {"N": "15"}})
    assert trimmed(plain) is plain


def test_a_table_is_known_by_its_name_and_its_own_arn() -> None:
    """An ARN of another Region or account is another table's, and a name with a slash names none."""
    table = a_table()
    for name, found in (
        ("t", table),
        (table.table_arn, table),
        ("u", None),
        ("arn:aws:dynamodb:eu-west-1:123456789012:table/t", None),
        ("x/t", None),
        ("arn:aws:dynamodb:us-east-1:123456789012:table/t/index/t", None),
    ):
        assert table_of(name, {"t": table}) is found


def test_a_key_that_names_an_item_is_checked_as_an_items() -> None:
    """The key's attributes and types are checked; one with other attributes is left to moto."""
    table = a_table()
    check_key(table, {"PK": {"S": "a"}, "SK": {"S": "b"}})
    for other in ("a", None, {"PK": {"S": ""}}, {"PK": {"N": "x"}, "Other": {"S": ""}}):
        check_key(table, other)
    assert refusal(check_key, table, {"PK": {"S": "a"}, "SK": {"N": "1"}})[0] == INVALID
    assert refusal(check_key, table, {"PK": {"S": "a"}, "SK": {"S": ""}})[0] == INVALID
    assert refusal(check_key, table, {"PK": {"S": "a"}, "SK": {"N": "x"}})[1].startswith("The parameter cannot be")


def test_the_values_of_an_update_are_those_of_an_attribute() -> None:
    """The refusal names the value; an empty set is refused as in a put, a value without a type as it is."""
    check_values(None)
    check_values({":a": {"S": ""}, ":b": {"N": "1"}})
    assert refusal(check_values, {":a": {"S": "x"}, ":n": {"N": "x"}}) == (
        INVALID,
        "ExpressionAttributeValues contains invalid value: The parameter cannot be converted to a numeric value: x "
        "for key :n",
    )
    assert refusal(check_values, {":s": {"SS": []}}) == refusal(check_put, {":s": {"SS": []}})
    assert refusal(check_values, {":s": {"S": 1}})[0] == SERIAL


def test_the_key_of_an_index_is_of_its_type() -> None:
    """An item without it is just not in the index; one with another type is not put, whichever kind of index it is."""
    table = a_table()
    day = SimpleNamespace(name="by-day", schema=[{"AttributeName": "DAY"}, {"AttributeName": "PRICE"}])
    table.attr = [{"AttributeName": "PRICE", "AttributeType": "N"}, {"AttributeName": "DAY", "AttributeType": "S"}]
    table.all_indexes = lambda: [day]
    said = "One or more parameter values were invalid: Type mismatch for Index Key DAY Expected: S Actual: N "
    for kind in ("indexes", "global_indexes"):
        table.indexes, table.global_indexes = [], []
        setattr(table, kind, [day])
        check_index_keys(table, {"DAY": {"S": "monday"}, "PRICE": {"N": "5"}, "other": {"NULL": True}})
        check_index_keys(table, {"PK": {"S": "p"}})
        assert refusal(check_index_keys, table, {"DAY": {"N": "5"}}) == (INVALID, f"{said}IndexName: by-day")
    assert refusal(plan_batch, {"t": [put(1, DAY={"N": "5"})]}, {"t": table})[1].startswith(said)
