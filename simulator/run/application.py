"""The application under test, as its owner's code sees it: what is in its tables, buckets and queues.

Nothing is awaited: calls block, and are made in a worker's thread. Clients are imported when one is needed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.base import limits
from simulator.base.counters import is_test_event
from simulator.base.errors import with_hint
from simulator.base.nearest import did_you_mean
from simulator.base.workers import Worker
from simulator.stack.model import Stack
from simulator.stack.wiring import flow

if TYPE_CHECKING:
    from simulator.store import QueuedMessage


class DeadMessage(NamedTuple):
    """A message in a dead-letter queue: the logical id of the queue that gave it up, and why its deliveries failed.

    If that is unknown, as for an asynchronous event, `queue` is the dead-letter queue, and there are no reasons.
    """

    body: str
    queue: str
    reasons: tuple[str, ...]


@dataclass(eq=False, repr=False)
class ApplicationUnderTest:
    """The resources of `stack` in the store at `endpoint`, each by its logical id or its AWS name.

    `peek` reads a queue on the loop of `worker`, which makes the calls; `failed` says of a message (id) what
    `Telemetry.failed` does. A resource that is not in the template is a `LookupError`.
    """

    stack: Stack
    endpoint: str
    peek: Callable[[str], AsyncIterator[QueuedMessage]]
    worker: Worker
    failed: Callable[[str], tuple[str, tuple[str, ...]] | None] = lambda _: None
    clients: dict[str, Any] = field(default_factory=dict)

    def table(self, name: str) -> TableContents:
        """What a table holds."""
        return TableContents(self.boto3("dynamodb"), _aws_name("table", self.stack.tables, name))

    def bucket(self, name: str) -> BucketContents:
        """What a bucket holds."""
        return BucketContents(self.boto3("s3"), _aws_name("bucket", self.stack.buckets, name))

    def queue(self, name: str) -> QueueContents:
        """What a queue holds."""
        return QueueContents(self._messages, _aws_name("queue", self.stack.queues, name))

    def dead_letters(self) -> list[DeadMessage]:
        """Every message in the application's dead-letter queues that no mapping polls, without S3's test events."""
        queues = flow(self.stack).dead_letter_queues
        held = [(message, queue.logical_id) for queue in queues for message in self._messages(queue.name)]
        return [DeadMessage(each.body, *(self.failed(each.message_id) or (queue, ()))) for each, queue in held]

    def boto3(self, service: str) -> Any:
        """The boto3 client of a service, for the store whatever the user's own AWS configuration."""
        import boto3
        import botocore.session
        from botocore.config import Config

        from simulator.base.clients import DUMMY_CREDENTIALS, offline_session

        if service not in self.clients:
            session = boto3.Session(botocore_session=offline_session(botocore.session.Session))
            where = {"region_name": limits.REGION, "endpoint_url": self.endpoint, **DUMMY_CREDENTIALS}
            config = Config(proxies={}, s3={"addressing_style": "path"})
            self.clients[service] = session.client(service, config=config, **where)
        return self.clients[service]

    def _messages(self, queue_name: str) -> list[QueuedMessage]:
        async def held() -> list[QueuedMessage]:
            return [each async for each in self.peek(queue_name) if not is_test_event(each.body)]

        return self.worker.wait_for(held())


@dataclass(frozen=True, slots=True)
class _Contents:
    _source: Any
    name: str


class TableContents(_Contents):
    """A table."""

    def items(self) -> list[dict[str, Any]]:
        """Every item: numbers as `Decimal`, sets as sets, binary values as bytes."""
        from boto3.dynamodb.types import TypeDeserializer

        class Plain(TypeDeserializer):  # type: ignore[misc]
            def _deserialize_b(self, value: bytes) -> bytes:
                return value

        pages = self._source.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        plain = Plain().deserialize
        return [{name: plain(value) for name, value in item.items()} for page in pages for item in page["Items"]]


class BucketContents(_Contents):
    """A bucket."""

    def keys(self) -> list[str]:
        """Every key, in order."""
        pages = self._source.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def get(self, key: str) -> bytes:
        """The content of an object. Raises `LookupError` if there is none."""
        try:
            return bytes(self._source.get_object(Bucket=self.name, Key=key)["Body"].read())
        except self._source.exceptions.NoSuchKey:
            raise LookupError(f"there is no object '{key}' in {self.name}") from None


class QueueContents(_Contents):
    """A queue, without S3's test events."""

    def messages(self) -> list[str]:
        """The body of every message, visible or not, in order; nothing is received."""
        return [each.body for each in self._source(self.name)]


def _aws_name(kind: str, resources: Mapping[str, Any], name: str) -> str:
    for logical_id, resource in resources.items():
        if name in (logical_id, resource.name):
            return str(resource.name)
    raise LookupError(with_hint(f"there is no {kind} '{name}'", did_you_mean(name, resources, "") or None))
