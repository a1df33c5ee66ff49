"""moto's backends of the one account and region that the twin uses. Importing moto happens on first use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from simulator.base.limits import ACCOUNT_ID, REGION


def queues() -> Mapping[str, Any]:
    """The queues by name."""
    found: Mapping[str, Any] = _sqs_backend().queues
    return found


def tables() -> Mapping[str, Any]:
    """The tables by name; moto replaces the mapping when it takes a transaction back."""
    found: Mapping[str, Any] = _dynamodb_backend().tables
    return found


def buckets() -> Mapping[str, Any]:
    """The buckets by name."""
    found: Mapping[str, Any] = s3_backend().buckets
    return found


# moto finds a backend through three mappings that make what is missing; the backends themselves stay.
@cache
def s3_backend() -> Any:
    """S3, whose names are global."""
    from moto.s3.models import s3_backends

    return s3_backends[ACCOUNT_ID]["aws"]


@cache
def _sqs_backend() -> Any:
    from moto.sqs.models import sqs_backends

    return sqs_backends[ACCOUNT_ID][REGION]


@cache
def _dynamodb_backend() -> Any:
    from moto.dynamodb.models import dynamodb_backends

    return dynamodb_backends[ACCOUNT_ID][REGION]
