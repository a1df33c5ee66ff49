"""The mapping against the real store: the behaviour of the other tests' manual queue is the store's, too."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from fakes import declare
from fakes.recorder import Recorder
from fakes.runtime import ScriptedRuntime
from fakes.waiting import until
from simulator.base import limits
from simulator.base.clients import connect, offline_session
from simulator.base.clock import SystemClock
from simulator.base.observations import MessageSettled
from simulator.functions.runtimes import Returned
from simulator.functions.service import LambdaService
from simulator.triggers.event_source_mapping import MappingRun


@dataclass
class Running:
    """A mapping that polls its own queue in the store."""

    sqs: Any
    queue_url: str
    dlq_url: str
    stop: asyncio.Event
    task: asyncio.Task[None]
    recorded: Recorder

    async def depth(self, url: str) -> int:
        """Messages in a queue, visible or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = await self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)


@pytest.fixture
def running(store_endpoint: str, recorded: Recorder) -> Any:
    """Start a mapping with a scripted handler, and `bodies` in its queue."""

    @asynccontextmanager
    async def run(
        behaviour: Any, bodies: list[str], *, visibility_s: int = 1, receives: int = 3
    ) -> AsyncIterator[Running]:
        clock, name = SystemClock(), f"q-{uuid.uuid4().hex}"
        function = declare.function(timeout_s=1)
        queue = declare.queue(name=name, visibility_timeout_s=visibility_s)
        mapping = declare.mapping(reports_batch_item_failures=True)
        async with connect(store_endpoint, offline_session()) as clients:
            sqs = clients.sqs
            dlq_url = (await sqs.create_queue(QueueName=f"{name}-dlq"))["QueueUrl"]
            policy = {
                "deadLetterTargetArn": f"arn:aws:sqs:us-east-1:123456789012:{name}-dlq",
                "maxReceiveCount": receives,
            }
            attributes = {"VisibilityTimeout": str(visibility_s), "RedrivePolicy": json.dumps(policy)}
            url = (await sqs.create_queue(QueueName=name, Attributes=attributes))["QueueUrl"]
            for body in bodies:
                await sqs.send_message(QueueUrl=url, MessageBody=body)
            runtime = ScriptedRuntime(behaviour)
            async with LambdaService(
                {"Consumer": function}, runtime=runtime, clock=clock, record=recorded.append, seed=1
            ) as service:
                stop = asyncio.Event()
                work = MappingRun(
                    mapping=mapping,
                    queue=queue,
                    queue_url=url,
                    function=function,
                    sqs=sqs,
                    service=service,
                    clock=clock,
                    record=recorded.append,
                    seed=2,
                    stop=stop,
                    wait_s=limits.POLL_SLICE_S,
                )
                task = asyncio.create_task(work.run())
                yield Running(sqs, url, dlq_url, stop, task, recorded)
                stop.set()
                await task

    return run


async def test_poison_ends_in_the_dead_letter_queue(running: Any) -> None:
    """A message that always fails is received as often as its redrive policy allows, its neighbours once."""

    async def behaviour(event: Any) -> Any:
        bad = [{"itemIdentifier": each["messageId"]} for each in event["Records"] if each["body"] == "poison"]
        return Returned({"batchItemFailures": bad})

    async with running(behaviour, ["good", "poison", "fine"], receives=2) as run:

        async def dead() -> bool:
            return await run.depth(run.dlq_url) == 1

        await until(dead)
        assert await run.depth(run.queue_url) == 0
    settled = Counter((each.body, each.deleted) for each in run.recorded.of(MessageSettled))
    assert settled == {("good", True): 1, ("fine", True): 1, ("poison", False): 2}
    assert [each.receive_count for each in run.recorded.of(MessageSettled) if each.body == "poison"] == [1, 2]


async def test_a_soft_stop_strands_nothing(running: Any) -> None:
    """If stopped in the middle, the mapping settles what it has; everything else can still be received."""
    started = asyncio.Event()

    async def behaviour(event: Any) -> Any:
        started.set()
        await asyncio.sleep(0)
        return Returned(None)

    bodies = [str(number) for number in range(60)]
    async with running(behaviour, bodies, visibility_s=600) as run:
        await started.wait()
        run.stop.set()
        await run.task
        left = await run.depth(run.queue_url)
        answer = await run.sqs.get_queue_attributes(
            QueueUrl=run.queue_url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
        )
        assert answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "0"
    deleted = [each for each in run.recorded.of(MessageSettled) if each.deleted]
    assert len(deleted) + left == len(bodies)
