"""Observations folded into snapshots: the one place that counts what happens in a run.

It owns no task and does no I/O. `record` is called between two steps of hot paths and only adds; `snapshot` does the
arithmetic, a few times a second. Nobody reads telemetry's own state, and nothing here is drawn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from simulator.base import limits
from simulator.base.counters import BucketCounters, QueueCounters, StoreCounters, TableCounters
from simulator.base.observations import (
    AuditProgressed,
    EnvironmentRetired,
    EnvironmentStarted,
    InvocationEnded,
    InvocationStarted,
    InvocationThrottled,
    LogWritten,
    MessageSettled,
    Noted,
    ObjectPut,
    Observation,
    Phase,
    PhaseChanged,
    PollersScaled,
    StoreSampled,
    TickFired,
)
from simulator.stack.model import Stack
from simulator.telemetry.events import EventLog, printable
from simulator.telemetry.functions import FunctionTotals
from simulator.telemetry.history import Course, Latencies
from simulator.telemetry.metrics import embedded_metrics
from simulator.telemetry.roles import Parts
from simulator.telemetry.snapshot import (
    LATENCY_BANDS_S,
    Event,
    FunctionView,
    History,
    Latency,
    LoadView,
    Maxima,
    Rates,
    Roles,
    RunOptions,
    Snapshot,
    Tone,
)

__all__ = [
    "LATENCY_BANDS_S",
    "Course",
    "Event",
    "FunctionView",
    "History",
    "Latencies",
    "Latency",
    "LoadView",
    "Maxima",
    "Rates",
    "Roles",
    "RunOptions",
    "Snapshot",
    "Telemetry",
    "Tone",
]

_PARTIAL_RESPONSE = "batch item failure"
_TONES: dict[str, Tone] = {"caption": "moves", "fault": "grows", "warning": "grows", "note": "plain"}


class Telemetry:
    """Folds the observations of one run of one stack.

    `load_view` is asked at each snapshot, with its instant, for what a load test adds.
    """

    def __init__(self, stack: Stack, options: RunOptions, load_view: Callable[[float], LoadView] | None = None) -> None:
        self._load_view = load_view
        self._options = options
        self._parts = Parts.of(stack)
        self._names = {key: function.name for key, function in stack.functions.items()}
        self._mapped = {key: mapping.function for key, mapping in stack.mappings.items()}
        self._functions: dict[str, FunctionTotals] = {key: FunctionTotals() for key in stack.functions}
        self._phase: Phase = "starting"
        self._running_at: float | None = None
        self._first_at: float | None = None
        self._drained_at: float | None = None
        self._ticks = 0
        self._next_tick_at: float | None = None
        self._last_written: tuple[int, int] | None = None
        self._puts = 0
        self._put_bytes = 0
        self._course = self._new_course(options.started_at)
        self._latencies = Latencies()
        self._events = EventLog()
        self._caption: Event | None = None
        self._audit: tuple[str | None, int, int] = (None, 0, 0)
        self._store: StoreCounters | None = None
        self._sampled_at = options.started_at
        self._maxima = Maxima()
        self._window: deque[_Sample] = deque()
        self._folding_errors = 0
        self._folds: dict[type, Callable[[Any], None]] = {
            PhaseChanged: self._phase_changed,
            TickFired: self._tick_fired,
            ObjectPut: self._object_put,
            PollersScaled: self._pollers_scaled,
            EnvironmentStarted: self._environment_started,
            EnvironmentRetired: self._environment_retired,
            InvocationStarted: self._invocation_started,
            InvocationEnded: self._invocation_ended,
            InvocationThrottled: self._invocation_throttled,
            MessageSettled: self._message_settled,
            LogWritten: self._log_written,
            StoreSampled: self._store_sampled,
            AuditProgressed: self._audit_progressed,
            Noted: self._noted,
        }

    def record(self, observation: Observation) -> None:
        """Count an observation; the `Record` of every room. Never raises: a failure of ours is counted instead."""
        fold = self._folds.get(type(observation))
        if fold is None:
            return
        try:
            fold(observation)
        except Exception:  # noqa: BLE001 - whoever records must not fail because counting did
            self._folding_errors += 1

    def located(self, endpoint: str) -> None:
        """The store listens: `endpoint` is shown from now on."""
        self._options = replace(self._options, endpoint=endpoint)

    def snapshot(self, now: float) -> Snapshot:
        """Everything as of `now`."""
        store = self._store or StoreCounters(at=now)
        parts, roles = self._parts, self._parts.roles
        functions = self._function_views()
        part, done, total = self._audit
        return Snapshot(
            at=now,
            options=self._options,
            roles=roles,
            phase=self._phase,
            running_at=self._running_at,
            first_at=self._first_at,
            drained_at=self._drained_at,
            ticks=self._ticks,
            next_tick_at=self._next_tick_at,
            last_written=self._last_written,
            puts=self._puts,
            put_bytes=self._put_bytes,
            generator=functions.get(parts.generator or "", FunctionView()),
            consumer=functions.get(parts.consumer or "", FunctionView()),
            functions=functions,
            store=self._store,
            bucket=store.buckets.get(roles.bucket or "", BucketCounters()),
            queue=store.queues.get(roles.queue or "", QueueCounters()),
            dead_letter_queue=store.queues.get(roles.dead_letter_queue or "", QueueCounters()),
            table=store.tables.get(roles.table or "", TableCounters()),
            rates=self._rates(),
            maxima=self._maxima,
            latency=self._latencies.view(),
            # After the end of the drain nothing moves: the charts stand still there.
            history=self._course.view(min(self._sampled_at, self._drained_at or now)),
            events=self._events.view(),
            caption=self._caption,
            audit_part=part,
            audit_done=done,
            audit_total=total,
            load=self._load_view(now) if self._load_view is not None else None,
            folding_errors=self._folding_errors,
        )

    # One method an observation.

    def _phase_changed(self, change: PhaseChanged) -> None:
        self._phase = change.phase
        if change.phase == "running" and self._running_at is None:
            self._running_at = change.at
            self._course = self._new_course(change.at)
        elif change.phase == "draining":
            self._next_tick_at = None
            self._events.add(change.at, "draining: what is on its way is finished, nothing new begins")
        elif change.phase in ("auditing", "done") and self._drained_at is None and self._running_at is not None:
            self._drained_at = change.at

    def _tick_fired(self, tick: TickFired) -> None:
        self._began(tick.at)
        self._ticks += 1
        self._next_tick_at = tick.next_at
        self._course.mark(tick.at)

    def _object_put(self, put: ObjectPut) -> None:
        self._began(put.at)
        self._puts += 1
        self._put_bytes += put.size_bytes

    def _pollers_scaled(self, scaled: PollersScaled) -> None:
        function = self._mapped[scaled.mapping]
        before = self._functions[function].concurrency
        self._functions[function].concurrency = scaled.concurrency
        if before is not None and before != scaled.concurrency:
            text = f"pollers of {self._names[function]}: {scaled.concurrency} batches at once"
            self._events.add(scaled.at, text, key=f"pollers {function}")

    def _environment_started(self, started: EnvironmentStarted) -> None:
        self._functions[started.function].opened(started.environment)
        text = f"{self._names[started.function]} environment {started.environment}"
        text += f": cold start {started.init_s * 1000:,.0f} ms"
        self._events.add(started.at, text, key=f"cold {started.function}")

    def _environment_retired(self, retired: EnvironmentRetired) -> None:
        self._functions[retired.function].retired(retired.environment)
        if self._phase == "running":
            text = f"{self._names[retired.function]} environment {retired.environment} gone: {retired.reason}"
            self._events.add(retired.at, text, key=f"retired {retired.function} {retired.reason}")

    def _invocation_started(self, invocation: InvocationStarted) -> None:
        self._functions[invocation.function].started(invocation)

    def _invocation_ended(self, invocation: InvocationEnded) -> None:
        self._functions[invocation.function].finished(invocation)
        if invocation.outcome != "success":
            cause = ": ".join(filter(None, (invocation.error_type, invocation.error_message))) or invocation.outcome
            text = f"{self._names[invocation.function]} failed: {cause}"
            self._events.add(
                invocation.at,
                text,
                "lost",
                key=f"failed {invocation.function} {invocation.outcome} {invocation.error_type}",
            )

    def _invocation_throttled(self, throttle: InvocationThrottled) -> None:
        self._functions[throttle.function].throttles += 1
        text = f"{self._names[throttle.function]} throttled: {throttle.reason}"
        self._events.add(throttle.at, text, "grows", key=f"throttled {throttle.function}")

    def _message_settled(self, message: MessageSettled) -> None:
        if message.deleted:
            if '"Records"' in message.body:
                latency_s = message.at - message.sent_at
                self._latencies.add(latency_s)
                self._course.add_latency(message.at, max(0.0, latency_s))
            return
        if message.reason == _PARTIAL_RESPONSE:
            self._functions[self._mapped[message.mapping]].left += 1
        text = f"message left in {message.queue}, received {message.receive_count} times: {message.reason}"
        self._events.add(message.at, text, "grows", key=f"left {message.queue} {message.reason}")

    def _log_written(self, log: LogWritten) -> None:
        metrics = embedded_metrics(log.line)
        if not metrics:
            return
        self._functions[log.function].metrics.update(metrics)
        if "FilesWritten" in metrics:
            self._last_written = round(metrics["FilesWritten"]), round(metrics.get("RowsGenerated", 0))
            text = f"{self._names[log.function]} wrote {_count(self._last_written[0], 'object')}"
            self._events.add(log.at, f"{text}, {_count(self._last_written[1], 'row')}", "moves")
        if metrics.get("RowsRejected"):
            text = f"{self._names[log.function]} rejected rows"
            self._events.add(log.at, text, "lost", count=round(metrics["RowsRejected"]))

    def _audit_progressed(self, progress: AuditProgressed) -> None:
        self._audit = printable(progress.part), progress.done, progress.total

    def _noted(self, note: Noted) -> None:
        tone = _TONES[note.kind]
        self._events.add(note.at, note.text, tone)
        if note.kind == "caption":
            self._caption = Event(note.at, printable(note.text), tone)

    def _store_sampled(self, sample: StoreSampled) -> None:
        roles, counters, before = self._parts.roles, sample.counters, self._store
        queue = counters.queues.get(roles.queue or "", QueueCounters())
        table = counters.tables.get(roles.table or "", TableCounters())
        self._course.sample_depth(sample.at, queue.visible, queue.in_flight)
        if before is not None:
            self._announce_losses(sample.at, before, counters)
            written = table.rows_written - before.tables.get(roles.table or "", TableCounters()).rows_written
            if written:
                self._course.add_rows(self._sampled_at, sample.at, written)
        self._store, self._sampled_at = counters, sample.at
        self._window.append(_Sample(sample.at, counters, self._function_figures()))
        while len(self._window) > 2 and self._window[1].at <= sample.at - limits.RATE_WINDOW_S:
            self._window.popleft()
        held, depth = self._maxima, queue.visible + queue.in_flight
        ages = [age for age in (held.oldest_age_s, queue.oldest_age_s) if age is not None]
        self._maxima = Maxima(
            visible=max(held.visible, queue.visible),
            in_flight=max(held.in_flight, queue.in_flight),
            oldest_age_s=max(ages, default=None),
            depth=max(held.depth, depth),
            depth_at=sample.at if depth > held.depth else held.depth_at,
            rows_per_s=max(held.rows_per_s, table.rows_per_s_max),
        )

    # What the methods above share.

    def _began(self, at: float) -> None:
        if self._first_at is None:
            self._first_at = at

    def _new_course(self, origin_at: float) -> Course:
        options = self._options
        endless = options.duration_s is None and options.ticks is None and options.objects is None
        return Course(origin_at, limits.HISTORY_KEEP_S if endless else None)

    def _announce_losses(self, at: float, before: StoreCounters, now: StoreCounters) -> None:
        """Tell of what the store did between two samples that nobody else observes."""
        for name, queue in now.queues.items():
            moved = queue.dead_lettered - before.queues.get(name, QueueCounters()).dead_lettered
            if moved > 0:
                text = f"moved from {name} to its dead-letter queue: received too often"
                self._events.add(at, text, "lost", count=moved)
        for name, table in now.tables.items():
            throttled = table.throttled_requests - before.tables.get(name, TableCounters()).throttled_requests
            if throttled > 0:
                self._events.add(at, f"table {name} throttled requests", "grows", count=throttled)

    def _function_figures(self) -> dict[str, tuple[int, int, float]]:
        return {key: (held.ended, held.messages, held.duration_s) for key, held in self._functions.items()}

    def _function_views(self) -> dict[str, FunctionView]:
        now = self._function_figures()
        first = self._window[0] if self._window else None
        views = {}
        for key, totals in self._functions.items():
            figures = now[key]
            before = first.functions[key] if first is not None else (0, 0, 0.0)
            window_s = self._window[-1].at - first.at if first is not None else 0.0
            ended, messages, duration_s = (b - a for a, b in zip(before, figures, strict=True))
            views[key] = totals.view(ended, messages, duration_s, window_s)
        return views

    def _rates(self) -> Rates:
        if len(self._window) < 2:
            return Rates()
        first, last = self._window[0], self._window[-1]
        window_s = last.at - first.at
        if window_s <= 0:
            return Rates()
        roles = self._parts.roles
        tables = [sample.counters.tables.get(roles.table or "", TableCounters()) for sample in (first, last)]
        queues = [sample.counters.queues.get(roles.queue or "", QueueCounters()) for sample in (first, last)]
        buckets = [sample.counters.buckets.get(roles.bucket or "", BucketCounters()) for sample in (first, last)]
        requests = tables[1].batch_writes - tables[0].batch_writes
        throttled = tables[1].throttled_requests - tables[0].throttled_requests
        return Rates(
            rows=(tables[1].rows_written - tables[0].rows_written) / window_s,
            batch_writes=requests / window_s,
            write_units=(tables[1].write_units - tables[0].write_units) / window_s,
            throttled_share=min(1.0, throttled / requests) if requests > 0 else float(throttled > 0),
            puts=(buckets[1].puts - buckets[0].puts) / window_s,
            received=(queues[1].received - queues[0].received) / window_s,
            deleted=(queues[1].deleted - queues[0].deleted) / window_s,
        )


class _Sample:
    """The store's counters and the functions' figures at one instant."""

    __slots__ = ("at", "counters", "functions")

    def __init__(self, at: float, counters: StoreCounters, functions: dict[str, tuple[int, int, float]]) -> None:
        self.at = at
        self.counters = counters
        self.functions = functions


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
