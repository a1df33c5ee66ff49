"""What the tests of the Lambda twin share: declared resources, a runtime and a queue that live on a manual clock."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import random
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from simulator.base.clock import ManualClock
from simulator.base.waiting import wait_for_event
from simulator.functions.runtimes import Exited, Invocation, Raised, Returned, Write
from simulator.stack.model import AsynchronousInvocation, EventSourceMapping, Function, Queue, Stack

ARN = "arn:aws:{}:us-east-1:123456789012:{}"
Behaviour = Callable[[Any], Awaitable[Returned | Raised | Exited]]


class Declare:
    """Resources with plain defaults; whatever a test names is changed."""

    @staticmethod
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

    @staticmethod
    def queue(logical_id: str = "Queue", **changes: Any) -> Queue:
        """A queue."""
        return dataclasses.replace(Queue(logical_id, logical_id, ARN.format("sqs", logical_id)), **changes)

    @staticmethod
    def mapping(**changes: Any) -> EventSourceMapping:
        """A mapping of that queue to that function."""
        return dataclasses.replace(EventSourceMapping("Mapping", "Consumer", "Queue"), **changes)

    @staticmethod
    def stack(**changes: Any) -> Stack:
        """A stack of nothing but what is given."""
        return dataclasses.replace(Stack("stack", {}, {}, {}, {}, {}, {}, {}), **changes)


class ScriptedRuntime:
    """A runtime whose handler is a coroutine of the test; it counts what the service asks of it."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.init: Callable[[], Awaitable[Raised | Exited | None]] | None = None
        self.calls: list[str] = []
        self.events: list[Any] = []
        self.running = 0
        self.running_most = 0

    def environment(self, function: Function, number: int, log_stream: str, write: Write) -> ScriptedEnvironment:
        """An environment of the script."""
        return ScriptedEnvironment(self, number)

    async def close(self) -> None:
        """Note it."""
        self.calls.append("close runtime")


class ScriptedEnvironment:
    """An environment that does what the script says."""

    memory_used_mb = 31

    def __init__(self, runtime: ScriptedRuntime, number: int) -> None:
        self._runtime, self._number = runtime, number

    async def start(self) -> Raised | Exited | None:
        """Note it, and run the script's init."""
        self._runtime.calls.append(f"start {self._number}")
        return await self._runtime.init() if self._runtime.init else None

    async def invoke(self, invocation: Invocation) -> Returned | Raised | Exited:
        """Run the event."""
        runtime = self._runtime
        runtime.events.append(invocation.event)
        runtime.running += 1
        runtime.running_most = max(runtime.running_most, runtime.running)
        try:
            return await runtime.behaviour(invocation.event)
        finally:
            runtime.running -= 1

    async def kill(self) -> None:
        """Note it."""
        self._runtime.calls.append(f"kill {self._number}")

    async def close(self) -> None:
        """Note it."""
        self._runtime.calls.append(f"close {self._number}")


class ManualQueue:
    """A standard queue on a manual clock, as the mapping's client sees it.

    A message can be received when its `next_delivery_at` is not in the future; that one figure is all of redelivery.
    """

    def __init__(self, clock: ManualClock, *, visibility_s: float = 30, maximum_receives: int | None = None) -> None:
        self._clock, self._visibility_s, self._maximum_receives = clock, visibility_s, maximum_receives
        self.messages: dict[str, dict[str, Any]] = {}
        self.dead_letters: list[str] = []
        self.deletes: list[int] = []
        self.refuse_deletes = 0
        self.receives = 0
        self._numbers = itertools.count()
        self._sent = asyncio.Event()

    def send(self, *bodies: str) -> None:
        """Put messages, receivable now."""
        for body in bodies:
            number = next(self._numbers)
            self.messages[f"id-{number:06d}"] = {
                "body": body,
                "next_delivery_at": self._clock.now(),
                "sent_at": self._clock.now(),
                "receives": 0,
            }
        self._sent.set()

    async def receive_message(self, **request: Any) -> dict[str, Any]:
        """As SQS: up to ten that are visible, waiting for the first one."""
        self.receives += 1
        deadline_at = self._clock.now() + request["WaitTimeSeconds"]
        while True:
            found = self._take(request["MaxNumberOfMessages"], request.get("VisibilityTimeout", self._visibility_s))
            now = self._clock.now()
            if found or now >= deadline_at:
                return {"Messages": found} if found else {}
            self._sent.clear()
            due = min((each["next_delivery_at"] for each in self.messages.values()), default=deadline_at)
            await wait_for_event(self._sent, self._clock, max(0.0, min(due, deadline_at) - now))

    async def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        """As SQS; the next `refuse_deletes` calls delete nothing."""
        entries = request["Entries"]
        self.deletes.append(len(entries))
        if self.refuse_deletes:
            self.refuse_deletes -= 1
            return {"Failed": [{"Id": entry["Id"]} for entry in entries]}
        for entry in entries:
            self.messages.pop(entry["ReceiptHandle"].partition("#")[0], None)
        return {"Successful": [{"Id": entry["Id"]} for entry in entries]}

    def _take(self, count: int, visibility_s: float) -> list[dict[str, Any]]:
        now = self._clock.now()
        found: list[dict[str, Any]] = []
        for message_id, message in list(self.messages.items()):
            if len(found) == count:
                break
            if message["next_delivery_at"] > now:
                continue
            if self._maximum_receives is not None and message["receives"] >= self._maximum_receives:
                self.dead_letters.append(self.messages.pop(message_id)["body"])
                continue
            message["receives"] += 1
            message["next_delivery_at"] = now + visibility_s
            found.append(
                {
                    "MessageId": message_id,
                    "ReceiptHandle": f"{message_id}#{message['receives']}",
                    "Body": message["body"],
                    "MD5OfBody": "md5",
                    "Attributes": {
                        "ApproximateReceiveCount": str(message["receives"]),
                        "SentTimestamp": str(int(message["sent_at"] * 1000)),
                        "SenderId": "sender",
                        "ApproximateFirstReceiveTimestamp": str(int(now * 1000)),
                    },
                }
            )
        return found


class Recorder(list[Any]):
    """Observations as they come."""

    def of(self, kind: type) -> list[Any]:
        """Those of one kind."""
        return [observation for observation in self if isinstance(observation, kind)]

    def lines(self) -> list[str]:
        """The log lines."""
        return [observation.line for observation in self if hasattr(observation, "line")]


@pytest.fixture
def declare() -> type[Declare]:
    """How to declare a resource."""
    return Declare


@pytest.fixture
def clock() -> ManualClock:
    """A clock that moves only when told to."""
    return ManualClock(1_000_000.0)


@pytest.fixture
def recorded() -> Recorder:
    """A fresh recorder."""
    return Recorder()


@pytest.fixture
def rng() -> random.Random:
    """A seeded source of randomness."""
    return random.Random(7)


@pytest.fixture
def twin_fakes() -> SimpleNamespace:
    """The fakes by name, for tests that make several of them."""
    return SimpleNamespace(ScriptedRuntime=ScriptedRuntime, ManualQueue=ManualQueue, Recorder=Recorder)
