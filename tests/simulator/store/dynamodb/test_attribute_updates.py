"""AttributeUpdates: every action with every type, and what DynamoDB refuses."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.store.dynamodb.attribute_updates import Typed, TypeMismatch, check_updates, updated
from simulator.store.wire.aws_errors import AwsError

_TYPES: dict[str, Any] = {
    "S": "s", "N": "1", "B": b"\xff", "SS": ["a"], "NS": ["1"], "BS": [b"\xff"], "L": [{"S": "x"}], "M": {},
    "BOOL": True, "NULL": True,
}  # fmt: skip
_SENT = {**_TYPES, "B": "/w==", "BS": ["/w=="]}
"""As they are in a request."""


@pytest.mark.parametrize("kind", _TYPES)
def test_a_put_stores_the_value_as_it_is(kind: str) -> None:
    """It holds for every type, whatever was there before."""
    assert updated(("S", "old"), "PUT", (kind, _TYPES[kind])) == (kind, _TYPES[kind])
    assert updated(None, "PUT", (kind, _TYPES[kind])) == (kind, _TYPES[kind])


@pytest.mark.parametrize(
    ("old", "new", "after"),
    [
        (None, ("N", "2"), ("N", "2")),
        (("N", "1.5"), ("N", "-2"), ("N", "-0.5")),
        (None, ("BS", [b"a"]), ("BS", [b"a"])),
        (("BS", [b"a"]), ("BS", [b"b", b"a"]), ("BS", [b"a", b"b"])),
        (("NS", ["1", "2"]), ("NS", ["2.0", "3"]), ("NS", ["1", "2", "3"])),
        (("L", ["x"]), ("L", ["x"]), ("L", ["x", "x"])),
        (("N", "9" * 37 + "8"), ("N", "1"), ("N", "9" * 38)),
        (("N", "1.50"), ("N", "0.50"), ("N", "2")),
        (("N", "1E+3"), ("N", "0"), ("N", "1000")),
    ],
)
def test_add_sums_numbers_and_joins_sets_and_lists(old: Typed | None, new: Typed, after: Typed) -> None:
    """With no attribute, a number is added to zero and a set to the empty one; a set has each element once.

    A sum has all of its 38 digits, and no zeros around them.
    """
    assert updated(old, "ADD", new) == after


@pytest.mark.parametrize(
    ("old", "new", "after"),
    [
        (("S", "old"), None, None),
        (None, ("SS", ["a"]), None),
        (("BS", [b"a", b"b"]), ("BS", [b"a"]), ("BS", [b"b"])),
        (("NS", ["1", "2"]), ("NS", ["1.0"]), ("NS", ["2"])),
        (("SS", ["a"]), ("SS", ["a", "z"]), None),
    ],
)
def test_delete_removes_an_attribute_or_elements_of_a_set(old: Typed | None, new: Typed | None, after: Any) -> None:
    """A set without elements is removed."""
    assert updated(old, "DELETE", new) == after


@pytest.mark.parametrize("action", ["ADD", "DELETE"])
def test_what_is_added_or_taken_away_has_the_attributes_type(action: str) -> None:
    """A set of texts is not a set of bytes."""
    with pytest.raises(TypeMismatch):
        updated(("SS", ["a"]), action, ("BS", [b"a"]))


@pytest.mark.parametrize("kind", _TYPES)
def test_actions_have_their_types(kind: str) -> None:
    """ADD works for numbers, sets and lists; DELETE with a value for sets; PUT for all, with a value."""
    for action, known in (("PUT", set(_TYPES)), ("ADD", {"N", "L", "SS", "NS", "BS"}), ("DELETE", {"SS", "NS", "BS"})):
        update = {"a": {"Action": action, "Value": {kind: _SENT[kind]}}}
        if kind in known:
            check_updates(update)
        else:
            with pytest.raises(AwsError, match=f"{action} action .*is not supported for the type {kind}$"):
                check_updates(update)


def test_only_a_delete_needs_no_value() -> None:
    """PUT is the default; moto refuses what is not a map of updates."""
    for update in ({}, {"Action": "ADD"}, {"Action": "PUT", "Value": None}):
        with pytest.raises(AwsError, match="Only DELETE action is allowed when no attribute value is specified"):
            check_updates({"a": update})
    for updates in (None, [], {"a": {"Action": "DELETE"}}, {"a": "text"}):
        check_updates(updates)


@pytest.mark.parametrize(
    ("update", "text"),
    [
        ({"Action": "FOO", "Value": {"N": "1"}}, "Value 'FOO' at 'attributeUpdates.a.member.action' failed to satisfy"),
        ({"Action": "add", "Value": {"N": "1"}}, "Value 'add' at 'attributeUpdates.a.member.action' failed to satisfy"),
        ({"Value": {"N": "abc"}}, "cannot be converted to a numeric value: abc"),
        ({"Action": "ADD", "Value": {"SS": ["x", "x"]}}, "contains duplicates"),
        ({"Value": {"NS": []}}, "may not be empty"),
        ({"Value": {}}, "must contain exactly one of the supported datatypes"),
        ({"Value": {"S": "x", "N": "1"}}, "has more than one datatypes set"),
        ({"Value": "text"}, "Unexpected value type in payload"),
    ],
)
def test_what_no_attribute_may_be_is_refused(update: Any, text: str) -> None:
    """These are an unknown action, and a value that PutItem would not accept either."""
    with pytest.raises(AwsError, match=text):
        check_updates({"a": update})


def test_a_key_is_not_updated(dynamodb: Any, name: str) -> None:
    """An item is found by its key, so the key cannot change."""
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "h", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "h", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"h": {"S": "a"}}
    with pytest.raises(ClientError, match=r"Cannot update attribute h\. This attribute is part of the key"):
        dynamodb.update_item(TableName=name, Key=key, AttributeUpdates={"h": {"Value": {"S": "b"}}})
    assert dynamodb.scan(TableName=name)["Items"] == []


def test_binary_values_are_stored_and_harm_nobody(dynamodb: Any, name: str) -> None:
    """An update puts, adds and deletes binary values, at every level; every later call is answered."""
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "h", "AttributeType": "B"}],
        KeySchema=[{"AttributeName": "h", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"h": {"B": b"\xff"}}

    def update(**actions: Any) -> None:
        updates = {each: {"Action": action, "Value": value} for each, (action, value) in actions.items()}
        dynamodb.update_item(TableName=name, Key=key, AttributeUpdates=updates)

    update(b=("PUT", {"B": b"\x00\xff"}), s=("ADD", {"BS": [b"a", b"\xff"]}), m=("PUT", {"M": {"x": {"B": b"\xfe"}}}))
    update(s=("DELETE", {"BS": [b"a"]}), n=("PUT", {"NULL": True}))
    with pytest.raises(ClientError, match="Type mismatch for attribute to update"):
        update(b=("ADD", {"BS": [b"a"]}), n=("PUT", {"S": "never"}))
    wanted = {
        **key,
        "b": {"B": b"\x00\xff"},
        "s": {"BS": [b"\xff"]},
        "m": {"M": {"x": {"B": b"\xfe"}}},
        "n": {"NULL": True},
    }
    assert dynamodb.get_item(TableName=name, Key=key)["Item"] == wanted
    assert dynamodb.scan(TableName=name)["Items"] == [wanted]
    assert dynamodb.batch_get_item(RequestItems={name: {"Keys": [key]}})["Responses"][name] == [wanted]
