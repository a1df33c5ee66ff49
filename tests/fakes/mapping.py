"""One event source mapping on a manual clock, with a scripted function behind it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fakes.clock import ManualClock
from fakes.recorder import Recorder
from fakes.runtime import ScriptedRuntime
from simulator.base import limits
from simulator.base.observations import MessageSettled
from simulator.functions.runtimes import Returned
from simulator.functions.service import LambdaService
from simulator.stack.model import EventSourceMapping, Function, Queue
from simulator.triggers.event_source_mapping import MappingRun

ANSWER = Returned({"batchItemFailures": []})


class Twin:
    """One mapping with its queue and function, all on one manual clock."""

    def __init__(self, clock: ManualClock, recorded: Recorder) -> None:
        self.clock, self.recorded = clock, recorded
        self.runtime = ScriptedRuntime(self.answer)
        self.stop = asyncio.Event()
        self.takes_s = 0.0

    async def answer(self, event: Any) -> Any:
        """Succeed after `takes_s`."""
        await self.clock.sleep(self.takes_s)
        return ANSWER

    def stop_softly(self, queue: Any) -> None:
        """As the twin does with its own store."""
        self.stop.set()
        queue.end_long_polls()

    @asynccontextmanager
    async def run(
        self,
        queue: Any,
        mapping: EventSourceMapping,
        function: Function,
        declared: Queue,
        account: int = 1000,
        wait_s: int = limits.SQS_RECEIVE_WAIT_S[1],
    ) -> AsyncIterator[asyncio.Task[None]]:
        """Run the mapping during the block, then stop it softly."""
        async with LambdaService(
            {function.logical_id: function},
            runtime=self.runtime,
            clock=self.clock,
            record=self.recorded.append,
            seed=3,
            account_concurrency=account,
        ) as service:
            task = asyncio.create_task(
                MappingRun(
                    mapping=mapping,
                    queue=declared,
                    queue_url="http://queue",
                    function=function,
                    sqs=queue,
                    service=service,
                    clock=self.clock,
                    record=self.recorded.append,
                    seed=4,
                    stop=self.stop,
                    wait_s=wait_s,
                ).run()
            )
            try:
                yield task
            finally:
                self.stop_softly(queue)
                while not task.done():
                    await self.clock.advance(1)
                await task

    def settled(self) -> Counter[tuple[str, bool]]:
        """The number of deliveries per outcome."""
        return Counter((each.reason, each.deleted) for each in self.recorded.of(MessageSettled))
