"""What the same work would cost on AWS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from simulator.load.measure import cost

QUANTITIES = {
    **cost.duration({}, 512, 1_000.0),
    "lambda_requests": 100,
    "s3_put": 1_000,
    "s3_get": 1_000,
    "sqs": 1_200,
    "dynamodb_write": 1_000_000,
    "logs": 0,
}


def bill(rows: int, parameters: Mapping[str, str] = {}) -> dict[str, Any]:
    """The bill for a million rows of so many."""
    held = {name: quantity for name, quantity in QUANTITIES.items() if name != "lambda_arm64"}
    quantities = {**cost.duration(parameters, 512, 1_000.0), **held}
    found = cost.per_million_rows(rows, quantities, "this machine")
    assert found is not None
    return found


def test_a_million_rows_cost_what_the_price_list_says() -> None:
    """1,000 objects of 1,000 rows, 1,000 s at 512 MB on arm64: the writes dominate, and every line is the list's."""
    found = bill(1_000_000)
    usd = {line["item"]: line["usd"] for line in found["lines"]}
    assert usd["DynamoDB writes"] == pytest.approx(0.625)
    assert usd["S3 puts"] == pytest.approx(0.005)
    assert usd["S3 gets"] == pytest.approx(0.0004)
    assert usd["SQS requests"] == pytest.approx(0.00048)
    assert usd["Lambda, arm64 duration"] == pytest.approx(500 * 0.0000133334, abs=1e-6)
    assert usd["Lambda requests"] == pytest.approx(0.00002)
    assert found["usd_per_million_rows"] == pytest.approx(sum(usd.values()), abs=1e-5)
    assert usd["CloudWatch Logs"] == 0
    assert bill(3_000_000)["lines"][2]["quantity"] == 333.333
    assert found["durations"] == "this machine"
    assert all(line["source"] for line in found["lines"])


def test_every_price_is_of_its_unit() -> None:
    """The bill for a hundred thousand rows of known work, line by line, and what the summary shows of it."""
    work = {**QUANTITIES, **cost.duration({}, 1024, 10.0), "logs": 1_000_000}
    shown = cost.per_million_rows(100_000, work, "Lambda")
    assert shown is not None
    assert [(line["unit"], line["quantity"], line["usd"]) for line in shown["lines"]] == [
        ("GB-second", 100.0, 0.001333),
        ("request", 1_000.0, 0.0002),
        ("request", 10_000.0, 0.05),
        ("request", 10_000.0, 0.004),
        ("request", 12_000.0, 0.0048),
        ("write request unit", 10_000_000.0, 6.25),
        ("byte ingested", 10_000_000.0, 0.005),
    ]
    assert shown["usd_per_million_rows"] == 6.315333
    intel = cost.per_million_rows(100_000, cost.duration({"Architecture": "x86_64"}, 1024, 10.0), "Lambda")
    assert intel is not None
    assert intel["lines"][0]["usd"] == 0.001667
    assert cost.per_million_rows(1, work, "") is not None


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [({}, "arm64"), ({"Architecture": "arm64"}, "arm64"), ({"Architecture": "x86_64"}, "x86_64")],
)
def test_the_architecture_is_the_stacks(parameters: dict[str, str], expected: str) -> None:
    """arm64 unless the stack's parameters say otherwise; a quantity is in GB-seconds."""
    assert cost.duration(parameters, 512, 10.0) == {f"lambda_{expected}": 5.0}


def test_the_cost_scales_with_the_rows_and_the_machine() -> None:
    """Half the rows for the same work is twice the price a million; x86_64 is dearer; no rows have no price."""
    base = bill(1_000_000)["usd_per_million_rows"]
    assert bill(500_000)["usd_per_million_rows"] == pytest.approx(2 * base, abs=1e-5)
    assert bill(1_000_000, {"Architecture": "x86_64"})["usd_per_million_rows"] > base
    assert cost.per_million_rows(0, QUANTITIES, "") is None


def test_lambda_bills_whole_milliseconds_and_init() -> None:
    """Each invocation is rounded up by itself; init counts since August 2025."""
    assert cost.billed_s([0.0101, 0.0001], [0.2]) == pytest.approx(0.011 + 0.001 + 0.2)
    assert cost.billed_s([0.003]) == cost.billed_s([0.0030000001]) == pytest.approx(0.003)
