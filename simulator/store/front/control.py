"""The control calls under `/_stockpipe/`, a path no bucket can have: health, counters, inspection, faults.

They belong to the store and answer with JSON or an object's bytes; a mistake is a 400 with one line of text.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

import orjson

from simulator.base.clock import Clock
from simulator.base.counters import QueueCounters, StoreCounters
from simulator.base.shown import error_line
from simulator.base.usage import process_cpu_s, process_memory_bytes
from simulator.faults import kinds
from simulator.faults.plane import Plane
from simulator.store.counting.tallies import Tallies
from simulator.store.dynamodb.throttles import Throttles
from simulator.store.moto import state as moto_state
from simulator.store.s3.earlier import EarlierContents
from simulator.store.sqs.long_poll import LongPolls
from simulator.store.sqs.moto_queue import depot_of
from simulator.store.wire.messages import CONTROL_PATH, Request, Response

PEEK_PAGE = 500
EARLIER_BYTES = 1024 * 1024
CHANGING = {"refuse-writes", "end-long-polls", "faults"}
"""The calls that change something."""


@dataclass(frozen=True, slots=True)
class Control:
    """Answers the control calls of one store."""

    clock: Clock
    tallies: Tallies
    throttles: Throttles
    polls: LongPolls
    plane: Plane
    late: Callable[[], int] = int

    def answer(self, request: Request) -> Response:
        """The answer to one control call."""
        call = request.path.removeprefix(CONTROL_PATH)
        arguments = defaultdict(str, parse_qsl(request.query_text, keep_blank_values=True))
        calls: dict[str, Callable[[], Any]] = {
            "health": lambda: {"status": "ok"},
            "counters": lambda: replace(self.counters(), cpu_s=process_cpu_s(), memory_bytes=process_memory_bytes()),
            "messages": lambda: self._messages(arguments["queue"], _whole(arguments, "after", -1)),
            "earlier": lambda: self._earlier(arguments["bucket"], _whole(arguments, "after", 0)),
            "earlier-content": lambda: self._earlier_content(
                arguments["bucket"], _whole(arguments, "number"), _whole(arguments, "offset")
            ),
            "end-long-polls": self._end_long_polls,
            "refuse-writes": lambda: self._refuse_writes(arguments["table"], arguments["fraction"]),
            "faults": lambda: self._set_faults(arguments["kind"], arguments["share"]),
        }
        if call not in calls:
            return _text_response(404, f"unknown control call '{call}'; the calls are {', '.join(calls)}")
        if call in CHANGING and request.method != "POST":
            refused = _text_response(405, f"{call} changes something: send it with POST")
            refused.headers.append(("Allow", "POST"))
            return refused
        try:
            content = calls[call]()
        except ValueError as error:
            return _text_response(400, str(error))
        if isinstance(content, bytes):
            return Response(200, content, [("Content-Type", "application/octet-stream")])
        return Response(200, orjson.dumps(content), [("Content-Type", "application/json")])

    def counters(self) -> StoreCounters:
        """All counters, as of now; what the process uses of the machine only its owner is told."""
        now, tallies = self.clock.now(), self.tallies
        return StoreCounters(
            at=now,
            queues={name: _queue_counters(queue, now * 1000) for name, queue in moto_state.queues().items()},
            tables={
                name: replace(tallies.tables[name], rows=len(table)) for name, table in moto_state.tables().items()
            },
            buckets={
                name: replace(
                    tallies.buckets[name],
                    objects=getattr(bucket.keys, "object_count", len(bucket.keys)),
                    size_bytes=getattr(bucket.keys, "size_bytes", 0),
                )
                for name, bucket in moto_state.buckets().items()
            },
            operations={name: replace(each) for name, each in tallies.operations.items()},
            faults=dict(self.plane.struck),
            late=self.late(),
        )

    def _messages(self, name: str, after: int) -> list[dict[str, Any]]:
        queue = moto_state.queues().get(name)
        if queue is None:
            raise ValueError(f"there is no queue '{name}'")
        if queue.fifo_queue:
            raise ValueError("the messages of a FIFO queue cannot be listed")
        return [
            {
                "place": held.place,
                "message_id": held.message.id,
                "body": held.message.body,
                "receive_count": held.receives,
                "sent_at": held.sent_ms / 1000,
                "in_flight": held.state == "in_flight",
            }
            for held in islice(depot_of(queue).walk(self.clock.now() * 1000, after), PEEK_PAGE)
        ]

    def _earlier(self, bucket: str, first: int) -> list[dict[str, Any]]:
        kept = _earlier_of(bucket).kept[first : first + PEEK_PAGE]
        return [{"number": number, "key": content.key} for number, content in enumerate(kept, first)]

    def _earlier_content(self, bucket: str, number: int, offset: int) -> bytes:
        return _earlier_of(bucket).read(number, offset, EARLIER_BYTES)

    def _end_long_polls(self) -> dict[str, Any]:
        self.polls.end()
        return {}

    def _refuse_writes(self, table: str, share: str) -> dict[str, Any]:
        if table not in moto_state.tables():
            raise ValueError(f"there is no table '{table}'")
        self.throttles.refuse_writes(table, _share("fraction", share))
        return {}

    def _set_faults(self, kind: str, share: str) -> dict[str, Any]:
        self.plane.set_shares({kinds.find(kind).name: _share("share", share)})
        return {}


def _share(name: str, text: str) -> float:
    """A share from 0 to 1. Raises `ValueError`."""
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise ValueError(f"{name} must be a number from 0 to 1, not '{text}'")
    return share


def _text_response(status: int, line: str) -> Response:
    return Response(status, f"{error_line(line)}\n".encode(), [("Content-Type", "text/plain; charset=utf-8")])


def _whole(arguments: Mapping[str, str], name: str, default: int | None = None) -> int:
    """A whole number from 0 on, such as a position. `default` applies if it is missing. Raises `ValueError`."""
    given = arguments[name]
    if not given and default is not None:
        return default
    if not re.fullmatch(r"[0-9]{1,18}|-1", given):
        raise ValueError(f"{name} must be a whole number from 0 on, not '{given}'")
    return int(given)


def _earlier_of(bucket: str) -> EarlierContents:
    if bucket not in moto_state.buckets():
        raise ValueError(f"there is no bucket '{bucket}'")
    earlier: EarlierContents = moto_state.buckets()[bucket].keys.earlier
    return earlier


def _queue_counters(queue: Any, now_ms: float) -> QueueCounters:
    if queue.fifo_queue:
        return QueueCounters(
            visible=queue.approximate_number_of_messages,
            in_flight=queue.approximate_number_of_messages_not_visible,
            delayed=queue.approximate_number_of_messages_delayed,
        )
    counters: QueueCounters = depot_of(queue).counters(now_ms)
    return counters
