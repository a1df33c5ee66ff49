"""A load test against a deployed stack: objects go to its bucket, the rest is observed from outside.

Queue figures come from SQS during the test and from CloudWatch at the end, stored instants from the consumer's log
lines. The test changes nothing in the stack, but its objects and rows stay there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from simulator.base import limits
from simulator.base.counters import QueueCounters, StoreCounters
from simulator.base.errors import InputError, one_failure
from simulator.base.observations import EnvironmentStarted, InvocationEnded, InvocationStarted, LogWritten
from simulator.base.words import counted
from simulator.load.measure import cloud_log, cost
from simulator.load.measure.result import Proof, Span
from simulator.load.plan.plan import Plan
from simulator.load.send.processes import GeneratorProcess
from simulator.load.send.signing import Identity
from simulator.load.session import LoadSession
from simulator.load.target import Place
from simulator.stack.model import Stack
from simulator.stack.wiring import wiring
from simulator.twin.resources import Resources
from stockpipe.deploy.aws import Aws, error_code, explain
from stockpipe.deploy.deployed import Deployed, QueueAddress, address
from stockpipe.deploy.status import metric_values, queue_status

POLL_S = 1.0
LOGS_POLL_S = 2.0
LOGS_OVERLAP_S = 20.0
"""Log events may become visible out of order: each poll begins this long before the newest one seen."""
QUIET_LOOKS = 5
"""The queue counts as empty after this many empty polls in a row: SQS's counts are approximate."""
LOGS_BEHIND_S = 30.0
"""How long log lines may take to appear once the queue is empty."""
ASSUMED_ROWS_PER_S = 5_000.0
"""Used only for the estimate: what one environment stores, so that the estimated duration is rather too long."""


@dataclass(frozen=True, slots=True)
class StackUnderLoad:
    """The stack under load: its bucket, table and function by their real names, and where its queue and logs are."""

    deployed: Deployed
    queue: QueueAddress
    dead_letter: QueueAddress
    log_group: str


async def find_stack(aws: Aws, deployed: Deployed) -> StackUnderLoad:
    """Everything that a load test needs to know about a stack. Raises `InputError` if the stack lacks any of it."""
    return StackUnderLoad(
        deployed,
        await address(aws, deployed.require("StockQueue")),
        await address(aws, deployed.require("StockDLQ")),
        await _log_group(aws, deployed.consumer, deployed.stack.name),
    )


async def _log_group(aws: Aws, function: str, stack: str) -> str:
    configuration: Any = await (await aws.functions()).get_function_configuration(FunctionName=function)
    logging = configuration.get("LoggingConfig", {})
    if (level := logging.get("ApplicationLogLevel")) in limits.LOG_LEVELS[limits.LOG_LEVELS.index("WARN") :]:
        raise InputError(
            f"function '{function}' logs only {level} and above, and a load test needs its INFO lines",
            hint=f"`stockpipe deploy --stack {stack} --parameter LogLevel=INFO` changes that",
        )
    group: str = logging.get("LogGroup") or f"/aws/lambda/{function}"
    try:
        await (await aws.logs()).filter_log_events(logGroupName=group, limit=1)
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        raise InputError(
            f"function '{function}' has no log group '{group}', and a load test needs its lines",
            hint=f"let it run once: `stockpipe invoke --stack {stack}`",
        ) from None
    return group


def estimate(plan: Plan, stack: Stack) -> float:
    """The cost of a plan in US dollars, rather too high: exact except for the duration, which is not known yet."""
    objects = plan.profile.total
    rows = objects * plan.rows
    memory_mb, billed_s = wiring(stack).consumer.memory_mb, rows / ASSUMED_ROWS_PER_S + objects * 0.1
    quantities = {
        **cost.duration(stack.parameters, memory_mb, billed_s),
        "lambda_requests": objects,
        "s3_put": objects,
        "s3_get": objects,
        "sqs": 3 * objects,
        "dynamodb_write": rows,
        "logs": objects * 1_500,
    }
    bill = cost.per_million_rows(cost.MILLION, quantities, "")
    usd: float = bill["usd_per_million_rows"] if bill else 0.0
    return usd


@contextlib.asynccontextmanager
async def open_stack(session: LoadSession, aws: Aws, stack: StackUnderLoad) -> AsyncIterator[StackTarget]:
    """The stack, watched until the block ends; a watcher that fails ends the block."""
    deployed = stack.deployed
    with one_failure(explain):
        url = urlsplit(await aws.bucket_url(deployed.bucket))
        place = Place(
            f"{url.scheme}://{url.netloc}",
            url.geturl(),
            Identity(*await aws.credentials(), aws.region),
            Resources(deployed.bucket, stack.queue.url, stack.dead_letter.url, deployed.table, queue_urls={}),
        )
        async with asyncio.TaskGroup() as group:
            target = StackTarget(session, aws, stack, place)
            # Messages in the dead-letter queue before the load do not count.
            await target.look_at_queues()
            watching = group.create_task(target.watch())
            yield target
            watching.cancel()


class StackTarget:
    """A deployed stack under load. What is seen in its queue and its logs becomes observations."""

    def __init__(self, session: LoadSession, aws: Aws, stack: StackUnderLoad, place: Place) -> None:
        self.place = place
        self._session, self._aws, self._stack = session, aws, stack
        self._function = wiring(session.stack).consumer.logical_id
        self._logs_from_at = session.clock.now() - 1
        self._known: set[str] = set()
        self._environments: dict[str, int] = {}
        self._empty_looks = 0
        self._settled = False

    async def watch(self) -> None:
        """Wait until it has settled."""
        clock, looked_at = self._session.clock, 0.0
        while not self._settled:
            await self.look_at_queues()
            if clock.now() - looked_at >= LOGS_POLL_S:
                await self._read_logs()
                looked_at = clock.now()
            await clock.sleep(POLL_S)

    async def ceiling(self, generator: GeneratorProcess) -> None:
        """On AWS, only the requested load is measured."""

    def consume(self) -> None:
        """A deployed consumer is always running."""

    async def drain(self, span: Span) -> str | None:
        """Wait until every object is stored or dead-lettered, or the queue is long empty and the logs are quiet."""
        clock, recording = self._session.clock, self._session.result.recording
        totals = self._session.tap.totals
        deadline_at = clock.now() + self._session.plan.drain_timeout_s
        quiet_at: float | None = None
        while (missing := recording.pending(span.numbers)) > totals.dead_lettered:
            now = clock.now()
            if self._empty_looks < QUIET_LOOKS:
                quiet_at = None
            elif quiet_at is None:
                quiet_at = now
            if now >= deadline_at or (quiet_at is not None and now - quiet_at > LOGS_BEHIND_S):
                where = "the queue is empty, but" if quiet_at is not None else "the drain took too long:"
                return f"{where} of {counted(missing, 'object')} no log line says that it was stored"
            await clock.sleep(0.25)
        return None

    async def forget(self, span: Span) -> None:
        """Delete nothing from a stack."""

    async def settle(self) -> None:
        """Wait, because an invocation's metrics follow its last object's line."""
        self._settled = True
        await self._session.clock.sleep(POLL_S)
        await self._read_logs()
        await self.look_at_queues()

    async def prove(self) -> Proof:
        """CloudWatch's figures; `verify` does the proof itself, and says what it costs."""
        (span,) = self._session.result.spans
        return Proof(cloud=await _metrics(self._aws, self._stack, span, self._session.clock.now()))

    async def look_at_queues(self) -> None:
        """Read how many messages the queue and its dead-letter queue hold now."""
        path, queues = wiring(self._session.stack), {}
        for queue, at in ((path.queue, self._stack.queue), (path.dead_letter_queue, self._stack.dead_letter)):
            if queue is not None:
                now = await queue_status(self._aws, at)
                queues[queue.name] = QueueCounters(now.visible, now.in_flight, now.delayed)
        self._empty_looks = 0 if queues[path.queue.name].held else self._empty_looks + 1
        self._session.tap.sample_from_outside(StoreCounters(self._session.clock.now(), queues=queues))

    async def _read_logs(self) -> None:
        """Read all lines since shortly before the newest one seen, each once."""
        lines: Any = {"logGroupName": self._stack.log_group, "filterPattern": cloud_log.FILTER}
        pages = (await self._aws.logs()).get_paginator("filter_log_events")
        async for page in pages.paginate(**lines, startTime=int(self._logs_from_at * 1000)):
            for event in page.get("events", ()):
                self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        if event["eventId"] in self._known:
            return
        self._known.add(event["eventId"])
        at, line = event["timestamp"] / 1000, event["message"].rstrip("\n")
        self._logs_from_at = max(self._logs_from_at, at - LOGS_OVERLAP_S)
        environment = self._environments.setdefault(event.get("logStreamName", ""), len(self._environments) + 1)
        tap, where = self._session.tap, (self._function, environment)
        tap.record(LogWritten(at, *where, line))
        match cloud_log.read(line):
            case cloud_log.StoredObject(key=key, at=stored_at):
                tap.stored_far_away(key, stored_at)
            case cloud_log.InvocationReport(request_id=request, duration_s=duration_s, init_s=init_s, outcome=outcome):
                if init_s is not None:
                    tap.record(EnvironmentStarted(at, *where, init_s))
                tap.record(InvocationStarted(at - duration_s, *where, request, 0, init_s is not None))
                tap.record(InvocationEnded(at, *where, request, 0, outcome, duration_s, init_s, None, None, None))


async def _metrics(aws: Aws, stack: StackUnderLoad, span: Span, now: float) -> dict[str, float | None]:
    """CloudWatch's figures for the span; they lag by minutes, so after a short run there may be none yet."""
    consumer, queue = ("FunctionName", stack.deployed.consumer), ("QueueName", stack.queue.name)
    metrics = {
        "oldest_age_s_max": ("AWS/SQS", "ApproximateAgeOfOldestMessage", *queue, "Maximum"),
        "visible_max": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", *queue, "Maximum"),
        "concurrency_max": ("AWS/Lambda", "ConcurrentExecutions", *consumer, "Maximum"),
        "throttles": ("AWS/Lambda", "Throttles", *consumer, "Sum"),
        "errors": ("AWS/Lambda", "Errors", *consumer, "Sum"),
        "write_throttles": ("AWS/DynamoDB", "WriteThrottleEvents", "TableName", stack.deployed.table, "Sum"),
    }
    found = await metric_values(aws, metrics, span.begun_at - 60, now + 60)
    return {
        name: (sum if metrics[name][-1] == "Sum" else max)(values.values()) if values else None
        for name, values in found.items()
    }
