"""The control calls under `/_stockpipe/`, a path no bucket can have: health, counters, a look into a queue, faults.

They are the store's own and answer JSON; a mistake is a 400 with one line of text.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import orjson

from simulator.base.clock import Clock
from simulator.base.counters import BucketCounters, QueueCounters, TableCounters, gathered
from simulator.store.counting.ledger import Ledger, process_cpu_s, process_memory_bytes
from simulator.store.counting.tallies import Tallies
from simulator.store.dynamodb.throttles import Throttles
from simulator.store.moto import state as moto_state
from simulator.store.sqs.moto_queue import depot_of
from simulator.store.wire.messages import CONTROL_PATH, Request, Response

PEEK_PAGE = 500
_JSON = [("Content-Type", "application/json")]


class Control:
    """Answers the control calls of one store."""

    def __init__(self, clock: Clock, ledger: Ledger, tallies: Tallies, throttles: Throttles) -> None:
        self._clock = clock
        self._ledger = ledger
        self._tallies = tallies
        self._throttles = throttles

    def answer(self, request: Request) -> Response:
        """The answer to one control call."""
        call = request.path.removeprefix(CONTROL_PATH)
        arguments = dict(parse_qsl(request.query_text, keep_blank_values=True))
        if call == "health":
            return Response(200, b'{"status":"ok"}', _JSON)
        if call == "counters":
            return Response(200, orjson.dumps(self.counters()), _JSON)
        if call == "messages":
            return self._messages(arguments)
        if call == "refuse-writes":
            return self._refuse_writes(arguments)
        return Response(404, f"unknown control call '{call}'\n".encode())

    def counters(self) -> dict[str, Any]:
        """The counters as `counters.from_json` reads them."""
        now = self._clock.now()
        return {
            "at": now,
            "cpu_s": process_cpu_s(),
            "memory_bytes": process_memory_bytes(),
            "queues": {name: _queue_counters(queue, now * 1000) for name, queue in moto_state.queues().items()},
            "tables": {
                name: gathered(TableCounters, self._tallies.tables[name], rows=len(table))
                for name, table in moto_state.tables().items()
            },
            "buckets": {
                name: gathered(
                    BucketCounters,
                    self._tallies.buckets[name],
                    objects=getattr(bucket.keys, "object_count", len(bucket.keys)),
                    size_bytes=getattr(bucket.keys, "size_bytes", 0),
                )
                for name, bucket in moto_state.buckets().items()
            },
            "operations": self._ledger.operations,
        }

    def _messages(self, arguments: dict[str, str]) -> Response:
        queue = moto_state.queues().get(arguments.get("queue", ""))
        if queue is None:
            return Response(400, f"there is no queue '{arguments.get('queue', '')}'\n".encode())
        if queue.fifo_queue:
            return Response(400, b"a look into a FIFO queue is not offered\n")
        after = int(arguments.get("after", "-1"))
        page = []
        for held in depot_of(queue).walk(self._clock.now() * 1000, after):
            page.append(
                {
                    "place": held.place,
                    "message_id": held.message.id,
                    "body": held.message.body,
                    "receive_count": held.receives,
                    "sent_at": held.sent_ms / 1000,
                    "in_flight": held.state == "in_flight",
                }
            )
            if len(page) == PEEK_PAGE:
                break
        return Response(200, orjson.dumps(page), _JSON)

    def _refuse_writes(self, arguments: dict[str, str]) -> Response:
        table = arguments.get("table", "")
        if table not in moto_state.tables():
            return Response(400, f"there is no table '{table}'\n".encode())
        try:
            fraction = float(arguments.get("fraction", ""))
        except ValueError:
            fraction = -1.0
        if not 0 <= fraction <= 1:
            return Response(400, b"fraction is a number from 0 to 1\n")
        self._throttles.refuse_writes(table, fraction)
        return Response(200, b"{}", _JSON)


def _queue_counters(queue: Any, now_ms: float) -> QueueCounters:
    if queue.fifo_queue:
        return QueueCounters(
            visible=queue.approximate_number_of_messages,
            in_flight=queue.approximate_number_of_messages_not_visible,
            delayed=queue.approximate_number_of_messages_delayed,
        )
    depot = depot_of(queue)
    visible, in_flight, delayed = depot.counts(now_ms)
    oldest_ms = depot.oldest_sent_ms()
    return gathered(
        QueueCounters,
        depot.totals,
        visible=visible,
        in_flight=in_flight,
        delayed=delayed,
        oldest_age_s=None if oldest_ms is None else max(0.0, (now_ms - oldest_ms) / 1000),
        test_events=depot.test_events,
    )
