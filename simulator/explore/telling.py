"""The story of one world: what happened to its objects and messages, in the order of time. Pure.

It is made of what was observed and of the calls of the handlers; the picture in the report shows the same events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import orjson

from simulator.base.counters import is_test_event
from simulator.base.observations import (
    FaultStruck,
    InvocationEnded,
    InvocationStarted,
    InvocationThrottled,
    MessageSettled,
    ObjectPut,
    Observation,
    TickFired,
)
from simulator.base.quantities import duration_text
from simulator.base.shown import printable
from simulator.base.words import counted
from simulator.explore.case import STARTS_AT, WorldCase
from simulator.faults import kinds
from simulator.proof.notifications import objects_of
from simulator.store.wire.routing import called
from simulator.world.store import Call

Tone = Literal["plain", "fault", "good", "bad"]
MOST_LINES = 12
_DULL = ("call", "begin", "return", "tick", "receive")
"""What is left out first if there is too much to tell."""
_ORDER = ("", "tick", "receive", "fault", "begin", "call", "return", "settled")
"""What comes first of what happens at the same instant."""
_LONGEST_KEY, _LONGEST_END = 48, 240


class Line(NamedTuple):
    """One event: when (seconds since the start), in which lane, what, and of which sort it is (`_ORDER`).

    `key` is the object that it is about, if it is about one.
    """

    at_s: float
    lane: str
    text: str
    tone: Tone = "plain"
    sort: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class WorldStory:
    """What a finding shows, in as many lines as are needed to understand it; `end` is what is wrong."""

    lines: tuple[Line, ...]
    end: str


@dataclass
class Teller:
    """Hears what happens in a world."""

    case: WorldCase
    events: list[Line] = field(default_factory=list)
    _alone: dict[float, list[Line]] = field(default_factory=dict)
    """The invocations with one message, by the instant of their end: that of S3's test event is nobody's business."""
    _begun: dict[tuple[str, int], Line] = field(default_factory=dict)

    def record(self, observation: Observation) -> None:
        """Something was observed."""
        if isinstance(observation, MessageSettled) and is_test_event(observation.body):
            about = self._alone.get(observation.at, [])
            self.events = [line for line in self.events if line not in about]
        else:
            self.events += self._told(observation)

    def call(self, call: Call) -> None:
        """A handler has made a call."""
        if call.function:
            service, operation = called(call.request)
            lane = {"s3": "S3", "sqs": "SQS", "dynamodb": "DynamoDB"}.get(service, service)
            self._add(call.at, lane, f"{call.function}: {_call(operation, call)}", sort="call")

    def story(self, end: str) -> WorldStory:
        """The whole of it; `end` is what is wrong."""
        lines = _shortened(sorted(self.events, key=_in_order), end)
        return WorldStory(tuple(line._replace(text=printable(line.text)) for line in lines), ending(end))

    def _add(self, at: float, lane: str, text: str, tone: Tone = "plain", sort: str = "") -> None:
        self.events.append(Line(round(at - STARTS_AT, 3), lane, text, tone, sort))

    def _told(self, observation: Observation) -> Iterator[Line]:
        at_s = round(getattr(observation, "at", STARTS_AT) - STARTS_AT, 3)
        match observation:
            case ObjectPut(key=key, size_bytes=size):
                what = next((put.what for put in self.case.puts if put.key == key), "")
                yield Line(at_s, "S3", f"{_short(key)} is put ({what or 'object'}, {counted(size, 'byte')})", key=key)
            case TickFired(schedule=schedule, number=number, function=function):
                yield Line(at_s, schedule, f"tick {number + 1} for {function}", sort="tick")
            case InvocationStarted(function=function, environment=number, messages=messages, cold=cold):
                what = f" with {counted(messages, 'message')}" if messages else ""
                text = f"environment {number} {'starts' if cold else 'begins'}{what}"
                line = self._begun[function, number] = Line(at_s, function, text, sort="begin")
                yield line
            case InvocationEnded(function=function, environment=number, outcome=outcome):
                tone: Tone = "plain" if outcome == "success" else "bad"
                line = Line(at_s, function, f"environment {number}: {outcome}", tone, "return")
                if observation.messages == 1:
                    self._alone[observation.at] = [line, self._begun[function, number]]
                yield line
            case InvocationThrottled(function=function):
                yield Line(at_s, function, "throttled", "bad", "call")
            case MessageSettled():
                yield from self._settled(observation, at_s)
            case FaultStruck():
                yield Line(at_s, _lane(observation), f"FAULT {said(observation)}", "fault", "fault")

    def _settled(self, settled: MessageSettled, at_s: float) -> Iterator[Line]:
        objects = objects_of(settled.body)
        key = objects[0].key if objects else ""
        known = ", ".join(_short(each.key) for each in objects) or settled.message_id[:8]
        times = f", {_nth(settled.receive_count)} time" if settled.receive_count > 1 else ""
        received_s = round(settled.received_at - STARTS_AT, 3)
        yield Line(received_s, settled.queue, f"the message of {known} is received{times}", "plain", "receive", key)
        if settled.deleted:
            yield Line(at_s, settled.queue, f"the message of {known} is deleted", "good", "settled", key)
        else:
            yield Line(at_s, settled.queue, f"the message of {known} stays: {settled.reason}", "bad", "settled", key)


def ending(said: str) -> str:
    """What is wrong, as the last line of a story."""
    shown = printable(said)
    return shown if len(shown) <= _LONGEST_END else f"{shown[: _LONGEST_END - 1]}…"


def said(struck: FaultStruck) -> str:
    """A fault in words, with its argument and place."""
    kind = kinds.ALL[struck.kind]
    return f"{kind.name}: {kind.told.format(argument_text(kind, struck.argument))} ({struck.site})"


def argument_text(kind: kinds.FaultKind, argument: float) -> str:
    """An argument in its kind's unit."""
    if kind.unit == "share":
        return f"{argument:.0%}"
    if kind.unit == "waits":
        return f"{_nth(int(argument))} time"
    return duration_text(abs(argument)) if kind.unit == "s" else ""


def _lane(struck: FaultStruck) -> str:
    place, _, rest = struck.site.partition(".")
    if place in ("invoke", "init", "tick"):
        return rest
    return {"s3": "S3", "sqs": "SQS", "dynamodb": "DynamoDB"}[place]


def _call(operation: str, call: Call) -> str:
    response, request = call.response, call.request
    status = "no answer" if response.breaks_after == -1 else str(response.status)
    what = ""
    if operation == "BatchWriteItem":
        rows = request.body.count(b'"PutRequest"') + request.body.count(b'"DeleteRequest"')
        left = _unprocessed(response.body) if response.status == 200 else 0
        what = f" of {counted(rows, 'row')}" + (f", {left} unprocessed" if left else "")
    elif request.body and "x-amz-target" in request.headers:
        what = ""
    else:
        what = f" {_short(request.bucket_and_key[1])}"
    return f"{operation}{what}: {status}"


def _unprocessed(body: bytes) -> int:
    try:
        left: Mapping[str, Sequence[object]] = orjson.loads(body).get("UnprocessedItems") or {}
    except ValueError:
        return 0
    return sum(map(len, left.values()))


def _shortened(events: Iterable[Line], subject: str) -> list[Line]:
    """At most `MOST_LINES`: equal calls in a row are one, and what is dull is left out if there is too much.

    Lines about other objects than the `subject` go first, then what is dull, then what happens again and again.
    """
    lines: list[Line] = []
    repeated = 1
    for event in events:
        if lines and lines[-1].sort == "call" and event.sort == "call" and event[1:] == _once(lines[-1])[1:]:
            repeated += 1
            lines[-1] = event._replace(at_s=lines[-1].at_s, text=f"{event.text} ({repeated} times)")
        else:
            repeated = 1
            lines.append(event)
    about_others = [line for line in lines if line.key and line.key not in subject]
    if len(about_others) < len([line for line in lines if line.key]):
        lines = _without(lines, about_others)
    for sort in _DULL:
        lines = _without(lines, [line for line in lines if line.sort == sort])
    again = [line for place, line in enumerate(lines) if line.text in {each.text for each in lines[:place]}]
    lines = _without(lines, again)
    return _without(lines, [line for line in lines if line.tone != "fault"])[:MOST_LINES]


def _without(lines: list[Line], those: list[Line]) -> list[Line]:
    """The lines without the first of those, as many as there are too many lines."""
    surplus = {id(line) for line in those[: max(0, len(lines) - MOST_LINES)]}  # lines may read the same
    return [line for line in lines if id(line) not in surplus]


def _in_order(line: Line) -> tuple[float, int]:
    return line.at_s, _ORDER.index(line.sort)


def _once(line: Line) -> Line:
    return line._replace(text=line.text.rpartition(" (")[0] if line.text.endswith(" times)") else line.text)


def _short(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else f"…{key[1 - _LONGEST_KEY :]}"


def _nth(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
