"""The stages of the flow, each with a title, a name and its figures in order of importance. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from simulator.base.counters import BucketCounters, OperationCounters, QueueCounters, StoreCounters, TableCounters
from simulator.dashboard.figures import NONE, count, percent, rate, seconds, size, wait
from simulator.telemetry.snapshot import FunctionView, Snapshot, Tone


@dataclass(frozen=True, slots=True)
class Figure:
    """One labelled value. `number` is the count behind it, for places too narrow for the full text."""

    label: str
    value: str
    tone: Tone = "plain"
    number: float | None = None

    def __str__(self) -> str:
        return f"{self.label} {self.value}"

    @classmethod
    def of(cls, label: str, number: float, tone: Tone = "plain", width: int = 7) -> Figure:
        """A count; `tone` applies if it is above zero."""
        return cls(label, count(number, width), tone if number else "plain", number)

    @classmethod
    def rate(cls, label: str, per_s: float) -> Figure:
        """A rate of something that moves."""
        return cls(label, rate(per_s), "moves" if per_s else "plain")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the data's way, with its figures in order of importance.

    Of several parts of a `kind`, `parts` has a figure each, the `name` says of what, and `figures` are of all together.
    `leads`: there is an arrow to the next stage.
    """

    kind: str
    title: str
    name: str
    figures: tuple[Figure, ...]
    parts: tuple[Figure, ...] = ()
    leads: bool = True

    @classmethod
    def of(cls, kind: str, title: str, name: str, *figures: Figure, parts: Iterable[Figure] | None = None) -> Stage:
        """A stage whose parts have their names as labels. The name of a single one replaces `name`."""
        shown = [Figure(name, "")] if parts is None else list(parts)
        if len(shown) < 2:
            return cls(kind, title, "".join(part.label for part in shown), figures)
        # Without its number, a value is not shortened: the name gives way.
        return cls(kind, f"{title} {len(shown)}", name, figures, tuple(replace(part, number=None) for part in shown))

    def rows(self, height: int) -> list[Figure | None]:
        """Exactly so many rows: the parts, the last ones only counted if they do not fit, then the figures."""
        parts, more = self.parts, len(self.parts) - height
        if more > 0:
            parts = (*parts[: height - 1], Figure(f"and {more + 1} more", ""))
        return [*parts, *self.figures, *[None] * height][:height]


NARROW_FIGURES = 5
"""How many of a stage's figures the smallest screen shows; wider screens show the rest."""


_JOINED = {
    *(("object", "bucket"), ("message", "queue"), ("event", "function"), ("queue", "function")),
    *(("function", "table"), ("function", "bucket")),
}
"""Where data goes in any application, also what the run sends itself; a bucket that notifies nobody comes last."""
_OWN = ("last tick", "rejected", "writes/s", "refused")
"""Figures of the pipeline alone: another application may reject nothing and write without batches."""


def stages(snapshot: Snapshot) -> tuple[Stage, ...]:
    """The stages from left to right: all five of the pipeline, of another application those that it has."""
    roles = snapshot.roles
    way = [_origin(snapshot), _bucket(snapshot), _queue(snapshot), _function(snapshot), _table(snapshot)]
    if roles.is_pipeline:
        return (*way[:-1], replace(way[-1], leads=False))
    if not any(giver == "bucket" for giver, _ in roles.joined):
        way.append(way.pop(1))
    joined = {*roles.joined, *_JOINED}
    way = [stage for stage in way if stage.name]
    return tuple(
        replace(
            stage,
            figures=tuple(figure for figure in stage.figures if figure.label not in _OWN),
            leads=after is not None and (stage.kind == "anywhere" or (stage.kind, after.kind) in joined),
        )
        for stage, after in zip_longest(way, way[1:])
    )


def dead_letters(snapshot: Snapshot) -> Stage | None:
    """The dead-letter queues and what is in them now, those with messages first; None if the template has none."""
    queues, names = _store(snapshot).queues, snapshot.roles.dead_letter_queues
    held = [(queues.get(name, QueueCounters()).held, _label(snapshot, name)) for name in names]
    parts = [Figure.of(name, number) for number, name in sorted(held, key=lambda each: not each[0])]
    figure = Figure.of("in DLQ", snapshot.dead_letter_queue.held, "lost")
    stage = Stage.of("dead letters", "DLQ", ", ".join(part.label for part in parts), figure, parts=parts)
    return stage if names else None


def _label(snapshot: Snapshot, name: str) -> str:
    """A part's name, with an ellipsis for how most of an application's names begin, such as CloudFormation's."""
    roles, leads = snapshot.roles, [name[: end + 1] for end, sign in enumerate(name) if sign in "-_"]
    names = [*roles.buckets, *roles.queues, *roles.dead_letter_queues, *roles.consumers, *roles.tables]
    often = [lead for lead in leads if 2 * sum(each.startswith(lead) for each in names) > len(names)]
    return f"…{name.removeprefix(often[-1])}" if often and not roles.is_pipeline else name


def anchor(shown: Sequence[Stage]) -> int:
    """Which stage gives up to the dead-letter queues: the queues, or without any the functions."""
    kinds = [stage.kind for stage in shown]
    return next((kinds.index(kind) for kind in ("queue", "function") if kind in kinds), 0)


def _origin(snapshot: Snapshot) -> Stage:
    """Where the data come from: a load test, a schedule, what the run sends itself, or a user of the endpoint."""
    options, roles = snapshot.options, snapshot.roles
    if snapshot.load is not None:
        load = snapshot.load
        return Stage.of(
            load.unit,
            "Arrivals",
            f"target {load.target}",
            Figure("planned/s", rate(load.rate_planned)),
            Figure.rate("sent/s", load.rate_sent),
            Figure.of("sent", load.sent),
            Figure.of("dropped", load.dropped, "lost"),
            Figure("lag p99", seconds(load.lag_s), "grows" if (load.lag_s or 0) > 0.1 else "plain"),
            Figure.rate("stored/s" if roles.is_pipeline else "done/s", load.rate_stored),
        )
    if options.schedule is not None:
        speed = f" ×{options.speed:g}" if options.speed != 1 else ""
        ticks = count(snapshot.ticks) if options.ticks is None else f"{snapshot.ticks}/{options.ticks}"
        generator, at, next_at = snapshot.generator, snapshot.at, snapshot.next_tick_at
        figures = [
            Figure("ticks", ticks),
            Figure.of("running", generator.busy, "moves"),
            Figure("takes", seconds(generator.duration_mean_s)),
            Figure.of("failed", generator.errors, "lost"),
            Figure.of("cold starts", generator.cold_starts),
            Figure.of("throttles", generator.throttles, "grows"),
        ]
        if {function for _, function in roles.schedules} <= {*roles.consumers}:
            del figures[1:]  # these functions have their own stage
        if len(roles.schedules) > 1:
            due = zip_longest((expression for expression, _ in roles.schedules), snapshot.next_ticks)
            parts = [Figure(expression, wait(each_at and each_at - at)) for expression, each_at in due]
            return Stage.of("schedule", "EventBridge", f"next in{speed}", *figures, parts=parts)
        figures.insert(0, Figure("next in", wait(next_at and next_at - at)))
        return Stage.of("schedule", "EventBridge", options.schedule + speed, *figures)
    if options.sends:
        total, files = sum(options.sends.values()), options.objects is not None
        return Stage.of(
            next(iter(options.sends)),
            "Source",
            "real files" if files else "your own",
            *(Figure.of(f"{kind}s", number) for kind, number in options.sends.items()),
            Figure.of("put" if files else "sent", snapshot.puts, "moves" if snapshot.puts < total else "plain"),
            Figure.of("to go", max(0, total - snapshot.puts)),
            *([Figure("size", size(snapshot.put_bytes))] if files else []),
        )
    title = "No schedule" if roles.is_pipeline else "Endpoint"
    if roles.is_pipeline or any(giver == "bucket" for giver, _ in roles.joined):
        return Stage.of("anywhere", title, "put your own", Figure("objects", count(snapshot.bucket.puts)))
    return Stage.of("anywhere", title, "send your own", Figure("messages", count(snapshot.queue.sent)))


def _store(snapshot: Snapshot) -> StoreCounters:
    return snapshot.store or StoreCounters(snapshot.at)


def _bucket(snapshot: Snapshot) -> Stage:
    bucket, written, store = snapshot.bucket, snapshot.last_written, _store(snapshot)
    figures = [
        Figure.of("objects", bucket.objects),
        Figure("holds", size(bucket.size_bytes)),
        Figure.rate("puts/s", snapshot.rates.puts),
        Figure.of("rejected", snapshot.rejected_rows, "lost"),
        Figure.of("puts", bucket.puts),
    ]
    if snapshot.load is None:
        # The store's reads of all buckets: in a load test, most of them would be the raw ceiling's.
        figures.insert(3, Figure("last tick", NONE if written is None else count(written[0])))
        figures.append(Figure.of("gets", store.operations.get("s3.GetObject", OperationCounters()).requests))
    held = [(_label(snapshot, name), store.buckets.get(name, BucketCounters())) for name in snapshot.roles.buckets]
    return Stage.of("bucket", "S3", "objects", *figures, parts=[Figure.of(name, one.objects) for name, one in held])


def _queue(snapshot: Snapshot) -> Stage:
    queue, queues = snapshot.queue, _store(snapshot).queues
    held = [(_label(snapshot, name), queues.get(name, QueueCounters())) for name in snapshot.roles.queues]
    return Stage.of(
        "queue",
        "SQS",
        "messages",
        Figure.of("visible", queue.visible, "grows"),
        Figure.of("in flight", queue.in_flight, "moves"),
        Figure.of("delayed", queue.delayed),
        Figure("oldest", seconds(queue.oldest_age_s)),
        Figure("received/s", rate(snapshot.rates.received)),
        Figure("deleted/s", rate(snapshot.rates.deleted)),
        parts=(Figure.of(name, one.visible + one.in_flight, "grows" if one.visible else "moves") for name, one in held),
    )


def _function(snapshot: Snapshot) -> Stage:
    function, roles = snapshot.consumer, snapshot.roles
    held = [(_label(snapshot, name), snapshot.functions.get(name, FunctionView())) for name in roles.consumers]
    # Of several, each has its own limit.
    limit = (function.concurrency or roles.concurrency_limit) if len(roles.consumers) < 2 else None
    busy = count(function.busy) if limit is None else f"{function.busy}/{limit}"
    return Stage.of(
        "function",
        "Lambda",
        "invocations",
        Figure("busy", busy, "moves" if function.busy else "plain"),
        Figure.of("warm", max(0, function.environments - function.busy)),
        Figure.of("cold starts", function.cold_starts),
        Figure.of("errors", function.errors, "lost"),
        Figure.of("throttles", function.throttles, "grows"),
        Figure("takes", seconds(function.duration_mean_s)),
        Figure("batch", NONE if function.batch_mean is None else f"{function.batch_mean:.1f}"),
        parts=(_invocations(*one) for one in held),
    )


def _invocations(name: str, function: FunctionView) -> Figure:
    """Its invocations; its errors instead as soon as there are any."""
    if function.errors:
        return Figure(name, f"{count(function.errors, 4)} error{'s' * (function.errors > 1)}", "lost")
    return Figure.of(name, function.invocations, "moves" if function.busy else "plain")


def _table(snapshot: Snapshot) -> Stage:
    table, rates, tables = snapshot.table, snapshot.rates, _store(snapshot).tables
    items = "rows" if snapshot.roles.is_pipeline else "items"
    held = [(_label(snapshot, name), tables.get(name, TableCounters()).rows) for name in snapshot.roles.tables]
    return Stage.of(
        "table",
        "DynamoDB",
        items,
        Figure.of(items, table.rows, width=9),
        Figure.rate(f"{items}/s", rates.rows),
        Figure.rate("writes/s", rates.batch_writes),
        Figure("units/s", rate(rates.write_units)),
        Figure("refused", percent(rates.throttled_share), "grows" if rates.throttled_share else "plain"),
        Figure.of("unprocessed", table.unprocessed_items, "grows"),
        Figure.of("throttled", table.throttled_requests, "grows"),
        parts=[Figure.of(name, rows, width=9) for name, rows in held],
    )


def losses(snapshot: Snapshot) -> tuple[Figure, ...]:
    """Everything lost or refused, shown in one place even at zero."""
    figures = [
        ("dead-lettered", snapshot.queue.dead_lettered),
        ("rejected rows", snapshot.rejected_rows),
        ("failed ticks", snapshot.generator.errors),
        ("errors", snapshot.consumer.errors),
    ]
    if not snapshot.roles.is_pipeline:
        errors = sum(function.errors for function in snapshot.functions.values())
        figures[1:] = [("failed events", snapshot.events_given_up), ("errors", errors)]
    if snapshot.load is not None:
        figures[2 : 3 if snapshot.roles.is_pipeline else 2] = [("dropped", snapshot.load.dropped)]
    if snapshot.folding_errors:
        figures.append(("not counted", snapshot.folding_errors))
    return tuple(Figure.of(label, number, "lost") for label, number in figures)
