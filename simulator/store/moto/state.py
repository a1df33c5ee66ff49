"""moto's backends for the account and Region of a request. Importing moto happens on first use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from simulator.store.wire.messages import HOME, Home, Routed

_ACCOUNT_HEADER = "x-moto-account-id"
_KEY_LENGTH = 20
"""The length of every access key that moto gives out."""


# moto finds a backend through three mappings that create missing entries; the backends themselves stay.
@lru_cache(256)
def backend(service: Literal["s3", "sqs", "dynamodb"], home: Home = HOME) -> Any:
    """Moto's state for one service; S3's is shared by all Regions of a partition. Raises `KeyError`: no such Region."""
    from moto.backends import get_backend
    from moto.utilities.utils import get_partition

    place = get_partition(home.region) if service == "s3" else home.region
    return get_backend(service)[home.account][place]


def is_region(home: Home) -> bool:
    """Whether SQS and DynamoDB know the Region."""
    try:
        backend("sqs", home)
        backend("dynamodb", home)
    except KeyError:
        return False
    return True


def at_home(routed: Routed) -> Routed:
    """The request with its home: the Region it is signed for, in the account to which moto gave the key."""
    account = routed.request.headers.get(_ACCOUNT_HEADER)
    if account is None and len(routed.access_key) == _KEY_LENGTH:
        from moto.iam.models import get_account_id_from

        account = get_account_id_from(routed.access_key)
    if account in (None, routed.home.account):
        return routed
    return routed._replace(home=Home(str(account), routed.home.region))


def queues(home: Home = HOME) -> Mapping[str, Any]:
    """The queues by name."""
    return backend("sqs", home).queues  # type: ignore[no-any-return]


def queue_by_arn(arn: Any) -> Any:
    """The queue of that ARN, in any Region and account; None if there is none."""
    parts = str(arn).split(":")
    if len(parts) != 6:
        return None
    home = Home(parts[4], parts[3])
    queue = queues(home).get(parts[5]) if is_region(home) else None
    return queue if queue is not None and queue.queue_arn == arn else None


def tables(home: Home = HOME) -> Mapping[str, Any]:
    """The tables by name; moto replaces the mapping when it rolls a transaction back."""
    return backend("dynamodb", home).tables  # type: ignore[no-any-return]


def bucket_named(name: str) -> Any:
    """The bucket of that name, whoever owns it; None if there is none."""
    from moto.backends import get_backend

    backends: Any = get_backend("s3")
    partition, account = backends.bucket_accounts.get(name, (None, None))
    return backends[account][partition].buckets.get(name) if account else None


def buckets(home: Home = HOME) -> Mapping[str, Any]:
    """The buckets by name."""
    return backend("s3", home).buckets  # type: ignore[no-any-return]
