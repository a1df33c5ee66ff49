"""What producer and consumer report of their work, added up for the proof (`simulator/proof/ledgers.py`).

An invocation that ends without having published its metrics reports nothing, and is counted apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from simulator.base.observations import InvocationEnded, ObjectPut, TickFired
from simulator.proof.ledgers import Amount, Consumer, Ledgers, Producer
from simulator.stack.model import Stack
from simulator.stack.wiring import Wiring

_TICK_KEYS = r"\d{4}/\d\d/\d\d/\d{6}-\d{4,}\.csv"
_RUN_KEYS = "(?:source|load)/.*"
"""Below the notification's prefix: what ticks write (docs/handlers.md), and what a run puts by itself."""


class Ledger:
    """Adds up the reports of one run of one stack."""

    def __init__(self, stack: Stack, path: Wiring) -> None:
        schedules = [schedule for schedule in stack.schedules.values() if schedule.enabled]
        self._generator = stack.functions.get(schedules[0].function) if schedules else None
        # Two schedules may name the same tick.
        self._plannable = len(schedules) == 1
        self._consumer = path.consumer
        self._prefix = re.escape(path.notification.prefix)
        self._fired = 0
        self._ticks: dict[Any, tuple[int, int, int]] = {}
        self._put_files = self._put_bytes = 0
        self._totals: Counter[str] = Counter()
        self._unbalanced = 0
        self._reported: set[tuple[str, str]] = set()
        self._silent: Counter[str] = Counter()

    def fired(self, tick: TickFired) -> None:
        """A schedule came due."""
        self._fired += self._generator is not None and tick.function == self._generator.logical_id

    def put(self, put: ObjectPut) -> None:
        """The run itself put an object."""
        self._put_files += 1
        self._put_bytes += put.size_bytes

    def published(self, function: str, document: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        """An invocation published its metrics, in a log line that says this."""
        request_id = str(document.get("requestId"))
        if self._generator is not None and function == self._generator.logical_id and "FilesWritten" in metrics:
            tick = document.get("tick", request_id)
            report = tuple(round(metrics.get(name, 0)) for name in ("FilesWritten", "RowsGenerated", "BytesWritten"))
            # A tick that is tried again writes the same objects again.
            self._ticks[tick] = max(report, self._ticks.get(tick, (0, 0, 0)))  # type: ignore[assignment]
        elif function == self._consumer.logical_id and "RowsWritten" in metrics:
            self._totals.update(metrics)
            dealt_with = sum(metrics.get(name, 0) for name in ("RowsWritten", "RowsDuplicate", "RowsRejected"))
            self._unbalanced += not metrics.get("MessagesFailed") and metrics.get("RowsRead") != dealt_with
        else:
            return
        self._reported.add((function, request_id))

    def ended(self, invocation: InvocationEnded) -> None:
        """An invocation ended; its report, if there is one, has come before."""
        key = (invocation.function, invocation.request_id)
        if key in self._reported:
            self._reported.discard(key)
        else:
            self._silent[invocation.function] += 1

    def view(self, counted_rows: int | None) -> Ledgers:
        """Everything so far; `counted_rows` are the puts that the store accepted, None if nobody counts."""
        return Ledgers(self._producer(), self._consumption(), counted_rows)

    def _producer(self) -> Producer | None:
        if self._put_files:
            said = Amount(self._put_files, None, self._put_bytes)
            return Producer("the run", re.compile(self._prefix + _RUN_KEYS), said)
        generator = self._generator
        if generator is None or not self._ticks:
            return None
        files, rows, size = (sum(column) for column in zip(*self._ticks.values(), strict=True))
        silent = self._silent[generator.logical_id]
        return Producer(
            generator.name,
            re.compile(self._prefix + _TICK_KEYS),
            Amount(files, rows, size),
            asked=self._asked(len(self._ticks)),
            planned=self._asked(self._fired) if self._plannable else None,
            apart=_apart(generator.name, silent),
        )

    def _asked(self, ticks: int) -> Amount | None:
        variables = self._generator.environment if self._generator else {}
        try:
            files, rows = int(variables["FILE_COUNT"]), int(variables["ROWS_PER_FILE"])
        except (KeyError, ValueError):
            return None
        return Amount(ticks * files, ticks * files * rows, None)

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
            apart=_apart(self._consumer.name, self._silent[self._consumer.logical_id]),
        )


def _apart(name: str, silent: int) -> tuple[str, ...]:
    if not silent:
        return ()
    return (f"{silent:,} invocation{'' if silent == 1 else 's'} of {name} ended without figures",)
