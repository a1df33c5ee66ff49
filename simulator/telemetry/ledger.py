"""Adds up what producer and consumer report about their work, for the proof (`simulator/proof/ledgers.py`).

An invocation that ends without publishing its metrics reports nothing, and is counted separately.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.base.observations import InvocationEnded, ObjectPut, TickFired
from simulator.base.words import counted
from simulator.proof.ledgers import Amount, Consumer, Ledgers, Producer
from simulator.proof.notifications import ObjectRef
from simulator.stack.model import Function, Stack, prefix_in_force
from simulator.stack.wiring import Wiring

_TICK_KEYS = r"\d{4}/\d\d/\d\d/\d{6}-\d{4,}\.csv"
"""Below a generator's prefix: what ticks write (docs/handlers.md)."""

Report = tuple[int, int, int]
"""Objects, rows and bytes."""


@dataclass
class _Generator:
    """The scheduled functions that write below one prefix: what they should do and what they report, by tick.

    A tick that is retried, or that another function has as well, writes the same objects again.
    """

    names: dict[str, None] = field(default_factory=dict)
    asked: dict[int, tuple[int, int]] = field(default_factory=dict)
    said: dict[Any, Report] = field(default_factory=dict)
    fired: bool = False
    times_known: bool = True
    given_up: int = 0

    def producer(self, prefix: str, apart: tuple[str, ...]) -> Producer:
        files, rows = (sum(column) for column in zip(*self.asked.values(), strict=True)) if self.asked else (0, 0)
        said = [sum(column) for column in zip(*self.said.values(), strict=True)]
        return Producer(
            " and ".join(self.names),
            re.compile(re.escape(prefix) + _TICK_KEYS),
            Amount(*said) if said else None,
            asked=Amount(files, rows, None) if self.times_known else None,
            apart=apart,
            unique=True,
        )


class Ledger:
    """Adds up the reports of one run of one stack."""

    def __init__(self, stack: Stack, path: Wiring) -> None:
        self._consumer = path.consumer
        self._prefix = path.notification.key_prefix
        self._sizes: dict[str, tuple[int, int]] = {}
        self._generators: dict[str, _Generator] = {}
        self._generator_of: dict[str, _Generator] = {}
        for schedule in stack.schedules.values():
            function = stack.functions[schedule.function]
            prefix = prefix_in_force(function.environment, "KEY_PREFIX")
            size = _size(function)
            if schedule.enabled and size is not None and prefix.startswith(self._prefix):
                generator = self._generators.setdefault(prefix, _Generator())
                generator.names[function.name] = None
                self._generator_of[function.logical_id] = generator
                self._sizes[function.logical_id] = size
        self._names = {key: function.name for key, function in stack.functions.items()}
        self._put_files: Counter[str] = Counter()
        self._put_bytes: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()
        self._unbalanced = 0
        self._reported: set[tuple[str, str]] = set()
        self._silent: Counter[str] = Counter()
        self._filtered: dict[ObjectRef, float] = {}  # the send time of the last such message

    def fired(self, tick: TickFired) -> None:
        """A schedule came due."""
        if (generator := self._generator_of.get(tick.function)) is None:
            return
        generator.fired = True
        instant = _second(tick.event_time)
        if instant is None:
            generator.times_known = False  # without a time in the event, the handler uses the current time
        else:
            files, rows = self._sizes[tick.function]
            generator.asked[instant] = max((files, files * rows), generator.asked.get(instant, (0, 0)))

    def given_up(self, function: str) -> None:
        """An event for the function was given up: what it should have written was perhaps never, or partly, written."""
        if (generator := self._generator_of.get(function)) is not None:
            generator.times_known = False
            generator.given_up += 1

    def put(self, put: ObjectPut) -> None:
        """The run itself put an object."""
        folder = put.key.removeprefix(self._prefix).partition("/")[0]
        self._put_files[folder] += 1
        self._put_bytes[folder] += put.size_bytes

    def filtered(self, objects: Iterable[ObjectRef], sent_at: float) -> None:
        """The filter of the consumer's mapping deleted a message about these objects."""
        self._filtered.update((ref, max(sent_at, self._filtered.get(ref, sent_at))) for ref in objects)

    def ingested(self, objects: Iterable[ObjectRef], sent_at: float) -> None:
        """The consumer finished a message about these objects: they should be stored, as they were when it was sent."""
        for ref in objects:
            if sent_at > self._filtered.get(ref, math.inf):
                del self._filtered[ref]

    def published(self, function: str, document: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        """An invocation published its metrics, in a log line with this document."""
        request_id = str(document.get("requestId"))
        generator = self._generator_of.get(function)
        if generator is not None and "FilesWritten" in metrics:
            tick = document.get("tick", request_id)
            report = tuple(round(metrics.get(name, 0)) for name in ("FilesWritten", "RowsGenerated", "BytesWritten"))
            generator.said[tick] = max(report, generator.said.get(tick, (0, 0, 0)))  # type: ignore[assignment]
        elif function == self._consumer.logical_id and "RowsWritten" in metrics:
            self._totals.update(metrics)
            dealt_with = sum(metrics.get(name, 0) for name in ("RowsWritten", "RowsDuplicate", "RowsRejected"))
            # Of an object that goes while it is read, rows were read that nobody has to write.
            may_differ = metrics.get("MessagesFailed") or metrics.get("ObjectsGone")
            self._unbalanced += not may_differ and metrics.get("RowsRead") != dealt_with
        else:
            return
        self._reported.add((function, request_id))

    def ended(self, invocation: InvocationEnded) -> None:
        """An invocation ended; its report, if any, came before."""
        key = (invocation.function, invocation.request_id)
        if key in self._reported:
            self._reported.discard(key)
        else:
            self._silent[invocation.function] += 1

    def view(self, counted_rows: int | None) -> Ledgers:
        """Everything so far; `counted_rows` is how many rows the store accepted, None if it does not count."""
        return Ledgers(tuple(self._producers()), self._consumption(), counted_rows, frozenset(self._filtered))

    def _producers(self) -> Iterator[Producer]:
        for prefix, generator in self._generators.items():
            if generator.fired:
                functions = (key for key, each in self._generator_of.items() if each is generator)
                apart = tuple(said for key in functions for said in self._apart(key))
                if generator.given_up:
                    apart += (f"{counted(generator.given_up, 'tick')} given up",)
                yield generator.producer(prefix, apart)
        for folder, files in self._put_files.items():
            keys = re.compile(re.escape(f"{self._prefix}{folder}/") + ".*")
            # Users' files may repeat keys; a load test's objects never do.
            yield Producer("the run", keys, Amount(files, None, self._put_bytes[folder]), unique=folder == "load")

    def _consumption(self) -> Consumer | None:
        if not self._totals:
            return None
        total = {name: round(figure) for name, figure in self._totals.items()}
        return Consumer(
            self._consumer.name,
            objects=total.get("ObjectsIngested", 0),
            messages_failed=total.get("MessagesFailed", 0),
            rows_read=total.get("RowsRead", 0),
            rows_written=total.get("RowsWritten", 0),
            rows_rejected=total.get("RowsRejected", 0),
            rows_unanswered=total.get("RowsUnanswered", 0),
            unbalanced=self._unbalanced,
            apart=self._apart(self._consumer.logical_id),
        )

    def _apart(self, function: str) -> tuple[str, ...]:
        silent = self._silent[function]
        said = f"{counted(silent, 'invocation')} of {self._names[function]} ended without figures"
        return (said,) if silent else ()


def _size(function: Function) -> tuple[int, int] | None:
    """Objects per tick and rows per object, from a generator's settings; None if they do not say."""
    try:
        return int(function.environment["FILE_COUNT"]), int(function.environment["ROWS_PER_FILE"])
    except (KeyError, ValueError):
        return None


def _second(event_time: str | None) -> int | None:
    """The tick that an event's time names."""
    try:
        instant = datetime.fromisoformat(event_time or "")
    except ValueError:
        return None
    return int(instant.timestamp() // 1) if instant.tzinfo else None
