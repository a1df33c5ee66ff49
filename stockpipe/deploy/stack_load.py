"""A load test against a deployed stack: objects go to its bucket, the rest is looked at from outside.

Queue figures come from SQS while it runs and from CloudWatch at the end, stored instants from the consumer's log lines.
Nothing of the stack is changed; the objects and rows stay in it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from simulator.base.clock import Clock
from simulator.base.counters import BucketCounters, QueueCounters, StoreCounters, TableCounters
from simulator.base.errors import CouldNotFinish, InputError, StockpipeError, one_failure
from simulator.base.interrupts import HardStop, Interrupts
from simulator.base.observations import (
    EnvironmentStarted,
    InvocationEnded,
    InvocationStarted,
    LogWritten,
    Phase,
    PhaseChanged,
)
from simulator.load.measure import cloud_log, cost
from simulator.load.measure.assess import measurements_of
from simulator.load.measure.bottleneck import judge
from simulator.load.measure.live import Live
from simulator.load.measure.recording import SENT
from simulator.load.measure.result import Result, Span
from simulator.load.measure.tap import Tap
from simulator.load.plan.objects import Objects
from simulator.load.plan.plan import Plan
from simulator.load.send.processes import GeneratorProcess
from simulator.load.send.sender import Sender
from simulator.load.send.signing import Identity
from simulator.stack.model import PREFIXES
from simulator.twin.resources import Resources
from stockpipe.deploy.aws import Aws, error_code, explain
from stockpipe.deploy.deployed import Deployed, QueueAddress, address
from stockpipe.deploy.status import queue_status

POLL_S = 1.0
LOGS_POLL_S = 2.0
LOGS_OVERLAP_S = 20.0
"""Log events may become visible out of order: each look begins this long before the newest one seen."""
QUIET_LOOKS = 5
"""The queue counts as empty when it was seen empty this often in a row: SQS's counts are approximate."""
LOGS_BEHIND_S = 30.0
"""How long log lines may take to appear once the queue is empty."""
ASSUMED_ROWS_PER_S = 5_000.0
"""For the estimate alone: what one environment stores, so that the duration is guessed on the high side."""


@dataclass(frozen=True, slots=True)
class StackTarget:
    """The stack under load, by its real names; `prefix` is where its notification looks."""

    deployed: Deployed
    queue: QueueAddress
    dead_letter_url: str | None
    log_group: str
    prefix: str
    bucket_url: str
    endpoint: str


async def find_target(aws: Aws, deployed: Deployed) -> StackTarget:
    """Everything that a load test needs to know of a stack. Raises `InputError` for a stack that has not all of it."""
    queue = await address(aws, deployed.require("StockQueue"))
    dead = deployed.get("StockDLQ")
    bucket = deployed.bucket
    endpoint = aws.endpoint_url or f"https://s3.{aws.region}.amazonaws.com"
    bucket_url = f"{endpoint}/{bucket}" if aws.endpoint_url else f"https://{bucket}.s3.{aws.region}.amazonaws.com"
    return StackTarget(
        deployed,
        queue,
        (await address(aws, dead)).url if dead else None,
        await _log_group(aws, deployed.consumer),
        deployed.stack.parameters.get("KeyPrefix") or PREFIXES["KEY_PREFIX"],
        bucket_url,
        endpoint,
    )


async def _log_group(aws: Aws, function: str) -> str:
    configuration: Any = await (await aws.functions()).get_function_configuration(FunctionName=function)
    group: str = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function}"
    try:
        await (await aws.logs()).filter_log_events(logGroupName=group, limit=1)
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        raise InputError(
            f"function {function} has no log group {group}, and its lines tell when an object is stored; "
            "let it run once with `stockpipe invoke`"
        ) from None
    return group


def estimate(plan: Plan, parameters: Any) -> float:
    """US dollars that a plan costs, guessed on the high side: exact but for the duration, which nobody knows yet."""
    objects = plan.profile.total
    rows = objects * plan.rows
    work = cost.Work(
        rows=cost.MILLION,
        puts=objects,
        gets=objects,
        queue_requests=3 * objects,
        invocations=objects,
        billed_s=rows / ASSUMED_ROWS_PER_S + objects * 0.1,
        memory_mb=int(parameters.get("ConsumerMemory", 1024)),
        architecture="x86_64" if parameters.get("Architecture") == "x86_64" else "arm64",
        write_units=float(rows),
        log_bytes=objects * 1_500,
    )
    bill = cost.per_million_rows(work, "")
    return bill.usd if bill else 0.0


@dataclass
class _Watcher:
    """Looks at the queue and the logs while the load is on, and turns what it sees into observations."""

    aws: Aws
    target: StackTarget
    tap: Tap
    clock: Clock
    since_at: float
    function: str
    known: set[str] = field(default_factory=set)
    newest_at: float = 0.0
    empty_looks: int = 0
    environments: dict[str, int] = field(default_factory=dict)

    async def watch(self) -> None:
        """Until cancelled."""
        looked_at = 0.0
        while True:
            await self.look_at_queue()
            if self.clock.now() - looked_at >= LOGS_POLL_S:
                await self.read_logs()
                looked_at = self.clock.now()
            await self.clock.sleep(POLL_S)

    async def look_at_queue(self) -> None:
        """One sample of the queue, with what was counted beside it."""
        now = await queue_status(self.aws, self.target.queue)
        self.empty_looks = 0 if now.messages else self.empty_looks + 1
        wiring, totals, recording = self.tap.wiring, self.tap.totals, self.tap.recording
        sent = recording.count(recording.all(), SENT)
        puts = recording.put_instants(recording.all())
        stores = recording.stored_instants(recording.all())
        counters = StoreCounters(
            at=self.clock.now(),
            queues={
                wiring.queue.name: QueueCounters(
                    visible=now.visible,
                    in_flight=now.in_flight,
                    delayed=now.delayed,
                    sent=sent,
                    received=recording.stored_count,
                    deleted=recording.stored_count,
                )
            },
            tables={
                wiring.table.name: TableCounters(
                    rows_written=totals.rows_written,
                    batch_writes=totals.batch_writes,
                    unprocessed_items=totals.unprocessed_items,
                    throttled_requests=totals.table_throttled,
                    write_units=float(totals.rows_written),
                    first_write_at=stores[0] if stores else None,
                    last_write_at=stores[-1] if stores else None,
                )
            },
            buckets={wiring.bucket.name: BucketCounters(puts=sent, first_put_at=puts[0] if puts else None)},
        )
        self.tap.sample(counters)
        self.tap.totals.received = self.tap.totals.deleted = recording.stored_count

    async def read_logs(self) -> None:
        """All lines since a little before the newest one seen, each once."""
        logs = await self.aws.logs()
        start = int((max(self.since_at, self.newest_at - LOGS_OVERLAP_S)) * 1000)
        page: dict[str, Any] = {}
        while True:
            answer: Any = await logs.filter_log_events(
                logGroupName=self.target.log_group, startTime=start, filterPattern=cloud_log.FILTER, **page
            )
            for event in answer.get("events", ()):
                self._take(event)
            if not answer.get("nextToken"):
                return
            page = {"nextToken": answer["nextToken"]}

    def _take(self, event: dict[str, Any]) -> None:
        if event["eventId"] in self.known:
            return
        self.known.add(event["eventId"])
        at = event["timestamp"] / 1000
        self.newest_at = max(self.newest_at, at)
        environment = self.environments.setdefault(event.get("logStreamName", ""), len(self.environments) + 1)
        line = event["message"].rstrip("\n")
        self.tap.record(LogWritten(at, self.function, environment, line))
        match cloud_log.read(line):
            case cloud_log.StoredObject(key=key, at=stored_at):
                self.tap.stored(key, stored_at)
            case cloud_log.InvocationReport() as report:
                self._report(report, at, environment)

    def _report(self, report: cloud_log.InvocationReport, at: float, environment: int) -> None:
        if report.init_s is not None:
            self.tap.record(EnvironmentStarted(at, self.function, environment, report.init_s))
        begun_at = at - report.duration_s
        self.tap.record(
            InvocationStarted(begun_at, self.function, environment, report.request_id, 0, report.init_s is not None)
        )
        self.tap.record(
            InvocationEnded(
                at,
                self.function,
                environment,
                report.request_id,
                0,
                "success" if report.succeeded else "error",
                report.duration_s,
                report.init_s,
                None,
                None,
                None,
            )
        )


async def run_stack_load(
    aws: Aws,
    target: StackTarget,
    plan: Plan,
    tap: Tap,
    live: Live,
    identity: Identity,
    clock: Clock,
    interrupts: Interrupts,
    result: Result,
    *,
    located: Callable[[str], None],
    finished: Callable[[], Awaitable[None]],
) -> None:
    """Run the plan against the stack; what comes out stands in `result`, even if a failure or a signal ends it."""

    def phase(name: Phase) -> None:
        tap.record(PhaseChanged(clock.now(), name))

    try:
        with one_failure(explain):
            async with contextlib.AsyncExitStack() as owned:
                phase("starting")
                result.endpoint = target.endpoint
                result.resources = _resources(target)
                located(target.endpoint)
                objects = Objects(target.prefix, plan.rows, plan.seed, clock.now())
                tap.objects = objects
                tap.on_stored = lambda number, at: live.stored(result.recording.planned[number], at)
                generator = await owned.enter_async_context(
                    GeneratorProcess.open(
                        endpoint=target.endpoint, bucket_url=target.bucket_url, identity=identity, objects=objects
                    )
                )
                tap.generator_cpu_s = lambda: generator.cpu_s
                sender = Sender(plan, target.deployed.bucket, generator, objects, tap, live, clock, interrupts, result)
                watcher = _Watcher(aws, target, tap, clock, clock.now() - 1, tap.wiring.consumer.logical_id)
                async with _watching(watcher):
                    begun_at, cpu_s = clock.now(), generator.cpu_s
                    live.objects = plan.profile.total
                    phase("running")
                    span = result.span = await sender.offer(plan.profile)
                    result.interrupted = sender.stopped
                    result.generator_cpu_s = generator.cpu_s - cpu_s
                    result.generator_wall_s = clock.now() - begun_at
                    result.failures = generator.failures
                    phase("draining")
                    await _drain(sender, watcher, span)
                    # The metrics of an invocation follow its last object's line.
                    await clock.sleep(POLL_S)
                    await watcher.read_logs()
                    await watcher.look_at_queue()
                result.cloud = await _metrics(aws, target, span, clock.now())
                result.verdict = judge(measurements_of(plan, result, tap, live_only=False))
                phase("done")
                await finished()
    except HardStop:
        result.interrupted = True
    except StockpipeError as error:
        result.failure = error


@contextlib.asynccontextmanager
async def _watching(watcher: _Watcher) -> AsyncIterator[None]:
    """Watch while the block runs; a watcher that fails ends the block."""
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watcher.watch())
        yield
        watching.cancel()


async def _drain(sender: Sender, watcher: _Watcher, span: Span) -> None:
    """Until every object sent is seen stored, or the queue is long empty and the logs say no more."""
    clock, recording = sender.clock, sender.recording
    deadline_at = clock.now() + sender.plan.drain_timeout_s
    quiet_at: float | None = None
    while recording.pending(span.numbers):
        now = clock.now()
        if watcher.empty_looks < QUIET_LOOKS:
            quiet_at = None
        elif quiet_at is None:
            quiet_at = now
        if now >= deadline_at or (quiet_at is not None and now - quiet_at > LOGS_BEHIND_S):
            span.drained = False
            missing = recording.pending(span.numbers)
            where = "the queue is empty, but" if quiet_at is not None else "the drain took too long:"
            sender.note(f"{where} {missing:,} objects were not seen stored", "warning")
            break
        await clock.sleep(0.25)
    stores = recording.stored_instants(span.numbers)
    span.drained_at = stores[-1] if stores else clock.now()


def _resources(target: StackTarget) -> Resources:
    return Resources(
        bucket=target.deployed.bucket,
        queue_url=target.queue.url,
        dlq_url=target.dead_letter_url,
        table=target.deployed.table,
        queue_urls={},
    )


async def _metrics(aws: Aws, target: StackTarget, span: Span, now: float) -> dict[str, float | None]:
    """CloudWatch's view of the span; it is minutes behind, so that a short run may find nothing yet."""

    def query(name: str, namespace: str, metric: str, dimension: str, value: str, stat: str) -> Any:
        described = {
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": dimension, "Value": value}],
        }
        return {"Id": name, "MetricStat": {"Metric": described, "Period": 60, "Stat": stat}}

    consumer, queue, table = target.deployed.consumer, target.queue.name, target.deployed.table
    queries = [
        query("oldest_age_s_max", "AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue, "Maximum"),
        query("visible_max", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue, "Maximum"),
        query("concurrency_max", "AWS/Lambda", "ConcurrentExecutions", "FunctionName", consumer, "Maximum"),
        query("throttles", "AWS/Lambda", "Throttles", "FunctionName", consumer, "Sum"),
        query("errors", "AWS/Lambda", "Errors", "FunctionName", consumer, "Sum"),
        query("write_throttles", "AWS/DynamoDB", "WriteThrottleEvents", "TableName", table, "Sum"),
    ]
    answer: Any = await (await aws.cloudwatch()).get_metric_data(
        MetricDataQueries=queries,
        StartTime=datetime.fromtimestamp(span.begun_at - 60, UTC),
        EndTime=datetime.fromtimestamp(now + 60, UTC),
    )
    summed = {"throttles", "errors", "write_throttles"}
    return {
        metric["Id"]: (sum if metric["Id"] in summed else max)(metric["Values"]) if metric["Values"] else None
        for metric in answer["MetricDataResults"]
    }


def require_idle(messages: int, stack: str) -> None:
    """A queue that holds others' messages measures them too. Raises `CouldNotFinish`."""
    if messages:
        raise CouldNotFinish(
            f"the queue of stack {stack} holds {messages:,} messages; a load test would measure those: "
            "wait until it is empty (`stockpipe status`), or stop the schedule"
        )
