"""What a run's work costs on AWS per million rows: a price table with its sources, and arithmetic. No I/O.

Prices are those of us-east-1, in US dollars, in the first tier and without the free tier. Requests and bytes are the
run's own. A duration is how long the function took where it ran, which for the twin is this machine, not Lambda.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

AS_OF = "2026-08"
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per `per` units."""

    item: str
    usd: float
    per: int
    unit: str
    source: str


_LAMBDA = "aws.amazon.com/lambda/pricing"
PRICES = {
    "lambda_arm64": Price("Lambda, arm64 duration", 0.0000133334, 1, "GB-second", _LAMBDA),
    "lambda_x86_64": Price("Lambda, x86_64 duration", 0.0000166667, 1, "GB-second", _LAMBDA),
    "lambda_requests": Price("Lambda requests", 0.20, MILLION, "request", _LAMBDA),
    "s3_put": Price("S3 puts", 0.005, 1_000, "request", "aws.amazon.com/s3/pricing"),
    "s3_get": Price("S3 gets", 0.0004, 1_000, "request", "aws.amazon.com/s3/pricing"),
    "sqs": Price("SQS requests", 0.40, MILLION, "request", "aws.amazon.com/sqs/pricing"),
    "dynamodb_write": Price(
        "DynamoDB writes", 0.625, MILLION, "write request unit", "aws.amazon.com/dynamodb/pricing/on-demand"
    ),
    "logs": Price("CloudWatch Logs", 0.50, 10**9, "byte ingested", "aws.amazon.com/cloudwatch/pricing"),
}
"""Read from AWS's price list as of `AS_OF`."""


def duration(parameters: Mapping[str, str], memory_mb: int, billed_s: float) -> dict[str, float]:
    """A function's billed time as a quantity, for the architecture in the stack's parameters (default: arm64)."""
    item = "lambda_x86_64" if parameters.get("Architecture") == "x86_64" else "lambda_arm64"
    return {item: billed_s * memory_mb / 1024}


def billed_s(durations_s: Iterable[float], inits_s: Iterable[float] = ()) -> float:
    """The time that Lambda bills: each duration rounded up to a millisecond, and, since August 2025, init as well."""
    return math.fsum(math.ceil(round(seconds * 1000, 6)) / 1000 for seconds in (*durations_s, *inits_s))


def per_million_rows(rows: int, quantities: Mapping[str, float], durations_of: str) -> dict[str, Any] | None:
    """The summary's `cost`: the bill for a million rows, if `rows` rows took these quantities of the items in `PRICES`.

    None if no row was stored. `durations_of` says whose durations the bill contains.
    """
    if rows <= 0:
        return None
    bill = [(PRICES[name], quantity * MILLION / rows) for name, quantity in quantities.items()]
    lines = [
        {
            "item": price.item,
            "quantity": round(quantity, 3),
            "unit": price.unit,
            "usd": round(quantity * price.usd / price.per, 6),
            "source": price.source,
        }
        for price, quantity in bill
    ]
    return {
        "usd_per_million_rows": round(math.fsum(quantity * price.usd / price.per for price, quantity in bill), 6),
        "lines": lines,
        "durations": durations_of,
        "prices": f"us-east-1, on demand, first tier, no free tier, as of {AS_OF}",
    }
