"""moto's backends of the one account and region that the twin uses. Importing moto happens on first use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.limits import ACCOUNT_ID, REGION


def queues() -> Mapping[str, Any]:
    """The queues by name."""
    from moto.sqs.models import sqs_backends

    found: Mapping[str, Any] = sqs_backends[ACCOUNT_ID][REGION].queues
    return found


def tables() -> Mapping[str, Any]:
    """The tables by name."""
    from moto.dynamodb.models import dynamodb_backends

    found: Mapping[str, Any] = dynamodb_backends[ACCOUNT_ID][REGION].tables
    return found


def s3_backend() -> Any:
    """S3, whose names are global."""
    from moto.s3.models import s3_backends

    return s3_backends[ACCOUNT_ID]["aws"]


def buckets() -> Mapping[str, Any]:
    """The buckets by name."""
    found: Mapping[str, Any] = s3_backend().buckets
    return found
