"""What the store has done, as plain figures: totals since it started, gauges as of `at`.

The counting processes use these very classes; they hand out copies, which nobody changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar


def is_test_event(body: str) -> bool:
    """Whether a message is the one that S3 sends when a notification is configured. It is about no object."""
    return body.startswith('{"Service"') and '"s3:TestEvent"' in body


@dataclass(slots=True)
class QueueCounters:
    """One queue. All figures but `test_events` exclude S3's test events; gauges are exact.

    `dead_lettered` counts messages that this queue's redrive policy moved out. `oldest_age_s` is the age of the oldest
    message not yet deleted (None: empty), like CloudWatch's ApproximateAgeOfOldestMessage. `expired` counts messages
    that outlived the retention period, `redriven` those that a message move task took. `test_events` is how many of
    S3's test events are in the queue, in any state.
    """

    visible: int = 0
    in_flight: int = 0
    delayed: int = 0
    oldest_age_s: float | None = None
    sent: int = 0
    received: int = 0
    deleted: int = 0
    dead_lettered: int = 0
    expired: int = 0
    purged: int = 0
    redriven: int = 0
    test_events: int = 0

    @property
    def held(self) -> int:
        """Messages in the queue, in any state, without S3's test events."""
        return self.visible + self.in_flight + self.delayed


@dataclass(slots=True)
class TableCounters:
    """One table. `rows_written` counts accepted puts; `rows_per_s_max` is the busiest whole second."""

    rows: int = 0
    rows_written: int = 0
    rows_per_s_max: int = 0
    first_write_at: float | None = None
    last_write_at: float | None = None
    batch_writes: int = 0
    unprocessed_items: int = 0
    throttled_requests: int = 0
    write_units: float = 0.0
    read_units: float = 0.0


@dataclass(slots=True)
class BucketCounters:
    """One bucket: what it holds now, and the puts it accepted."""

    objects: int = 0
    size_bytes: int = 0
    puts: int = 0
    first_put_at: float | None = None
    last_put_at: float | None = None


@dataclass(slots=True)
class OperationCounters:
    """One operation, such as `dynamodb.BatchWriteItem`: requests answered, how many with an error, time spent."""

    requests: int = 0
    errors: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class StoreCounters:
    """All counters, by the resource's AWS name. `cpu_s` is the processor time of all the store's processes.

    `faults` is how many struck in the store, by kind; `late` calls were answered or lost, and take effect later.
    """

    at: float
    cpu_s: float = 0.0
    memory_bytes: int = 0
    queues: Mapping[str, QueueCounters] = field(default_factory=dict)
    tables: Mapping[str, TableCounters] = field(default_factory=dict)
    buckets: Mapping[str, BucketCounters] = field(default_factory=dict)
    operations: Mapping[str, OperationCounters] = field(default_factory=dict)
    faults: Mapping[str, int] = field(default_factory=dict)
    late: int = 0


Counters = TypeVar("Counters", QueueCounters, TableCounters, BucketCounters)
_JOINED: Mapping[str, Callable[[list[Any]], Any]] = {
    **dict.fromkeys(("oldest_age_s", "last_write_at", "last_put_at"), lambda held: max(held, default=None)),
    **dict.fromkeys(("first_write_at", "first_put_at"), lambda held: min(held, default=None)),
    "rows_per_s_max": lambda held: max(held, default=0),
}


def together(kind: type[Counters], counters: Iterable[Counters]) -> Counters:
    """The figures of several resources of one kind as if they were one; the busiest second is that of any of them."""
    several = list(counters)
    if len(several) == 1:
        return several[0]
    joined: dict[str, Any] = {}
    for name in (each.name for each in fields(kind)):
        held = [value for one in several if (value := getattr(one, name)) is not None]
        joined[name] = _JOINED[name](held) if name in _JOINED else sum(held)
    return kind(**joined)


_PARTS: Mapping[str, type[Any]] = {
    "queues": QueueCounters,
    "tables": TableCounters,
    "buckets": BucketCounters,
    "operations": OperationCounters,
}


def from_json(content: Mapping[str, Any]) -> StoreCounters:
    """The counters from JSON that `orjson` and `asdict` wrote; a missing figure is zero."""
    parts = {
        part: {name: kind(**figures) for name, figures in content.get(part, {}).items()}
        for part, kind in _PARTS.items()
    }
    return StoreCounters(**{**content, **parts})
