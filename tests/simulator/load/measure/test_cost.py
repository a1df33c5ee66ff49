"""What the same work would cost on AWS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.load.measure import cost

WORK = cost.Work(
    rows=1_000_000,
    puts=1_000,
    gets=1_000,
    queue_requests=1_200,
    invocations=100,
    billed_s=1_000.0,
    memory_mb=512,
    architecture="arm64",
    write_units=1_000_000.0,
)


def test_a_million_rows_cost_what_the_price_list_says() -> None:
    """1,000 objects of 1,000 rows, 1,000 s at 512 MB on arm64: the writes dominate, and every line is the list's."""
    bill = cost.per_million_rows(WORK, "this machine")
    assert bill is not None
    lines = {line.price.item: line.usd for line in bill.lines}
    assert lines["DynamoDB writes"] == pytest.approx(0.625)
    assert lines["S3 puts"] == pytest.approx(0.005)
    assert lines["S3 gets"] == pytest.approx(0.0004)
    assert lines["SQS requests"] == pytest.approx(0.00048)
    assert lines["Lambda, arm64 duration"] == pytest.approx(500 * 0.0000133334)
    assert lines["Lambda requests"] == pytest.approx(0.00002)
    assert lines["CloudWatch Logs"] == 0
    assert bill.usd == pytest.approx(sum(lines.values()))
    thirds = cost.per_million_rows(replace(WORK, rows=3_000_000), "")
    assert thirds is not None
    assert thirds.as_json()["lines"][2]["quantity"] == 333.333
    assert bill.as_json()["durations"] == "this machine"
    assert all(line.price.source for line in bill.lines)


def test_every_price_is_of_its_unit() -> None:
    """The bill for a hundred thousand rows of known work, line by line, and what the summary shows of it."""
    work = replace(WORK, rows=100_000, memory_mb=1024, billed_s=10.0, log_bytes=1_000_000)
    bill = cost.per_million_rows(work, "Lambda")
    assert bill is not None
    shown = bill.as_json()
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
    intel = cost.per_million_rows(replace(work, architecture="x86_64"), "Lambda")
    assert intel is not None
    assert intel.as_json()["lines"][0]["usd"] == 0.001667
    assert cost.per_million_rows(replace(WORK, rows=1), "") is not None


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [({}, "arm64"), ({"Architecture": "arm64"}, "arm64"), ({"Architecture": "x86_64"}, "x86_64")],
)
def test_the_architecture_is_the_stacks(parameters: dict[str, str], expected: str) -> None:
    """arm64 unless the stack's parameters say otherwise."""
    assert cost.architecture(parameters) == expected


def test_the_cost_scales_with_the_rows_and_the_machine() -> None:
    """Half the rows for the same work is twice the price a million; x86_64 is dearer; no rows have no price."""
    base, half, intel = (
        cost.per_million_rows(work, "")
        for work in (WORK, replace(WORK, rows=500_000), replace(WORK, architecture="x86_64"))
    )
    assert base
    assert half
    assert intel
    assert half.usd == pytest.approx(2 * base.usd)
    assert intel.usd > base.usd
    assert cost.per_million_rows(replace(WORK, rows=0), "") is None


def test_lambda_bills_whole_milliseconds_and_init() -> None:
    """Each invocation is rounded up by itself; init counts since August 2025."""
    assert cost.billed_s([0.0101, 0.0001], [0.2]) == pytest.approx(0.011 + 0.001 + 0.2)
    assert cost.billed_s([0.003]) == cost.billed_s([0.0030000001]) == pytest.approx(0.003)
