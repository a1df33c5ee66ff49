"""What AWS refuses about a table's keys and capacity."""

from __future__ import annotations

from typing import Any

import pytest

from fakes import declare
from simulator.stack.model import Table
from simulator.stack.rules import examine


def refused(**capacity: Any) -> list[str]:
    """The violations of a stack with this table."""
    table = Table("Table", "prices", "arn", **{"partition_key": ("PK", "S"), **capacity})
    return [each.text for each in examine(declare.stack(tables={"Table": table})).violations]


@pytest.mark.parametrize(
    "capacity",
    [
        {},
        {"provisioned_units": (1, 1)},
        {"warm_write_units": 4_000},
        {"partition_key": ("PK", "B"), "sort_key": ("SK", "N")},
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
        ({"sort_key": ("SK", "Z")}, ["Value 'Z' at 'attributeDefinitions.attributeType'"]),
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
