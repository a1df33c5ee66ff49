"""The five stages of the flow, each with a title, a name and its figures in order of importance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.base.counters import OperationCounters
from simulator.dashboard.figures import NONE, count, percent, rate, seconds, size, wait
from simulator.telemetry.snapshot import Snapshot, Tone


@dataclass(frozen=True, slots=True)
class Figure:
    """One labelled value. `number` is the count behind it, for places too narrow for the full text."""

    label: str
    value: str
    tone: Tone = "plain"
    number: float | None = None

    @classmethod
    def of(cls, label: str, number: float, tone: Tone = "plain", width: int = 7) -> Figure:
        """A count; `tone` applies if it is above zero."""
        return cls(label, count(number, width), tone if number else "plain", number)

    @classmethod
    def rate(cls, label: str, per_s: float) -> Figure:
        """A rate of something that moves."""
        return cls(label, rate(per_s), "moves" if per_s else "plain")


class Stage:
    """One stage of an object's path, with its figures in order of importance."""

    def __init__(self, title: str, name: str, *figures: Figure) -> None:
        self.title, self.name, self.figures = title, name, figures


NARROW_FIGURES = 5
"""How many of a stage's figures the smallest screen shows; wider screens show the rest."""


def stages(snapshot: Snapshot) -> tuple[Stage, ...]:
    """The stages from left to right."""
    return (_origin(snapshot), _bucket(snapshot), _queue(snapshot), _function(snapshot), _table(snapshot))


def dead_letters(snapshot: Snapshot) -> Stage | None:
    """The dead-letter queue and what is in it now; None if the template has none."""
    names = snapshot.roles.dead_letter_queues
    return Stage("DLQ", names[0], Figure.of("in DLQ", snapshot.dead_letter_queue.held, "lost")) if names else None


def _origin(snapshot: Snapshot) -> Stage:
    """Where the objects come from: a load test, a schedule, a source or a user of the endpoint."""
    options = snapshot.options
    if snapshot.load is not None:
        load = snapshot.load
        return Stage(
            "Arrivals",
            f"target {load.target}",
            Figure("planned/s", rate(load.rate_planned)),
            Figure.rate("sent/s", load.rate_sent),
            Figure.of("sent", load.sent),
            Figure.of("dropped", load.dropped, "lost"),
            Figure("lag p99", seconds(load.lag_s), "grows" if (load.lag_s or 0) > 0.1 else "plain"),
            Figure.rate("stored/s", load.rate_stored),
        )
    if options.schedule is not None:
        speed = f" ×{options.speed:g}" if options.speed != 1 else ""
        ticks = count(snapshot.ticks) if options.ticks is None else f"{snapshot.ticks}/{options.ticks}"
        next_s = None if snapshot.next_tick_at is None else snapshot.next_tick_at - snapshot.at
        generator = snapshot.generator
        return Stage(
            "EventBridge",
            options.schedule + speed,
            Figure("next in", wait(next_s)),
            Figure("ticks", ticks),
            Figure.of("running", generator.busy, "moves"),
            Figure("takes", seconds(generator.duration_mean_s)),
            Figure.of("failed", generator.errors, "lost"),
            Figure.of("cold starts", generator.cold_starts),
            Figure.of("throttles", generator.throttles, "grows"),
        )
    if options.objects is not None:
        return Stage(
            "Source",
            "real files",
            Figure.of("objects", options.objects),
            Figure.of("put", snapshot.puts, "moves" if snapshot.puts < options.objects else "plain"),
            Figure.of("to go", max(0, options.objects - snapshot.puts)),
            Figure("size", size(snapshot.put_bytes)),
        )
    return Stage("No schedule", "put your own", Figure("objects", count(snapshot.bucket.puts)))


def _named(names: Sequence[str]) -> str:
    """The name of the only part of a kind, or how many there are."""
    return names[0] if len(names) == 1 else f"{len(names)} of them" if names else ""


def _bucket(snapshot: Snapshot) -> Stage:
    bucket, written = snapshot.bucket, snapshot.last_written
    figures = [
        Figure.of("objects", bucket.objects),
        Figure("holds", size(bucket.size_bytes)),
        Figure.rate("puts/s", snapshot.rates.puts),
        Figure.of("rejected", snapshot.rejected_rows, "lost"),
        Figure.of("puts", bucket.puts),
    ]
    if snapshot.load is None:
        # The store's reads of all buckets: in a load test, most of them would be the raw ceiling's.
        operations = snapshot.store.operations if snapshot.store is not None else {}
        gets = operations.get("s3.GetObject", OperationCounters()).requests
        figures.insert(3, Figure("last tick", NONE if written is None else count(written[0])))
        figures.append(Figure.of("gets", gets))
    return Stage("S3", _named(snapshot.roles.buckets), *figures)


def _queue(snapshot: Snapshot) -> Stage:
    queue = snapshot.queue
    return Stage(
        "SQS",
        _named(snapshot.roles.queues),
        Figure.of("visible", queue.visible, "grows"),
        Figure.of("in flight", queue.in_flight, "moves"),
        Figure.of("delayed", queue.delayed),
        Figure("oldest", seconds(queue.oldest_age_s)),
        Figure("received/s", rate(snapshot.rates.received)),
        Figure("deleted/s", rate(snapshot.rates.deleted)),
    )


def _function(snapshot: Snapshot) -> Stage:
    function, roles = snapshot.consumer, snapshot.roles
    limit = function.concurrency or roles.concurrency_limit
    busy = count(function.busy) if limit is None else f"{function.busy}/{limit}"
    return Stage(
        "Lambda",
        _named(roles.consumers),
        Figure("busy", busy, "moves" if function.busy else "plain"),
        Figure.of("warm", max(0, function.environments - function.busy)),
        Figure.of("cold starts", function.cold_starts),
        Figure.of("errors", function.errors, "lost"),
        Figure.of("throttles", function.throttles, "grows"),
        Figure("takes", seconds(function.duration_mean_s)),
        Figure("batch", NONE if function.batch_mean is None else f"{function.batch_mean:.1f}"),
    )


def _table(snapshot: Snapshot) -> Stage:
    table, rates = snapshot.table, snapshot.rates
    return Stage(
        "DynamoDB",
        _named(snapshot.roles.tables),
        Figure.of("rows", table.rows, width=9),
        Figure.rate("rows/s", rates.rows),
        Figure.rate("writes/s", rates.batch_writes),
        Figure("units/s", rate(rates.write_units)),
        Figure("refused", percent(rates.throttled_share), "grows" if rates.throttled_share else "plain"),
        Figure.of("unprocessed", table.unprocessed_items, "grows"),
        Figure.of("throttled", table.throttled_requests, "grows"),
    )


def losses(snapshot: Snapshot) -> tuple[Figure, ...]:
    """Everything lost or refused, shown in one place even at zero."""
    figures = [
        ("dead-lettered", snapshot.queue.dead_lettered),
        ("rejected rows", snapshot.rejected_rows),
        ("failed ticks", snapshot.generator.errors),
        ("errors", snapshot.consumer.errors),
    ]
    if snapshot.load is not None:
        figures[2] = ("dropped", snapshot.load.dropped)
    if snapshot.folding_errors:
        figures.append(("not counted", snapshot.folding_errors))
    return tuple(Figure.of(label, number, "lost") for label, number in figures)
