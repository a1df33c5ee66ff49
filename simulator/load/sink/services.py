"""The operations of S3, SQS and DynamoDB that one run needs, as the sink answers them.

Synchronous and without sockets. An answer goes to the request's `reply`, at once or, for a long poll, when a message
comes.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from simulator.base.clock import Clock
from simulator.load.sink.answers import Reply, SinkAnswer, error_answer, json_answer
from simulator.load.sink.dynamodb import SinkTables
from simulator.load.sink.s3 import SinkBuckets
from simulator.load.sink.sqs import SinkQueues


class Sink:
    """The three services in one. Resources exist after they are created. `s3` answers a request in path style."""

    def __init__(self, clock: Clock) -> None:
        self._requests: Counter[str] = Counter()
        self._queues = SinkQueues(clock)
        self._tables = SinkTables(clock)
        self._buckets = SinkBuckets(clock, self._queues.named, self._count)
        self.s3 = self._buckets.answer

    def counters(self) -> dict[str, Any]:
        """All counters, in the form that `from_json` of the store's counters reads."""
        return {
            "queues": self._queues.counters(),
            "tables": self._tables.counters(),
            "buckets": self._buckets.counters(),
            "operations": {name: {"requests": count} for name, count in self._requests.items()},
        }

    def call(self, target: str, body: bytes, reply: Reply) -> None:
        """An operation of SQS or DynamoDB, named by its X-Amz-Target."""
        service, _, operation = target.partition(".")
        self._count(operation)
        if operation == "BatchWriteItem":
            reply(self._tables.batch_write(body), True)
            return
        parameters = json.loads(body or b"{}")
        if operation == "ReceiveMessage":
            self._queues.receive(parameters, reply)
            return
        result = (self._queues if service == "AmazonSQS" else self._tables).call(operation, parameters)
        if result is None:
            result = error_answer(400, "UnknownOperationException", f"the sink does not support {operation}")
        reply(result if isinstance(result, SinkAnswer) else json_answer(result), operation == "PutItem")

    def _count(self, name: str) -> None:
        self._requests[name] += 1
