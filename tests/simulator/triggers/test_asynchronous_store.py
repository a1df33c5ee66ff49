"""The generator with Lambda's asynchronous queue, against the real store: a tick that runs again changes nothing."""

from __future__ import annotations

import asyncio
import uuid

from fakes.recorder import Recorder
from simulator.base.clients import connect, offline_session
from simulator.base.clock import SystemClock
from simulator.base.observations import InvocationEnded
from simulator.functions.runtimes.inline import InlineRuntime
from simulator.functions.service import LambdaService
from simulator.stack import template
from simulator.triggers.asynchronous import AsynchronousInvoker, scheduled_event


async def test_a_tick_that_runs_again_writes_the_same(store_endpoint: str, recorded: Recorder) -> None:
    """A tick that comes twice, or is retried, writes the same keys with the same bytes, whenever it runs."""
    bucket = f"bucket-{uuid.uuid4().hex}"
    stack = template.load(None, {"BucketName": bucket, "FileCount": "5", "RowsPerFile": "20"})
    (schedule,) = stack.schedules.values()
    event = scheduled_event(schedule, 1_763_802_000.0)
    clock, session = SystemClock(), offline_session()
    async with (
        connect(store_endpoint, session) as clients,
        LambdaService(
            stack.functions,
            runtime=InlineRuntime(store_endpoint, session, clock=clock),
            clock=clock,
            record=recorded.append,
            seed=1,
        ) as service,
        AsynchronousInvoker(
            service,
            stack,
            clients.sqs,
            clock=clock,
            record=recorded.append,
            seed=1,
        ) as invoker,
        asyncio.timeout(20),
    ):
        await clients.s3.create_bucket(Bucket=bucket)

        async def written() -> dict[str, str]:
            for _ in range(2):
                invoker.accept(schedule.function, event)
            while invoker.pending:
                await clock.sleep(0.01)
            listed = await clients.s3.list_objects_v2(Bucket=bucket)
            return {each["Key"]: each["ETag"] for each in listed["Contents"]}

        first, again = await written(), await written()
    assert len(recorded.of(InvocationEnded)) == 4
    assert {each.outcome for each in recorded.of(InvocationEnded)} == {"success"}
    assert len(first) == 5
    assert first == again
