"""The complete, immutable state of a run at one instant, for the dashboard, the plain line and the summary.

Names and units are AWS's. Rates are over the last `limits.RATE_WINDOW_S` seconds, totals since the run began.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from simulator.base.counters import BucketCounters, Counters, QueueCounters, StoreCounters, TableCounters, together
from simulator.base.observations import Phase
from simulator.proof.deliveries import Deliveries

Tone = Literal["plain", "moves", "grows", "lost"]
"""The meaning of a line or figure, which decides its colour: green moves, yellow grows, red is lost or refused."""

LATENCY_BANDS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Upper ends of the heat strip's bands; one more band holds everything slower."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of the run.

    It ends at the first of `duration_s`, `ticks` (of the schedule), `objects` (of a source), `messages` (that it sends
    itself) and `invoked` (a function, by its logical id) that is given; without any, when it is interrupted. `schedule`
    is the expression, None if nothing fires; `endpoint` is None until known.
    """

    command: str
    seed: int
    runtime: str
    started_at: float
    endpoint: str | None = None
    schedule: str | None = None
    speed: float = 1.0
    duration_s: float | None = None
    ticks: int | None = None
    objects: int | None = None
    messages: int | None = None
    invoked: str | None = None
    scenario: str | None = None
    clock: Literal["real", "virtual"] = "real"

    @property
    def endless(self) -> bool:
        """Whether the run goes on until it is interrupted."""
        return self.duration_s is None and self.ticks is None and not self.sends

    @property
    def sends(self) -> Mapping[str, int]:
        """How many things of each kind the run sends itself."""
        event = None if self.invoked is None else 1
        kinds = {"object": self.objects, "message": self.messages, "event": event}
        return {kind: number for kind, number in kinds.items() if number is not None}


@dataclass(frozen=True, slots=True)
class Roles:
    """The AWS names of the parts that the data passes through, each kind in the template's order.

    `consumers` are the functions that messages or a bucket's events invoke; `schedules` has each schedule's expression
    and the name of the function that it invokes. `concurrency_limit` is how many batches the consumers may
    work on at once (None: the template sets no limit). `is_pipeline`: the rows of the run can be counted. `joined` has
    the pairs of kinds (such as `("bucket", "queue")`) between which the template leads data.
    """

    buckets: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    dead_letter_queues: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    schedules: tuple[tuple[str, str], ...] = ()
    concurrency_limit: int | None = None
    is_pipeline: bool = True
    joined: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, in words; `count` times, last at `at`."""

    at: float
    text: str
    tone: Tone = "plain"
    count: int = 1


@dataclass(frozen=True, slots=True)
class Example:
    """Where something happened: the object's key, a line in it, the text of a cell; None for what is not known."""

    object: str | None = None
    line: int | None = None
    cell: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why `count` messages or ticks failed, or why `count` rows were rejected, with examples.

    `permanent`: another delivery cannot succeed; None if that is unknown. `parameter` is the template parameter that
    would fix it. For messages, `outcome` is how the event source mapping saw the delivery (`batch item failure`,
    `error`, `timeout`, `throttled`, ...); `deleted` of them succeeded later, `dead_lettered` were given up, and the
    others remain in the queue.
    """

    reason: str
    permanent: bool | None
    count: int
    examples: tuple[Example, ...] = ()
    parameter: str | None = None
    outcome: str | None = None
    deleted: int = 0
    dead_lettered: int = 0

    @property
    def remaining(self) -> int:
        """Messages that are still in the queue."""
        return self.count - self.deleted - self.dead_lettered


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How a run ended: the verdict of its proof as a word and as a sentence, and the tone of both.

    `missed` has each bound that the run missed, with the figure's value.
    """

    verdict: str
    meaning: str
    tone: Tone
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionView:
    """One function's invocations and environments.

    `errors` includes `timeouts`, as CloudWatch's Errors does. `left` counts messages that the function named in its
    partial responses. `metrics` has the sums of what it published in CloudWatch's embedded format.
    """

    invocations: int = 0
    ended: int = 0
    errors: int = 0
    timeouts: int = 0
    throttles: int = 0
    left: int = 0
    cold_starts: int = 0
    busy: int = 0
    busy_max: int = 0
    environments: int = 0
    concurrency: int | None = None
    messages: int = 0
    batch_mean: float | None = None
    duration_mean_s: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of latencies in seconds, to three digits; if `count` is 0, all are None."""

    count: int = 0
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    p999: float | None = None
    max: float | None = None

    def as_json(self) -> dict[str, float | int | None]:
        """Rounded to a microsecond, the histogram's resolution."""
        return {name: value and round(value, 6) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Rates:
    """Per second, over the sliding window."""

    rows: float = 0.0
    batch_writes: float = 0.0
    write_units: float = 0.0
    throttled_share: float = 0.0
    puts: float = 0.0
    received: float = 0.0
    deleted: float = 0.0


@dataclass(frozen=True, slots=True)
class Maxima:
    """The greatest values that the store's samples or the pollers saw, and when the queue was deepest."""

    visible: int = 0
    in_flight: int = 0
    oldest_age_s: float | None = None
    depth: int = 0
    depth_at: float | None = None

    def raised(self, at: float, visible: int, in_flight: int, depth: int, oldest_age_s: float | None = None) -> Maxima:
        """The maxima after these values at an instant."""
        ages = [age for age in (self.oldest_age_s, oldest_age_s) if age is not None]
        return Maxima(
            max(self.visible, visible),
            max(self.in_flight, in_flight),
            max(ages, default=None),
            max(self.depth, depth),
            at if depth > self.depth else self.depth_at,
        )


@dataclass(frozen=True, slots=True)
class Slots:
    """Slots of `slot_s` seconds from `origin_at` on, for series of values."""

    origin_at: float = 0.0
    slot_s: float = 0.25


@dataclass(frozen=True, slots=True)
class History(Slots):
    """The run up to `until_at`; all series have the same length.

    `visible` and `in_flight` are the deepest sample of each slot, `rows` the rows written in it, `heat` its stored
    objects by latency band (of another application: deleted messages and events that succeeded). `marks` are the
    instants of ticks.
    """

    until_at: float = 0.0
    visible: tuple[int, ...] = ()
    in_flight: tuple[int, ...] = ()
    rows: tuple[float, ...] = ()
    heat: tuple[tuple[int, ...], ...] = ()
    marks: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadView(Slots):
    """What a load test adds to a snapshot. It builds this whenever `Telemetry` takes one.

    `planned` and `stored` are objects (`unit`) in each slot, `heat` like `History.heat` but from the planned instant.
    `planned` may run ahead of now: it is the plan. `lag_s` is the generator's lag (p99), `objects` the plan's total.
    `verdict` says in one line what holds the pipeline back.
    """

    target: str
    planned: tuple[float, ...] = ()
    stored: tuple[float, ...] = ()
    heat: tuple[tuple[int, ...], ...] = ()
    objects: int | None = None
    sent: int = 0
    dropped: int = 0
    lag_s: float | None = None
    rate_planned: float = 0.0
    rate_sent: float = 0.0
    rate_stored: float = 0.0
    latency: Latency = field(default_factory=Latency)
    verdict: str | None = None
    verdict_tone: Tone = "plain"
    unit: Literal["object", "message"] = "object"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What observations have shown about a run.

    `first_at` is the first tick or put, `drained_at` the end of the drain (None before). `next_ticks` has the next
    instant of each of `Roles.schedules`, `next_tick_at` the first of them. `store` is the last sample of all counters;
    `last_written` the objects and rows of the generator's last invocation. `filtered` counts the messages that filter
    criteria deleted (of the pipeline's, those for objects). `events_done` and `events_given_up` count asynchronous
    events, of which `events_lost` were given up to no queue; `events_waiting` were neither when the drain ended.
    `faults` counts those that struck outside of a store in another process, by kind. `folding_errors` counts
    observations that telemetry itself failed on: zero, unless we have a bug. `conclusion` is None until the run is
    over.
    """

    phase: Phase = "starting"
    running_at: float | None = None
    first_at: float | None = None
    drained_at: float | None = None
    ticks: int = 0
    next_tick_at: float | None = None
    next_ticks: tuple[float | None, ...] = ()
    last_written: tuple[int, int] | None = None
    filtered: int = 0
    events_done: int = 0
    events_given_up: int = 0
    events_lost: int = 0
    events_waiting: int = 0
    store: StoreCounters | None = None
    maxima: Maxima = field(default_factory=Maxima)
    caption: Event | None = None
    audit_part: str | None = None
    audit_done: int = 0
    audit_total: int = 0
    audit_left_s: float | None = None
    faults: Mapping[str, int] = field(default_factory=dict)
    folding_errors: int = 0
    conclusion: Conclusion | None = None


def sums(names: Iterable[str], counters: Mapping[str, Counters], kind: type[Counters]) -> Counters:
    """The figures of the resources with these names, together."""
    return together(kind, (counters.get(name) or kind() for name in names))


@dataclass(frozen=True, kw_only=True)
class Along:
    """The store's counters of the parts that the data passes through, summed by kind; zeros before the first sample."""

    bucket: BucketCounters = field(default_factory=BucketCounters)
    queue: QueueCounters = field(default_factory=QueueCounters)
    dead_letter_queue: QueueCounters = field(default_factory=QueueCounters)
    table: TableCounters = field(default_factory=TableCounters)

    @staticmethod
    def of(roles: Roles, store: StoreCounters) -> Along:
        """The sums over the parts with these names."""
        return Along(
            bucket=sums(roles.buckets, store.buckets, BucketCounters),
            queue=sums(roles.queues, store.queues, QueueCounters),
            dead_letter_queue=sums(roles.dead_letter_queues, store.queues, QueueCounters),
            table=sums(roles.tables, store.tables, TableCounters),
        )


@dataclass(frozen=True)
class Snapshot(Facts, Along):
    """Everything there is to know about a run at the instant `at`.

    `generator` and `consumer` are the scheduled and the other functions of the data's way, summed; `functions` has each
    by its name. `latency` counts from sending a message until the invocation that stored its object returned.
    `deliveries` is None for the pipeline, which has its own proof. `interrupted`: the first Ctrl-C or SIGTERM has come,
    and the next one ends the run at once.
    """

    at: float
    options: RunOptions
    roles: Roles = field(default_factory=Roles)
    puts: int = 0
    put_bytes: int = 0
    generator: FunctionView = field(default_factory=FunctionView)
    consumer: FunctionView = field(default_factory=FunctionView)
    functions: Mapping[str, FunctionView] = field(default_factory=dict)
    deliveries: Deliveries | None = None
    rates: Rates = field(default_factory=Rates)
    latency: Latency = field(default_factory=Latency)
    history: History = field(default_factory=History)
    events: tuple[Event, ...] = ()
    failures: tuple[Cause, ...] = ()
    rejections: tuple[Cause, ...] = ()
    tick_failures: tuple[Cause, ...] = ()
    load: LoadView | None = None
    interrupted: bool = False

    @property
    def began_at(self) -> float:
        """When the run began; before that, when it began to start."""
        return self.options.started_at if self.running_at is None else self.running_at

    @property
    def faults_struck(self) -> Mapping[str, int]:
        """How many faults struck, by kind. A store in the same process counts all of them, too."""
        counted = self.store.faults if self.store is not None else {}
        return {kind: max(self.faults.get(kind, 0), counted.get(kind, 0)) for kind in sorted({*self.faults, *counted})}

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began; 0 before."""
        return max(0.0, self.at - self.running_at) if self.running_at is not None else 0.0

    @property
    def remaining(self) -> int:
        """Messages for objects that are neither deleted nor dead-lettered."""
        return max(0, self.queue.sent - self.queue.deleted - self.queue.dead_lettered)

    @property
    def rows_per_s_mean(self) -> float | None:
        """Rows written per second, from the first put (or write, of another application) to the last write.

        None before that. A shorter stretch counts as one second. The mean is never above the rows of the busiest whole
        second of the clock, which a stretch of a second or two can exceed, because it begins and ends within a second.
        """
        table, first_at = self.table, self.bucket.first_put_at
        if not table.rows_written or table.last_write_at is None or (first_at is None and self.roles.is_pipeline):
            return None
        begins = [at for at in (first_at, table.first_write_at) if at is not None]
        mean = table.rows_written / max(1.0, table.last_write_at - min(begins))
        return min(mean, table.rows_per_s_max) if table.rows_per_s_max else mean

    @property
    def rejected_rows(self) -> int:
        """Rows that the consumer rejected, by its own count."""
        return round(self.consumer.metrics.get("RowsRejected", 0))
