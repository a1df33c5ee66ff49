"""A queue on a manual clock, as an event source mapping sees it."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from fakes.clock import ManualClock
from simulator.base.waiting import wait_for_event


class ManualQueue:
    """A standard queue on a manual clock, with the interface of the mapping's client.

    A message can be received when its `next_delivery_at` is not in the future; redelivery depends on nothing else.
    """

    def __init__(self, clock: ManualClock, *, visibility_s: float = 30, maximum_receives: int | None = None) -> None:
        self._clock, self._visibility_s, self._maximum_receives = clock, visibility_s, maximum_receives
        self.messages: dict[str, dict[str, Any]] = {}
        self.dead_letters: list[str] = []
        self.deletes: list[int] = []
        self.refuse_deletes = 0
        self.receives = 0
        self._numbers = itertools.count()
        self._sent = asyncio.Event()
        self._ends = 0

    def send(self, *bodies: str) -> None:
        """Put messages that can be received now."""
        for body in bodies:
            number = next(self._numbers)
            self.messages[f"id-{number:06d}"] = {
                "body": body,
                "next_delivery_at": self._clock.now(),
                "sent_at": self._clock.now(),
                "receives": 0,
            }
        self._sent.set()

    def end_long_polls(self) -> None:
        """As the store's: everybody who waits is answered at once."""
        self._ends += 1
        self._sent.set()

    async def receive_message(self, **request: Any) -> dict[str, Any]:
        """As SQS: wait for a visible message, and return up to ten."""
        self.receives += 1
        deadline_at, ends = self._clock.now() + request["WaitTimeSeconds"], self._ends
        while True:
            found = self._take(request["MaxNumberOfMessages"], request.get("VisibilityTimeout", self._visibility_s))
            now = self._clock.now()
            if found or now >= deadline_at or ends != self._ends:
                return {"Messages": found} if found else {}
            self._sent.clear()
            due = min((each["next_delivery_at"] for each in self.messages.values()), default=deadline_at)
            await wait_for_event(self._sent, self._clock, max(0.0, min(due, deadline_at) - now))

    async def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        """Like SQS; the next `refuse_deletes` calls delete nothing."""
        entries = request["Entries"]
        self.deletes.append(len(entries))
        if self.refuse_deletes:
            self.refuse_deletes -= 1
            return {"Failed": [{"Id": entry["Id"]} for entry in entries]}
        for entry in entries:
            self.messages.pop(entry["ReceiptHandle"].partition("#")[0], None)
        return {"Successful": [{"Id": entry["Id"]} for entry in entries]}

    def _take(self, count: int, visibility_s: float) -> list[dict[str, Any]]:
        now = self._clock.now()
        found: list[dict[str, Any]] = []
        for message_id, message in list(self.messages.items()):
            if len(found) == count:
                break
            if message["next_delivery_at"] > now:
                continue
            if self._maximum_receives is not None and message["receives"] >= self._maximum_receives:
                self.dead_letters.append(self.messages.pop(message_id)["body"])
                continue
            message["receives"] += 1
            message["next_delivery_at"] = now + visibility_s
            found.append(
                {
                    "MessageId": message_id,
                    "ReceiptHandle": f"{message_id}#{message['receives']}",
                    "Body": message["body"],
                    "MD5OfBody": "md5",
                    "Attributes": {
                        "ApproximateReceiveCount": str(message["receives"]),
                        "SentTimestamp": str(int(message["sent_at"] * 1000)),
                        "SenderId": "sender",
                        "ApproximateFirstReceiveTimestamp": str(int(now * 1000)),
                    },
                }
            )
        return found
