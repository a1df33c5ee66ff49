"""What a run's work costs on AWS for a million rows. A price table with its sources, and arithmetic. No I/O.

Prices are of us-east-1, in US dollars, at the first tier and without the free ones. Requests and bytes are the run's
own; a duration is what the function took where it ran, which for the twin is this machine and not Lambda.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

AS_OF = "2026-08"
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for `per` units."""

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

Architecture = Literal["arm64", "x86_64"]


@dataclass(frozen=True, slots=True)
class Work:
    """What was done to store `rows` rows. `billed_s`: the consumer's durations and its cold starts', summed."""

    rows: int
    puts: int
    gets: int
    queue_requests: int
    invocations: int
    billed_s: float
    memory_mb: int
    architecture: Architecture
    write_units: float
    log_bytes: int = 0


@dataclass(frozen=True, slots=True)
class CostLine:
    """One item of the bill for a million rows."""

    price: Price
    quantity: float

    @property
    def usd(self) -> float:
        """What it costs."""
        return self.quantity * self.price.usd / self.price.per


@dataclass(frozen=True, slots=True)
class Cost:
    """The bill for a million rows. `duration_of` says whose durations it holds."""

    lines: tuple[CostLine, ...]
    duration_of: str

    @property
    def usd(self) -> float:
        """Its total."""
        return math.fsum(line.usd for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        """The summary's `cost`."""
        return {
            "usd_per_million_rows": round(self.usd, 6),
            "lines": [
                {
                    "item": line.price.item,
                    "quantity": round(line.quantity, 3),
                    "unit": line.price.unit,
                    "usd": round(line.usd, 6),
                    "source": line.price.source,
                }
                for line in self.lines
            ],
            "durations": self.duration_of,
            "prices": f"us-east-1, on demand, first tier, no free tier, as of {AS_OF}",
        }


def architecture(parameters: Mapping[str, str]) -> Architecture:
    """The consumer's, by a stack's parameters; the template's default if they do not name it."""
    return "x86_64" if parameters.get("Architecture") == "x86_64" else "arm64"


def billed_s(durations_s: Sequence[float], inits_s: Sequence[float] = ()) -> float:
    """What Lambda bills: each duration rounded up to a millisecond, and since August 2025 init as well."""
    return math.fsum(math.ceil(round(seconds * 1000, 6)) / 1000 for seconds in (*durations_s, *inits_s))


def per_million_rows(work: Work, duration_of: str) -> Cost | None:
    """The cost of a million rows at the run's proportions; None when no row was stored."""
    if work.rows <= 0:
        return None
    quantities = {
        f"lambda_{work.architecture}": work.billed_s * work.memory_mb / 1024,
        "lambda_requests": float(work.invocations),
        "s3_put": float(work.puts),
        "s3_get": float(work.gets),
        "sqs": float(work.queue_requests),
        "dynamodb_write": work.write_units,
        "logs": float(work.log_bytes),
    }
    scale = MILLION / work.rows
    return Cost(tuple(CostLine(PRICES[item], quantity * scale) for item, quantity in quantities.items()), duration_of)
