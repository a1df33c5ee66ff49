"""The parts of a mapping on their own: one poll, one deletion, one record of the event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from fakes import declare
from fakes.clock import ManualClock
from fakes.recorder import Recorder
from simulator.base.observations import MessageSettled, MessagesReceived, Noted
from simulator.triggers.event_source_mapping import MappingRun, _Delivery, sqs_record
from simulator.triggers.settlement import Settlement

MESSAGE = {"MessageId": "m", "ReceiptHandle": "r", "Body": "body"}
UNREACHABLE = EndpointConnectionError(endpoint_url="http://queue")


class Noting:
    """A scaler and a pace that note what they are told; the pace lets the next call be made `after_s` from now."""

    def __init__(self) -> None:
        self.after_s, self.told = 0.0, list[tuple[Any, ...]]()
        self.concurrency = 7

    def call_at(self, concurrency: int, now: float) -> float:
        """See `Pace`."""
        assert concurrency == 7
        return now + self.after_s

    def took(self, *given: Any) -> None:
        """See `Pace`."""
        self.told.append(given)

    def found_nothing(self, now: float) -> None:
        """See `Scaler`."""
        self.told.append((now,))


class Alone:
    """A mapping's run whose queue answers each call with what `answers` has for it: an answer, an error, or a wait."""

    def __init__(self, clock: ManualClock, recorded: Recorder) -> None:
        self.clock, self.recorded = clock, recorded
        self.answers: list[Any] = []
        self.called_at: list[float] = []
        self.noting, self.began_at = Noting(), clock.now()
        nothing: Any = None
        queue: Any = self
        self.run: Any = MappingRun(
            mapping=declare.mapping(),
            queue=declare.queue(),
            queue_url="url",
            function=declare.function(),
            sqs=queue,
            service=nothing,
            clock=clock,
            record=recorded.append,
            seed=1,
            stop=asyncio.Event(),
            wait_s=1,
        )
        vars(self.run).update(_pace=self.noting, _scaler=self.noting)

    async def _answer(self, **_: Any) -> Any:
        self.called_at.append(self.clock.now() - self.began_at)
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, float):
            await self.clock.sleep(answer)
            return {}
        return answer

    receive_message = delete_message_batch = _answer

    def poll(self) -> asyncio.Task[list[_Delivery]]:
        """The fourth receiver's."""
        return asyncio.ensure_future(self.run._poll(3, 10, Random(1)))


@pytest.fixture
def alone(clock: ManualClock, recorded: Recorder) -> Alone:
    """A run."""
    return Alone(clock, recorded)


async def test_a_receiver_waits_while_its_receive_does(alone: Alone) -> None:
    """From the instant at which its pace lets it call; neither while it backs off nor once it has an answer."""
    alone.noting.after_s = 2.0
    alone.answers = [3.0, UNREACHABLE, {"Messages": [MESSAGE]}]
    polling = alone.poll()
    await alone.clock.advance(1.9)
    assert (alone.called_at, alone.run._waiting_since) == ([], {})
    await alone.clock.advance(1.1)
    assert (alone.called_at, alone.run._waiting_since) == ([2.0], {3: alone.began_at + 2.0})
    await alone.clock.advance(4.0)
    assert (alone.called_at, alone.run._waiting_since) == ([2.0, 7.0], {})
    await alone.clock.advance(60.0)
    (delivery,) = polling.result()
    assert (delivery.message, alone.run._waiting_since) == (MESSAGE, {})
    assert [each.text for each in alone.recorded.of(Noted)] == [
        'Mapping: ReceiveMessage failed: Could not connect to the endpoint URL: "http://queue"'
    ]


async def test_what_a_receive_finds_is_told(alone: Alone) -> None:
    """The pace how many bytes, and at which concurrency; the scaler that there was nothing."""
    alone.answers = [{}, {"Messages": [MESSAGE, MESSAGE]}]
    polling = alone.poll()
    await alone.clock.advance(0)
    assert len(polling.result()) == 2
    assert alone.noting.told == [(alone.began_at,), (8, 7, alone.began_at)]


async def test_short_receives_make_one_long_poll(alone: Alone) -> None:
    """Twenty of a second, if nothing comes; it is one empty receive."""
    polling = alone.poll()
    await alone.clock.advance(0)
    assert (polling.result(), len(alone.called_at)) == ([], 20)
    assert [each.count for each in alone.recorded.of(MessagesReceived)] == [0]


async def test_what_cannot_be_deleted_is_kept_and_reported(alone: Alone) -> None:
    """A message says when it was sent, and how often received, only if the queue does."""
    alone.answers = [UNREACHABLE]
    delivery = _Delivery(dict(MESSAGE), received_at=1.0, visible_at=31.0)
    await alone.run._settle([delivery], Settlement(), 2.0, "success")
    (settled,) = alone.recorded.of(MessageSettled)
    assert (settled.deleted, settled.reason) == (False, "delete failed")
    assert (settled.sent_at, settled.receive_count) == (0.0, 0)
    assert "DeleteMessageBatch failed" in alone.recorded.of(Noted)[0].text


@pytest.mark.parametrize(
    ("changes", "window", "expected"),
    [
        ({}, False, {}),
        ({}, True, {"md5OfMessageAttributes": None}),
        ({"MD5OfMessageAttributes": "md5"}, True, {"md5OfMessageAttributes": "md5"}),
        (
            {"MessageAttributes": {"s": {"DataType": "String", "StringValue": "v"}}},
            False,
            {"s": {"stringValue": "v", "dataType": "String"}},
        ),
        (
            {"MessageAttributes": {"b": {"DataType": "Binary", "BinaryValue": b"\0"}}},
            False,
            {"b": {"binaryValue": "AA==", "dataType": "Binary"}},
        ),
    ],
)
def test_a_record_has_what_the_message_has(changes: dict[str, Any], window: bool, expected: dict[str, Any]) -> None:
    """Attributes in the event's spelling, bytes as base64 text."""
    record = sqs_record({**MESSAGE, **changes}, "arn", window=window)
    found: Callable[[str], Any] = record["messageAttributes"].get
    for name, value in expected.items():
        if name in record:
            assert record[name] == value
        else:
            assert found(name) == {"stringListValues": [], "binaryListValues": [], **value}
    assert ("md5OfMessageAttributes" in record) == (window or "MD5OfMessageAttributes" in changes)
