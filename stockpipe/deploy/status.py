"""How a deployed stack is doing: queues, ages, errors, rows, last tick, alarms. A figure that AWS lacks is None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from simulator.base.clock import iso
from stockpipe.deploy.aws import Aws
from stockpipe.deploy.deployed import Deployed, QueueAddress, address

if TYPE_CHECKING:
    from types_aiobotocore_sqs.literals import QueueAttributeNameType

WINDOW_S = 3600
"""The period over which `errors` and similar figures are summed."""
LAST_TICK_WINDOW_S = 86_400
_COUNTS: tuple[QueueAttributeNameType, ...] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """One queue, with SQS's approximate counts. `oldest_age_s` is from CloudWatch and minutes old."""

    name: str
    visible: int
    in_flight: int
    delayed: int
    oldest_age_s: float | None

    @property
    def messages(self) -> int:
        """How many it holds, in any state."""
        return self.visible + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class Status:
    """One snapshot of a stack. Sums are over the last hour; `rows` is DynamoDB's own count, up to six hours old."""

    stack: str
    state: str
    schedule: str | None
    last_tick_at: str | None
    queue: QueueStatus
    dead_letter: QueueStatus
    rows: int
    table_bytes: int
    generator_errors: float | None
    consumer_errors: float | None
    consumer_throttles: float | None
    messages_failed: float | None
    rows_written: float | None
    rows_rejected: float | None
    alarms: Mapping[str, str]


async def read_status(aws: Aws, deployed: Deployed) -> Status:
    """Read everything once."""
    queue = await address(aws, deployed.require("StockQueue"))
    dead_letter = await address(aws, deployed.require("StockDLQ"))
    metrics = await _metrics(aws, deployed, queue, dead_letter)
    table = (await (await aws.dynamodb()).describe_table(TableName=deployed.table))["Table"]
    return Status(
        stack=deployed.stack.name,
        state=deployed.stack.status,
        schedule=await _schedule(aws, deployed),
        last_tick_at=metrics.pop("last_tick_at"),
        queue=await queue_status(aws, queue, metrics.pop("queue_age")),
        dead_letter=await queue_status(aws, dead_letter, metrics.pop("dead_letter_age")),
        rows=table.get("ItemCount", 0),
        table_bytes=table.get("TableSizeBytes", 0),
        alarms=await _alarms(aws, deployed),
        **metrics,
    )


async def queue_status(aws: Aws, queue: QueueAddress, oldest_age_s: float | None = None) -> QueueStatus:
    """A queue's three counts now."""
    answer = await (await aws.sqs()).get_queue_attributes(QueueUrl=queue.url, AttributeNames=list(_COUNTS))
    visible, in_flight, delayed = (int(answer["Attributes"][name]) for name in _COUNTS)
    return QueueStatus(queue.name, visible, in_flight, delayed, oldest_age_s)


async def _metrics(aws: Aws, deployed: Deployed, queue: QueueAddress, dead_letter: QueueAddress) -> dict[str, Any]:
    """The figures that CloudWatch keeps: sums over the last hour, latest ages, the last minute with a tick."""
    now, age = aws.clock.now(), ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName")
    generator, consumer = (("FunctionName", name, "Sum") for name in (deployed.generator, deployed.consumer))
    sums = {
        "generator_errors": ("AWS/Lambda", "Errors", *generator),
        "consumer_errors": ("AWS/Lambda", "Errors", *consumer),
        "consumer_throttles": ("AWS/Lambda", "Throttles", *consumer),
        "messages_failed": ("stockpipe", "MessagesFailed", *consumer),
        "rows_written": ("stockpipe", "RowsWritten", *consumer),
        "rows_rejected": ("stockpipe", "RowsRejected", *consumer),
    }
    ages = {"queue_age": (*age, queue.name, "Maximum"), "dead_letter_age": (*age, dead_letter.name, "Maximum")}
    recent = await metric_values(aws, {**sums, **ages}, now - WINDOW_S, now)
    invocations = {"ticks": ("AWS/Lambda", "Invocations", *generator)}
    ticks = (await metric_values(aws, invocations, now - LAST_TICK_WINDOW_S, now))["ticks"]
    return {
        **{name: sum(recent[name].values()) if recent[name] else None for name in sums},
        **{name: recent[name][max(recent[name])] if recent[name] else None for name in ages},
        "last_tick_at": iso(max(ticks).timestamp(), "seconds") if ticks else None,
    }


async def metric_values(
    aws: Aws, metrics: Mapping[str, tuple[str, str, str, str, str]], begin_at: float, end_at: float
) -> dict[str, dict[datetime, float]]:
    """CloudWatch's values of each metric between two instants, per minute.

    A metric is its namespace and name, its only dimension's name and value, and the statistic.
    """
    queries: Any = []
    for id_, (namespace, name, dimension, value, statistic) in metrics.items():
        described = {"Namespace": namespace, "MetricName": name, "Dimensions": [{"Name": dimension, "Value": value}]}
        queries.append({"Id": id_, "MetricStat": {"Metric": described, "Period": 60, "Stat": statistic}})
    found: dict[str, dict[datetime, float]] = {id_: {} for id_ in metrics}
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (begin_at, end_at))
    pages = (await aws.cloudwatch()).get_paginator("get_metric_data")
    async for page in pages.paginate(MetricDataQueries=queries, StartTime=begin, EndTime=end):
        for metric in page["MetricDataResults"]:
            found[metric["Id"]].update(zip(metric["Timestamps"], metric["Values"], strict=True))
    return found


async def _schedule(aws: Aws, deployed: Deployed) -> str | None:
    """The schedule's expression, followed by `(paused)` while the rule is disabled."""
    if deployed.rule is None:
        return None
    rule = await (await aws.events()).describe_rule(Name=deployed.rule)
    paused = " (paused)" if rule.get("State") == "DISABLED" else ""
    return f"{rule.get('ScheduleExpression', '')}{paused}"


async def _alarms(aws: Aws, deployed: Deployed) -> dict[str, str]:
    if not deployed.alarms:
        return {}
    answer = await (await aws.cloudwatch()).describe_alarms(AlarmNames=list(deployed.alarms))
    return {alarm["AlarmName"]: alarm["StateValue"] for alarm in answer["MetricAlarms"]}
