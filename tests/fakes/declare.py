"""Resources with plain defaults; a test changes what it names."""

from __future__ import annotations

import dataclasses
from typing import Any

from simulator.stack.model import AsynchronousInvocation, EventSourceMapping, Function, Queue, Stack

ARN = "arn:aws:{}:us-east-1:123456789012:{}"


def function(logical_id: str = "Consumer", **changes: Any) -> Function:
    """A function."""
    plain = Function(
        logical_id=logical_id,
        name=logical_id,
        handler="module.handler",
        runtime="python3.13",
        memory_mb=128,
        timeout_s=3,
        environment={},
        reserved_concurrency=None,
        log_format="Text",
        log_level=None,
        asynchronous=AsynchronousInvocation(),
        arn=ARN.format("lambda", f"function:{logical_id}"),
    )
    return dataclasses.replace(plain, **changes)


def queue(logical_id: str = "Queue", **changes: Any) -> Queue:
    """A queue."""
    return dataclasses.replace(Queue(logical_id, logical_id, ARN.format("sqs", logical_id)), **changes)


def mapping(**changes: Any) -> EventSourceMapping:
    """A mapping of that queue to that function."""
    return dataclasses.replace(EventSourceMapping("Mapping", "Consumer", "Queue"), **changes)


def stack(**changes: Any) -> Stack:
    """A stack of only what is given."""
    return dataclasses.replace(Stack("stack", {}, {}, {}, {}, {}, {}, {}), **changes)
