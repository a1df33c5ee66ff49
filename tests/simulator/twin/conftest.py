"""The pipeline's stack under names that no other test has."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from simulator.stack.model import Stack
from simulator.stack.template import load


@pytest.fixture
def fresh_stack() -> Callable[..., Stack]:
    """`fresh_stack(**parameters)`: the stack with these template parameters."""

    def make(**parameters: str) -> Stack:
        unique = uuid.uuid4().hex[:8]
        names = {name: f"{name}-{unique}" for name in ("QueueName", "DeadLetterQueueName", "TableName")}
        return load(None, {"BucketName": f"b-{unique}", **names, **parameters})

    return make
