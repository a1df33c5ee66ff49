"""What AWS refuses about a table's keys, indexes and capacity."""

from __future__ import annotations

from typing import Any

import pytest

from fakes import declare
from simulator.stack.model import Index, Table
from simulator.stack.rules import examine


def refused(**capacity: Any) -> list[str]:
    """The violations of a stack with this table."""
    table = Table("Table", "prices", "arn", **{"keys": (("PK", "S"),), **capacity})
    return [each.text for each in examine(declare.stack(tables={"Table": table})).violations]


@pytest.mark.parametrize(
    "capacity",
    [
        {},
        {"provisioned_units": (1, 1)},
        {"warm_write_units": 4_000},
        {"keys": (("PK", "B"), ("SK", "N"))},
        {"warm_read_units": 12_000},
        {"provisioned_units": (5, 5), "warm_write_units": 5},
    ],
)
def test_what_a_new_table_may_have_is_sound(capacity: dict[str, Any]) -> None:
    """It is the minimum; a provisioned table starts at what is provisioned, and other minimums do not apply."""
    assert refused(**capacity) == []


@pytest.mark.parametrize(
    ("capacity", "parts"),
    [
        ({"keys": (("PK", "S"), ("SK", "Z"))}, ["Value 'Z' at 'attributeDefinitions.attributeType'"]),
        ({"provisioned_units": (0, 1)}, ["Value '0' at 'provisionedThroughput.readCapacityUnits'"]),
        ({"provisioned_units": (1, -1)}, ["Value '-1' at 'provisionedThroughput.writeCapacityUnits'"]),
        ({"warm_write_units": 3_999}, ["lower than initial throughput for OnDemand: 3999 is less than 4000"]),
        (
            {"warm_read_units": 11_999, "warm_write_units": 0},
            ["Requested ReadUnitsPerSecond for WarmThroughput", "Requested WriteUnitsPerSecond for WarmThroughput"],
        ),
    ],
)
def test_less_is_refused(capacity: dict[str, Any], parts: list[str]) -> None:
    """`check` reports it, where a run would find it only when it makes the table."""
    said = refused(**capacity)
    assert len(said) == len(parts)
    assert all(part in text for part, text in zip(parts, said, strict=True))


TYPES = dict.fromkeys(("PK", "SK", "a", "b"), "S")
GLOBAL, LOCAL = Index("by-a", True, ("a",)), Index("by-b", False, ("PK", "b"))
SORTED: dict[str, Any] = {"keys": (("PK", "S"), ("SK", "S"))}


@pytest.mark.parametrize(
    "definition",
    [
        {"attributes": {"PK": "S"}},
        {"attributes": TYPES, "indexes": (GLOBAL, LOCAL), **SORTED},
        {"attributes": {"PK": "S", "SK": "S"}, "indexes": (Index("again", False, ("PK", "SK")),), **SORTED},
        {"attributes": {"PK": "S"}, "indexes": (Index("prices", True, ("PK",)),)},
    ],
)
def test_a_definition_that_agrees_is_sound(definition: dict[str, Any]) -> None:
    """Every attribute is used, every key is defined; an index may repeat the table's keys and its name."""
    assert refused(**definition) == []


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (
            {"attributes": {"PK": "S", "x": "N"}},
            "Number of attributes in KeySchema does not exactly match number of attributes defined in",
        ),
        (
            {"attributes": {"PK": "S", "a": "S", "x": "N"}, "indexes": (GLOBAL,)},
            "Some AttributeDefinitions are not used. AttributeDefinitions: [PK, a, x], keys used: [PK, a]",
        ),
        (
            {"attributes": {"PK": "S"}, "indexes": (GLOBAL,)},
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [a], AttributeDefinitions: [PK]",
        ),
        (
            {"attributes": {"id": "S"}},
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [PK], AttributeDefinitions: [id]",
        ),
        (
            {"attributes": {"PK": "S", "b": "S"}, "indexes": (LOCAL,)},
            "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex.",
        ),
        (
            {"attributes": {"PK": "S", "SK": "S"}, "indexes": (Index("bare", False, ("PK",)),), **SORTED},
            "Index KeySchema does not have a range key for index: bare",
        ),
        (
            {
                "attributes": {"PK": "S", "SK": "S", "a": "S"},
                "indexes": (Index("other", False, ("a", "SK")),),
                **SORTED,
            },
            "same leading hash key as table KeySchema for index: other. index hash key: a, table hash key: PK",
        ),
        (
            {"attributes": {"PK": "S", "a": "S"}, "indexes": (GLOBAL, GLOBAL)},
            "Duplicate index name: by-a",
        ),
        (
            {"attributes": {"PK": "S", "a": "Z"}, "indexes": (GLOBAL,)},
            "Value 'Z' at 'attributeDefinitions.attributeType'",
        ),
        (
            {"attributes": {"PK": "S", "a": "S"}, "indexes": (Index("by a", True, ("a",)),)},
            "Value 'by a' at 'indexName' failed to satisfy constraint: Member must satisfy regular expression pattern",
        ),
        (
            {"attributes": {"PK": "S", "a": "S"}, "indexes": (Index("i" * 256, True, ("a",)),)},
            "at 'indexName' failed to satisfy constraint: Member must have length less than or equal to 255",
        ),
    ],
)
def test_a_definition_that_disagrees_is_refused(definition: dict[str, Any], said: str) -> None:
    """Each disagreement has DynamoDB's own sentence, which ends without a full stop."""
    (text,) = refused(**definition)
    assert said in f"{text}."


@pytest.mark.parametrize(("is_global", "most", "said"), [(True, 20, "limit of 20"), (False, 5, "limit of 5")])
def test_a_table_has_so_many_indexes(is_global: bool, most: int, said: str) -> None:
    """One more is refused; those of the other kind are counted by themselves."""
    made = [Index(f"index-{number}", is_global, ("PK", "SK")) for number in range(most + 1)]
    other = Index("other", not is_global, ("PK", "SK"))
    assert refused(indexes=(*made[:-1], other), **SORTED) == []
    (text,) = refused(indexes=tuple(made), **SORTED)
    assert text.endswith(said)


def test_a_key_that_nothing_defines_is_refused() -> None:
    """AttributeDefinitions may not be left out where there is a KeySchema."""
    document = {"Resources": {"Table": {"Properties": {"KeySchema": []}}}}
    table = Table("Table", "prices", "arn", (("PK", "S"),))
    (found,) = examine(declare.stack(tables={"Table": table}, document=document)).violations
    assert found.text.endswith("Keys: [PK], AttributeDefinitions: []")


@pytest.mark.parametrize(
    ("units", "properties", "said"),
    [
        ((5, 5), {"KeySchema": []}, "must both be specified when BillingMode is PROVISIONED"),
        ((5, 5), {"KeySchema": [], "ProvisionedThroughput": {"Ref": "Chosen"}}, None),
        ((5, 5), {"PrimaryKey": {}}, None),
        (None, {"ProvisionedThroughput": {"ReadCapacityUnits": 1}}, "can be specified when BillingMode is PAY_PER_"),
        (None, {"ProvisionedThroughput": {"Fn::If": []}}, None),
    ],
)
def test_capacity_is_given_where_it_is_provisioned(units: Any, properties: Any, said: str | None) -> None:
    """The default mode is PROVISIONED; a SimpleTable has capacity of its own, and what is computed is not judged."""
    table = Table("Table", "prices", "arn", (("PK", "S"),), provisioned_units=units, attributes={"PK": "S"})
    document = {"Resources": {"Table": {"Type": "any", "Properties": properties}}}
    texts = [each.text for each in examine(declare.stack(tables={"Table": table}, document=document)).violations]
    assert len(texts) == (said is not None)
    assert all(str(said) in text for text in texts)
