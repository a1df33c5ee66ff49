"""How long things take in a world: the one file that says so. Pure: the caller brings the stream of random numbers.

Every figure is documented by AWS, published by somebody who measured it on AWS, or *measured here*: by
`benchmarks/work_model.py`, on a full x86-64 core with CPython 3.11, rounded. What none of them says is marked *ours*.
docs/virtual-time.md says what follows from the model and what does not. All times are in seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from simulator.stack.model import Function

_P99 = 2.3263
"""How many standard deviations above the median the 99th percentile is."""
LONGEST = 3
"""The longest that anything takes, in 99th percentiles (*ours*): what takes longer is a fault, not latency."""


@dataclass(frozen=True, slots=True)
class Duration:
    """How long something takes: a lognormal distribution through a median and a 99th percentile."""

    median_s: float
    p99_s: float

    def draw(self, chance: Random) -> float:
        """One duration: above zero, at most `LONGEST` times the 99th percentile."""
        spread = math.log(self.p99_s / self.median_s) / _P99
        return min(self.median_s * math.exp(spread * chance.gauss()), self.p99_s * LONGEST)


# S3 User Guide, "Performance design patterns" (optimizing-performance-design-patterns): for requests below 512 KB,
# "median latencies are often in the tens of milliseconds"; "Optimizing Amazon S3 performance" (optimizing-performance):
# small objects, and first bytes of larger ones, in roughly 100 to 200 ms. The rest of a body is `transfer_s`.
_S3 = Duration(0.030, 0.200)
# Send, receive and invoke together took 16 ms at the median and 105 ms at the 99th percentile, from a producer to a
# function behind a queue: bitesizedserverless.com/bite/serverless-messaging-latency-compared; how they share it is
# *ours*. AWS's example of a client in the same Region has 20 ms (sqs-throughput-horizontal-scaling-and-batching).
_SQS = Duration(0.005, 0.060)
# AWS re:Post, "How can I troubleshoot high latency on an Amazon DynamoDB table?" (dynamodb-high-latency): "For most
# atomic operations, such as GetItem and PutItem, an average latency is in single-digit milliseconds"; Query, Scan and
# batches "depend on many factors", the number of items among them. The 99th percentiles are *ours*.
_ITEM = Duration(0.005, 0.020)
_ITEMS = Duration(0.010, 0.050)
_SERVICES = {"s3": _S3, "sqs": _SQS, "dynamodb": _ITEM}
_OPERATIONS = dict.fromkeys(
    ("BatchWriteItem", "BatchGetItem", "Query", "Scan", "TransactWriteItems", "TransactGetItems"), _ITEMS
)

NOTIFICATION = Duration(1.0, 20.0)
"""From a put to its message in the queue. S3 User Guide, "Amazon S3 Event Notifications" (EventNotifications):
"Typically, event notifications are delivered in seconds but can sometimes take a minute or longer." `LONGEST` makes the
longest a minute."""

TICK = Duration(5.0, 19.0)
"""How late a schedule's target starts. A rule runs "within that minute, but not on the precise 0th second" (EventBridge
User Guide, eb-create-rule-schedule, an earlier text); Scheduler invokes what is set to 1:00 "between 1:00:00 and
1:00:59" (Scheduler User Guide, schedule-types). The longest is within the minute; the two figures are *ours*."""

INVOKE = Duration(0.005, 0.020)
"""Lambda's own share of a warm invocation. A function that does nothing answers in 5 to 7 ms, at most 21, as X-Ray saw
it: github.com/codetalkio/patterns-serverless-rust-minimal, benchmark/response-times.md."""

_CREATION = Duration(0.150, 0.500)
"""Getting an environment with a Python in it, before init. In the same measurement, a program without an interpreter
starts cold in 96 ms on average, at most 209; the interpreter's share is *ours*. AWS says that a cold start "varies from
under 100 ms to over 1 second" (Lambda Developer Guide, lambda-runtime-environment)."""
_OWN_INIT_S, _INIT_S = 0.23, 0.17
"""Processor time of init, *measured here*: of the pipeline's handlers; of importing boto3 and making two clients, which
stands for all others."""

_FULL_CORE_MB = 1_769
"""Lambda Developer Guide, configuration-memory: at 1,769 MB, a function has the equivalent of one vCPU."""
_BYTES_PER_S = 60e6
"""What one connection transfers on a full core. Lambda downloads 100 MB in 1.9 s and 1 GB in 16.5 s:
medium.com/circuitpeople/serverless-large-file-downloads-to-s3-a11b4ef4788e. With less memory it is less
(cribl.io/blog/aws-lambda-physics); that it is in proportion is *ours*."""

# Processor time of one call, *measured here*: fixed, per item, per byte.
_BOTOCORE = (600e-6, 30e-6, 1e-9)
_OWN_WORK = {
    "BatchWriteItem": (25e-6, 2e-6, 0.0),  # our own client; an item is a row on its way from text to a put request
    "GetObject": (1_000e-6, 0.0, 0.0),  # aiobotocore, and what the consumer does once per object
    "PutObject": (600e-6, 0.0, 20e-9),  # aiobotocore; the market that writes the bytes
}


def latency_of(service: str, operation: str) -> Duration:
    """How long the service takes to answer, without the body; what is none of these three is as fast as SQS."""
    return _OPERATIONS.get(operation) or _SERVICES.get(service, _SQS)


def cpu_share(memory_mb: float) -> float:
    """The share of a core that a function's one thread gets: it grows with memory up to a whole one."""
    return min(1.0, memory_mb / _FULL_CORE_MB)


def cold_start_s(function: Function, chance: Random) -> float:
    """From needing an environment until it takes its first event: its creation, and init at its memory's speed."""
    return _CREATION.draw(chance) + (_OWN_INIT_S if function.is_own else _INIT_S) / cpu_share(function.memory_mb)


def transfer_s(size_bytes: int, memory_mb: float) -> float:
    """How long a body of this size takes to or from a function of this memory."""
    return size_bytes / (_BYTES_PER_S * cpu_share(memory_mb))


def work_s(operation: str, items: int, size_bytes: int, memory_mb: float, *, own: bool) -> float:
    """How long a function computes for one call: what it sends or gets has so many items and bytes.

    `own`: by the pipeline's handlers, with all that they do for these items. Of other handlers it is only what boto3
    does, because nobody knows what else they do.
    """
    call_s, item_s, byte_s = (own and _OWN_WORK.get(operation)) or _BOTOCORE
    return (call_s + items * item_s + size_bytes * byte_s) / cpu_share(memory_mb)
