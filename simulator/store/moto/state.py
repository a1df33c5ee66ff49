"""moto's backends of the one account and region that the twin uses. Importing moto happens on first use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from simulator.base.limits import ACCOUNT_ID, REGION


# moto finds a backend through three mappings that make what is missing; the backends themselves stay.
@cache
def backend(service: Literal["s3", "sqs", "dynamodb"]) -> Any:
    """Moto's state of one service; S3's is global."""
    from moto.backends import get_backend

    return get_backend(service)[ACCOUNT_ID]["aws" if service == "s3" else REGION]


def queues() -> Mapping[str, Any]:
    """The queues by name."""
    return backend("sqs").queues  # type: ignore[no-any-return]


def queue_by_arn(arn: Any) -> Any:
    """The queue of that ARN, None where there is none."""
    queue = queues().get(str(arn).rsplit(":", 1)[-1])
    return queue if queue is not None and queue.queue_arn == arn else None


def tables() -> Mapping[str, Any]:
    """The tables by name; moto replaces the mapping when it takes a transaction back."""
    return backend("dynamodb").tables  # type: ignore[no-any-return]


def buckets() -> Mapping[str, Any]:
    """The buckets by name."""
    return backend("s3").buckets  # type: ignore[no-any-return]
