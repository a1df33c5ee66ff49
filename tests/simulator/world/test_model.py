"""The model of time: durations as arithmetic, and the published figures that it was made from."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median

import pytest

from fakes import declare
from simulator.base.chance import stream
from simulator.world import model
from simulator.world.model import Duration, cold_start_s, cpu_share, latency_of, transfer_s, work_s

ALL = {
    "S3": latency_of("s3", "GetObject"),
    "SQS": latency_of("sqs", "ReceiveMessage"),
    "DynamoDB, one item": latency_of("dynamodb", "PutItem"),
    "DynamoDB, several items": latency_of("dynamodb", "BatchWriteItem"),
    "notification": model.NOTIFICATION,
    "tick": model.TICK,
    "invocation": model.INVOKE,
}
DOCS = Path(__file__).parents[3] / "docs" / "virtual-time.md"
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
MEMORIES = (128, 256, 512, 1024, 1769)
OPERATIONS = ("BatchWriteItem", "GetObject", "PutObject", "PutItem", "SendMessageBatch", "ListObjectsV2")


def draws(duration: Duration, count: int = 20_000) -> list[float]:
    """Durations in ascending order."""
    chance = stream(1, "test")
    return sorted(duration.draw(chance) for _ in range(count))


def p99(ascending: Sequence[float]) -> float:
    """The 99th percentile."""
    return ascending[len(ascending) * 99 // 100]


@pytest.mark.parametrize("duration", ALL.values(), ids=ALL)
def test_draws_have_the_stated_median_and_p99(duration: Duration) -> None:
    """Half of the durations are below the median and one in a hundred above the p99; none is zero or beyond the cap."""
    found = draws(duration)
    assert median(found) == pytest.approx(duration.median_s, rel=0.05)
    assert p99(found) == pytest.approx(duration.p99_s, rel=0.15)
    assert found[0] > 0
    assert found[-1] <= duration.p99_s * model.LONGEST


def test_what_the_tail_would_exceed_is_cut_off() -> None:
    """The longest duration is three times the 99th percentile, and it occurs."""
    assert draws(Duration(1.0, 20.0))[-1] == 60.0


def test_same_seed_same_durations() -> None:
    """Durations depend on the stream alone: the same one gives the same, another seed gives others."""
    function = declare.function()

    def some(seed: int) -> list[float]:
        chance = stream(seed, "test")
        return [model.INVOKE.draw(chance), cold_start_s(function, chance), model.TICK.draw(chance)]

    assert some(1) == some(1)
    assert some(1) != some(2)


def test_a_schedule_is_late_by_less_than_a_minute() -> None:
    """EventBridge starts a target within the minute, so two ticks of a schedule never overtake each other."""
    assert model.TICK.p99_s * model.LONGEST < 60


def test_a_notification_can_take_a_minute() -> None:
    """AWS: in seconds, and sometimes a minute or longer."""
    assert model.NOTIFICATION.p99_s * model.LONGEST >= 60
    assert model.NOTIFICATION.median_s >= 1


def test_from_producer_to_function_takes_what_was_measured_on_aws() -> None:
    """Send, receive and invoke: 16.2 ms at the median, 105 ms at the 99th percentile, each within a half."""
    chance, queue = stream(1, "test"), latency_of("sqs", "SendMessage")
    found = sorted(queue.draw(chance) + queue.draw(chance) + model.INVOKE.draw(chance) for _ in range(20_000))
    assert median(found) == pytest.approx(0.0162, rel=0.5)
    assert p99(found) == pytest.approx(0.105, rel=0.5)


def test_many_items_take_longer_than_one() -> None:
    """A batch, a query and a scan are DynamoDB's slower operations; an unknown service has a latency too."""
    one = latency_of("dynamodb", "GetItem").median_s
    assert all(latency_of("dynamodb", each).median_s > one for each in ("BatchWriteItem", "Query", "Scan"))
    assert latency_of("sts", "GetCallerIdentity") == latency_of("sqs", "SendMessage")


def test_a_core_at_1769_megabytes() -> None:
    """Lambda gives processor time in proportion to memory; one thread cannot use more than one core."""
    assert cpu_share(1769) == 1
    assert cpu_share(128) == pytest.approx(0.0724, abs=1e-4)
    assert cpu_share(10_240) == 1


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_work_takes_longer_with_less_memory(operation: str, own: bool) -> None:
    """Every call costs something, in proportion to the share of a core."""
    times = [work_s(operation, 25, 4_000, memory, own=own) for memory in MEMORIES]
    assert all(less > more > 0 for less, more in itertools.pairwise(times))
    assert times[0] == pytest.approx(times[-1] / cpu_share(128))
    assert work_s(operation, 0, 0, 10_240, own=own) > 0


def test_boto3_s_work_grows_with_items_and_bytes() -> None:
    """A batch of 25 items takes more of boto3 than a single item, and a large object more than a small one."""
    assert work_s("BatchWriteItem", 25, 0, 1769, own=False) > 1.5 * work_s("BatchWriteItem", 1, 0, 1769, own=False)
    assert work_s("PutObject", 1, 10**6, 1769, own=False) > work_s("PutObject", 1, 0, 1769, own=False)


def test_our_own_writer_is_cheaper_than_boto3() -> None:
    """A batch of 25 rows takes the consumer an eighth of boto3's time or less, as the measured handlers do."""
    assert work_s("BatchWriteItem", 25, 0, 1769, own=True) * 8 < work_s("BatchWriteItem", 25, 0, 1769, own=False)


def test_a_cold_start_is_what_aws_says_and_grows_with_less_memory() -> None:
    """At the template's memory, from 100 ms to little over a second; at 128 MB, init alone takes seconds."""
    usual = replace(declare.function(), memory_mb=1024, is_own=True)

    def found(memory_mb: int) -> list[float]:
        chance = stream(1, "test")
        return sorted(cold_start_s(replace(usual, memory_mb=memory_mb), chance) for _ in range(1_000))

    assert 0.1 < found(1024)[0] < median(found(1024)) < 1.0
    assert found(1024)[-1] < 2.5
    assert median(found(128)) > 3
    assert median(found(1769)) < median(found(1024))


def test_bodies_take_time_in_proportion() -> None:
    """A hundred megabytes take two seconds on a full core, as measured on Lambda, and longer with less memory."""
    assert transfer_s(10**8, 1769) == pytest.approx(1.9, rel=0.2)
    assert transfer_s(10**8, 128) > transfer_s(10**8, 1024) > transfer_s(10**8, 3008)
    assert transfer_s(0, 128) == 0


class At(Random):
    """Draws what is so many standard deviations from the middle."""

    def __init__(self, deviations: float) -> None:
        super().__init__(1)
        self.deviations = deviations

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        """See `Random`."""
        return mu + sigma * self.deviations


def told(label: str) -> list[float]:
    """The figures, in seconds, of a row of the documentation's tables."""
    (row,) = (line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {label}"))
    figures = " ".join(row.split("|")[2:4])
    return [float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+) (s|ms|us|ns)\b", figures)]


@pytest.mark.parametrize(
    ("label", "duration"),
    [
        ("an answer of S3", ALL["S3"]),
        ("an answer of SQS", ALL["SQS"]),
        ("DynamoDB, one item", ALL["DynamoDB, one item"]),
        ("DynamoDB, batches", ALL["DynamoDB, several items"]),
        ("an S3 notification", model.NOTIFICATION),
        ("a schedule's delay", model.TICK),
        ("Lambda's share", model.INVOKE),
    ],
)
def test_a_duration_is_as_documented(label: str, duration: Duration) -> None:
    """Its median in the middle, and its 99th percentile as many standard deviations above it as a normal's."""
    assert [duration.draw(At(0)), duration.draw(At(2.3263))] == pytest.approx(told(label))


def test_a_cold_start_is_as_documented() -> None:
    """On a full core, the environment's creation takes from its median to its longest, and init what was measured."""
    creation, inits = told("creating an environment"), told("init of the pipeline's handlers")
    for is_own, init_s in zip((True, False), inits, strict=True):
        function = replace(declare.function(), memory_mb=1769, is_own=is_own)
        found = [cold_start_s(function, At(deviations)) for deviations in (0, 9)]
        assert found == pytest.approx([creation[0] + init_s, creation[1] * model.LONGEST + init_s])


@pytest.mark.parametrize(
    ("label", "operation", "own", "per_item", "per_byte"),
    [
        ("a call through botocore", "BatchWriteItem", False, 1, 2),
        ("a call through botocore", "PutItem", True, 1, 2),
        ("a batch of the consumer's own client", "BatchWriteItem", True, 1, None),
        ("an object that the consumer reads", "GetObject", True, None, None),
        ("an object that the generator writes", "PutObject", True, None, 1),
    ],
)
def test_work_is_as_documented(
    label: str, operation: str, own: bool, per_item: int | None, per_byte: int | None
) -> None:
    """Per call, per item and per byte; what is not documented for it costs nothing."""
    call_s, *_ = figures = told(label)
    work = [work_s(operation, items, size, 1769, own=own) - call_s for items, size in ((0, 0), (10, 0), (0, 10**6))]
    item_s, byte_s = (0.0 if each is None else figures[each] for each in (per_item, per_byte))
    assert work == pytest.approx([0, 10 * item_s, 10**6 * byte_s], abs=1e-12)
