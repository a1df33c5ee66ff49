"""Folds observations into snapshots: the one place that counts what happens in a run.

It owns no task and does no I/O. Hot paths call `record`, which only adds; `snapshot` does the arithmetic, a few times
per second. Other rooms see only snapshots, never the state in here, and nothing here draws.
"""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from simulator.base import limits, observations
from simulator.base.counters import QueueCounters, StoreCounters, TableCounters, is_test_event
from simulator.base.observations import Observation
from simulator.base.shown import printable
from simulator.base.words import counted
from simulator.proof.ledgers import Ledgers
from simulator.proof.notifications import objects_of
from simulator.stack.model import Stack
from simulator.stack.settings import parameters_behind
from simulator.stack.wiring import flow, own_path
from simulator.telemetry import functions
from simulator.telemetry.events import EventLog
from simulator.telemetry.failures import PARTIAL_RESPONSE, Failures, LastDelivery, cause_of, cause_of_throttle
from simulator.telemetry.functions import Ended, FunctionTotals
from simulator.telemetry.history import Course, Latencies
from simulator.telemetry.ledger import Ledger
from simulator.telemetry.metrics import embedded_document
from simulator.telemetry.reasons import Causes
from simulator.telemetry.rejections import Rejections
from simulator.telemetry.roles import consumers, generators, roles
from simulator.telemetry.settlements import Settlements
from simulator.telemetry.snapshot import Along, Conclusion, Event, Facts, LoadView, Rates, RunOptions, Snapshot, Tone

_TONES: Mapping[str, Tone] = {
    **dict.fromkeys(("caption", "progress"), "moves"),
    **dict.fromkeys(("fault", "warning"), "grows"),
    "note": "plain",
}


class Telemetry:
    """Folds the observations of one run of one stack. `failed` says why a message failed, see `Settlements.failed`.

    Each snapshot calls `load_view` with its instant, for what a load test adds, and `interrupted` for whether the first
    signal has come.
    """

    def __init__(
        self,
        stack: Stack,
        options: RunOptions,
        load_view: Callable[[float], LoadView] | None = None,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._load_view, self._interrupted = load_view, interrupted
        self._options = options
        path, parts = own_path(stack), flow(stack)
        self._roles = roles(stack, parts, options.invoked)
        self._mapped = {key: mapping.function for key, mapping in stack.mappings.items()}
        self._functions = {key: FunctionTotals(function.name) for key, function in stack.functions.items()}
        enabled = (key for key, schedule in stack.schedules.items() if schedule.enabled)
        self._next_ticks: dict[str, float | None] = dict.fromkeys(enabled)
        self._generators = generators(stack, parts, options.invoked)
        self._consumers = consumers(stack, parts, options.invoked)
        self._ledger = Ledger(stack, path) if path is not None else None
        self._settlements = Settlements(stack, parts)
        self.failed = self._settlements.failed
        self._facts = Facts()
        self._puts = self._put_bytes = self._in_hand = 0
        self._course = self._new_course(options.started_at)
        self._latencies = Latencies()
        parameters = {name: parameters_behind(stack, name) for name in self._consumers}
        self._polls = {(mapping.queue, mapping.function) for mapping in stack.mappings.values()}
        self._queues = parts.queues
        self._failures = {
            queue.logical_id: Failures(
                ChainMap(*(known for name, known in parameters.items() if (queue.logical_id, name) in self._polls)),
                queue.redrive.maximum_receives if queue.redrive else None,
            )
            for queue in parts.queues
        }
        self._rejections = Rejections(parameters[path.consumer.logical_id] if path is not None else {})
        self._tick_failures = Causes()
        self._causes: dict[tuple[str, str], str] = {}
        self._events = EventLog()
        self._sampled_at = options.started_at
        self._window: deque[_Sample] = deque()
        self._folds: dict[type, Callable[[Any], None]] = {
            observations.PhaseChanged: self._phase_changed,
            observations.TickFired: self._tick_fired,
            observations.ObjectPut: self._object_put,
            observations.MessageSent: self._message_sent,
            observations.PollersScaled: self._pollers_scaled,
            observations.EnvironmentStarted: self._environment_started,
            observations.EnvironmentRetired: self._environment_retired,
            observations.InvocationStarted: lambda started: self._functions[started.function].started(started),
            observations.InvocationEnded: self._invocation_ended,
            observations.InvocationThrottled: self._invocation_throttled,
            observations.EventSettled: self._event_settled,
            observations.MessagesReceived: self._messages_received,
            observations.MessageSettled: self._message_settled,
            observations.LogWritten: self._log_written,
            observations.StoreSampled: self._store_sampled,
            observations.AuditProgressed: self._audit_progressed,
            observations.FaultStruck: self._fault_struck,
            observations.Noted: self._noted,
        }

    def record(self, observation: Observation) -> None:
        """Count an observation; this is the `Record` of every room. Never raises: it counts its own failures."""
        if (fold := self._folds.get(type(observation))) is None:
            return
        try:
            fold(observation)
        except Exception:  # noqa: BLE001 - a caller must not fail because counting did
            self._learn(folding_errors=self._facts.folding_errors + 1)

    def located(self, endpoint: str) -> None:
        """The store listens at `endpoint`; show it from now on."""
        self._options = replace(self._options, endpoint=endpoint)

    def concluded(self, conclusion: Conclusion) -> None:
        """The run is over; show its conclusion from now on."""
        self._learn(conclusion=conclusion)

    @property
    def failed_for_good(self) -> Mapping[str, LastDelivery]:
        """Messages in the queues that cannot succeed, by id: their function said so at the last delivery."""
        return ChainMap(*(failures.for_good for failures in self._failures.values()))

    def snapshot(self, now: float) -> Snapshot:
        """The state of the run as of `now`."""
        store = self._facts.store or StoreCounters(at=now)
        along = Along.of(self._roles, store)
        before = self._window[0].ended if self._window else {}
        views = {key: function.view(before.get(key, Ended())) for key, function in self._functions.items()}
        return Snapshot(
            **vars(self._facts),
            **vars(along),
            at=now,
            options=self._options,
            roles=self._roles,
            puts=self._puts,
            put_bytes=self._put_bytes,
            generator=functions.together(views[key] for key in self._generators),
            consumer=functions.together(views[key] for key in self._consumers),
            functions={self._functions[key].name: view for key, view in views.items()},
            deliveries=None
            if self._roles.is_pipeline
            else self._settlements.view(along.queue, store, self._facts, self._in_hand),
            rates=self._rates(now),
            latency=self._latencies.view(),
            # Nothing moves after the drain, so the charts end there.
            history=self._course.view(min(self._sampled_at, self._facts.drained_at or now)),
            events=self._events.view(),
            failures=tuple(cause for failures in self._failures.values() for cause in failures.view()),
            rejections=self._rejections.view(),
            tick_failures=self._tick_failures.view({}),
            load=self._load_view(now) if self._load_view is not None else None,
            interrupted=self._interrupted(),
        )

    def ledgers(self, counted_rows: int | None) -> Ledgers:
        """What producer and consumer report, for the proof; `counted_rows` is the number of rows the store accepted."""
        return self._ledger.view(counted_rows) if self._ledger is not None else Ledgers()

    # One method per observation.

    def _phase_changed(self, change: observations.PhaseChanged) -> None:
        facts = self._facts
        self._learn(phase=change.phase, events_waiting=change.events_waiting or facts.events_waiting)
        if change.phase == "running" and facts.running_at is None:
            self._learn(running_at=change.at)
            self._course = self._new_course(change.at)
        elif change.phase == "draining":
            self._learn(next_tick_at=None, next_ticks=())
            self._events.add(change.at, "draining: finishing what is in flight, accepting nothing new")
        elif change.phase in ("auditing", "done") and facts.drained_at is None and facts.running_at is not None:
            self._learn(drained_at=change.at)

    def _tick_fired(self, tick: observations.TickFired) -> None:
        self._began(tick.at)
        self._next_ticks[tick.schedule] = tick.next_at
        next_at = min((at for at in self._next_ticks.values() if at is not None), default=None)
        self._learn(ticks=self._facts.ticks + 1, next_tick_at=next_at, next_ticks=tuple(self._next_ticks.values()))
        if self._ledger is not None:
            self._ledger.fired(tick)
        self._course.mark(tick.at)

    def _object_put(self, put: observations.ObjectPut) -> None:
        self._began(put.at)
        self._puts += 1
        if self._ledger is not None:
            self._ledger.put(put)
        self._put_bytes += put.size_bytes

    def _message_sent(self, sent: observations.MessageSent) -> None:
        self._began(sent.at)
        self._puts += 1

    def _pollers_scaled(self, scaled: observations.PollersScaled) -> None:
        function = self._functions[self._mapped[scaled.mapping]]
        if function.scaled(scaled.concurrency):
            text = f"pollers of {function.name}: {counted(scaled.concurrency, 'batch', 'batches')} at once"
            self._events.add(scaled.at, text, key=f"pollers {function.name}")

    def _environment_started(self, started: observations.EnvironmentStarted) -> None:
        function = self._functions[started.function]
        function.opened(started.environment)
        text = f"{function.name} environment {started.environment}: cold start {started.init_s * 1000:,.0f} ms"
        self._events.add(started.at, text, key=f"cold {started.function}")

    def _environment_retired(self, retired: observations.EnvironmentRetired) -> None:
        function = self._functions[retired.function]
        function.retired(retired.environment)
        if self._facts.phase == "running":
            text = f"{function.name} environment {retired.environment} ended: {retired.reason}"
            self._events.add(retired.at, text, key=f"retired {retired.function} {retired.reason}")

    def _invocation_ended(self, invocation: observations.InvocationEnded) -> None:
        function = self._functions[invocation.function]
        function.finished(invocation)
        if self._ledger is not None:
            self._ledger.ended(invocation)
        if invocation.outcome != "success":
            cause = self._causes[invocation.function, invocation.outcome] = cause_of(invocation)
            key = f"failed {invocation.function} {invocation.outcome} {invocation.error_type}"
            self._events.add(invocation.at, f"{function.name} failed: {cause}", "lost", key=key)
            if invocation.function not in self._mapped.values():
                self._tick_failures.group(f"{function.name}: {cause}", outcome=invocation.outcome).add(None)

    def _invocation_throttled(self, throttle: observations.InvocationThrottled) -> None:
        function = self._functions[throttle.function]
        function.throttles += 1
        self._causes[throttle.function, "throttled"] = cause_of_throttle(throttle)
        text = f"{function.name} throttled: {throttle.reason}"
        self._events.add(throttle.at, text, "grows", key=f"throttled {throttle.function}")

    def _messages_received(self, received: observations.MessagesReceived) -> None:
        """Update the maxima: perhaps no sample saw these messages visible, or in flight with the unsettled ones."""
        count = received.count - received.test_events
        if received.queue not in self._failures or not count:
            return
        held, self._in_hand = self._facts.maxima, self._in_hand + count
        self._course.glimpse_depth(received.at, 0, self._in_hand)
        if count > held.visible or self._in_hand > held.in_flight:
            self._learn(maxima=held.raised(received.at, count, self._in_hand, self._in_hand))

    def _message_settled(self, message: observations.MessageSettled) -> None:
        function, failures = self._mapped[message.mapping], self._failures.get(message.queue)
        # A mapping settles a whole batch right after its invocation, so the function's last cause is the cause here.
        cause = self._causes.get((function, message.reason), message.reason)
        is_test = is_test_event(message.body)
        if failures is not None and not is_test:
            self._settlements.settled(message, cause)
            self._in_hand -= 1
            held, age_s = self._facts.maxima, message.at - message.sent_at
            if age_s > (held.oldest_age_s or 0.0):
                self._learn(maxima=replace(held, oldest_age_s=age_s))
        failed = failures.settled(message, cause) if failures is not None else None
        objects = objects_of(message.body) if message.deleted and self._ledger is not None else ()
        if message.reason == observations.FILTERED:
            text = f"a message in {message.queue} was deleted: no filter of {message.mapping} matches it"
            self._events.add(message.at, text, "lost", key=f"filtered {message.mapping}")
            if failures is not None and (objects or self._ledger is None):
                self._learn(filtered=self._facts.filtered + 1)
                if self._ledger is not None:
                    self._ledger.filtered(objects, message.sent_at)
            return
        if message.deleted:
            if failures is not None and objects and self._ledger is not None:
                self._ledger.ingested(objects, message.sent_at)
            if objects or (self._ledger is None and not is_test):
                self._add_latency(message.at, message.at - message.sent_at)
            return
        if message.reason == PARTIAL_RESPONSE:
            self._functions[function].left += 1
        if failed is None:
            text = f"a message in {message.queue} failed: {cause}"
            self._events.add(message.at, text, "grows", key=f"left {message.queue} {message.reason}")
        else:
            self._events.add(message.at, failed.text, "lost" if failed.for_good else "grows", key=failed.kind)

    def _event_settled(self, event: observations.EventSettled) -> None:
        facts, given_up = self._facts, not event.succeeded
        self._learn(
            events_done=facts.events_done + event.succeeded,
            events_given_up=facts.events_given_up + given_up,
            events_lost=facts.events_lost + (given_up and not event.kept),
        )
        if given_up and self._ledger is not None:
            self._ledger.given_up(event.function)
        if event.succeeded and self._ledger is None:
            self._add_latency(event.at, event.at - event.accepted_at)

    def _log_written(self, log: observations.LogWritten) -> None:
        for queue, failures in self._failures.items():
            if (queue, log.function) in self._polls:
                failures.logged(log.line)
        if log.function in self._consumers:
            self._rejections.logged(log.line)
        document, metrics = embedded_document(log.line)
        if not metrics:
            return
        if self._ledger is not None:
            self._ledger.published(log.function, document, metrics)
        function = self._functions[log.function]
        function.metrics.update(metrics)
        if "FilesWritten" in metrics:
            objects, rows = round(metrics["FilesWritten"]), round(metrics.get("RowsGenerated", 0))
            self._learn(last_written=(objects, rows))
            text = f"{function.name} wrote {counted(objects, 'object')}, {counted(rows, 'row')}"
            self._events.add(log.at, text, "moves")
        if metrics.get("RowsRejected"):
            text = ": ".join(filter(None, (f"{function.name} rejected rows", self._rejections.last)))
            key, count = f"rejected {function.name}", round(metrics["RowsRejected"])
            self._events.add(log.at, text, "lost", key=key, count=count)

    def _audit_progressed(self, progress: observations.AuditProgressed) -> None:
        part, left_s = printable(progress.part), progress.left_s
        self._learn(audit_part=part, audit_done=progress.done, audit_total=progress.total, audit_left_s=left_s)

    def _fault_struck(self, struck: observations.FaultStruck) -> None:
        faults = self._facts.faults
        self._learn(faults={**faults, struck.kind: faults.get(struck.kind, 0) + 1})
        self._events.add(struck.at, f"fault at {struck.site}: {struck.kind}", "grows", key=f"fault {struck.kind}")

    def _noted(self, note: observations.Noted) -> None:
        tone = _TONES[note.kind]
        self._events.add(note.at, note.text, tone)
        if note.kind == "caption":
            self._learn(caption=Event(note.at, printable(note.text), tone))

    def _store_sampled(self, sample: observations.StoreSampled) -> None:
        counters, before = sample.counters, self._facts.store
        along = Along.of(self._roles, counters)
        queue, table = along.queue, along.table
        self._course.sample_depth(sample.at, queue.visible, queue.in_flight)
        if before is not None:
            self._announce_losses(sample.at, before, counters)
            for each in self._queues:
                moved = counters.queues.get(each.name, QueueCounters()).dead_lettered
                self._failures[each.logical_id].dead_lettered(moved)
            if written := table.rows_written - Along.of(self._roles, before).table.rows_written:
                self._course.add_rows(self._sampled_at, sample.at, written)
        self._sampled_at = sample.at
        ended = {key: function.ended_so_far for key, function in self._functions.items()}
        self._window.append(_Sample(sample.at, along, ended))
        while len(self._window) > 2 and self._window[1].at <= sample.at - limits.RATE_WINDOW_S:
            self._window.popleft()
        seen = queue.visible, queue.in_flight, queue.visible + queue.in_flight, queue.oldest_age_s
        self._learn(store=counters, maxima=self._facts.maxima.raised(sample.at, *seen))

    # Shared by the methods above.

    def _add_latency(self, at: float, latency_s: float) -> None:
        self._latencies.add(latency_s)
        self._course.add_latency(at, max(0.0, latency_s))

    def _began(self, at: float) -> None:
        if self._facts.first_at is None:
            self._learn(first_at=at)

    def _learn(self, **facts: Any) -> None:
        self._facts = replace(self._facts, **facts)

    def _new_course(self, origin_at: float) -> Course:
        return Course(origin_at, limits.HISTORY_KEEP_S if self._options.endless else None)

    def _announce_losses(self, at: float, before: StoreCounters, now: StoreCounters) -> None:
        """Add events for what only the store sees: what it did between two samples."""
        for name, queue in now.queues.items():
            if (moved := queue.dead_lettered - before.queues.get(name, QueueCounters()).dead_lettered) > 0:
                text = f"moved from {name} to its dead-letter queue: received too often"
                self._events.add(at, text, "lost", count=moved)
        for kind, times in now.faults.items():
            if kind not in self._facts.faults and (more := times - before.faults.get(kind, 0)) > 0:
                self._events.add(at, f"fault: {kind}", "grows", key=f"fault {kind}", count=more)
        for name, table in now.tables.items():
            throttled = table.throttled_requests - before.tables.get(name, TableCounters()).throttled_requests
            if throttled > 0:
                self._events.add(at, f"table {name} throttled requests", "grows", count=throttled)

    def _rates(self, at: float) -> Rates:
        """Over the last seconds. Where samples are further apart than that, nothing changed before the later one."""
        window_s = self._window[-1].at - self._window[0].at if self._window else 0.0
        if window_s <= 0 or at - self._window[-1].at > limits.RATE_WINDOW_S:
            return Rates()
        window_s = min(window_s, limits.RATE_WINDOW_S + limits.SAMPLE_S)
        before, now = self._window[0].along, self._window[-1].along
        requests = now.table.batch_writes - before.table.batch_writes
        throttled = now.table.throttled_requests - before.table.throttled_requests
        return Rates(
            rows=(now.table.rows_written - before.table.rows_written) / window_s,
            batch_writes=requests / window_s,
            write_units=(now.table.write_units - before.table.write_units) / window_s,
            throttled_share=min(1.0, throttled / requests) if requests > 0 else float(throttled > 0),
            puts=(now.bucket.puts - before.bucket.puts) / window_s,
            received=(now.queue.received - before.queue.received) / window_s,
            deleted=(now.queue.deleted - before.queue.deleted) / window_s,
        )


class _Sample(NamedTuple):
    """The counters along the path and the functions' figures, at one instant."""

    at: float
    along: Along
    ended: Mapping[str, Ended]
