"""The bugs: each is the sound source with a few places changed, and one thing wrong with it.

They are what people write: each passes wherever nothing fails, or nearly so. A place is given by its text, which the
module must contain exactly once, so that this list is kept in step with the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bug:
    """`patches` are pairs of texts: what `module` has, and what the bug has in its place. `said`: what is wrong."""

    name: str
    module: str
    said: str
    patches: tuple[tuple[str, str], ...]

    def plant(self, source: str) -> str:
        """The module's source with the bug. Raises `ValueError` if a text does not occur exactly once."""
        for before, after in self.patches:
            if (times := source.count(before)) != 1:
                raise ValueError(f"'{self.name}': {self.module} has this {times} times, not once:\n{before}")
            source = source.replace(before, after)
        return source


_CONSUMER, _EVENTS, _OBJECTS = "pipeline.consumer", "pipeline.events", "pipeline.objects"
_TABLE, _TRANSPORTS = "pipeline.table", "pipeline.transports"
_MAPPING = "simulator.triggers.event_source_mapping"
_SENT_AT_ONCE = ("HELD_ROWS = 1_000\n", "HELD_ROWS = 0\n")
"""Beside a bug in the order of rows: as long as rows are held, only objects of thousands of rows show it."""

BUGS: Mapping[str, Bug] = {
    bug.name: bug
    for bug in (
        # Writing
        Bug(
            "unprocessed-ignored",
            _TABLE,
            "The rows that DynamoDB left unprocessed are not sent again.",
            (
                (
                    "                left = await self._send(batch, timeout_s)\n",
                    "                await self._send(batch, timeout_s)\n                left: list[Key] = []\n",
                ),
            ),
        ),
        Bug(
            "500-is-success",
            _TRANSPORTS,
            "An answer with status 500 is taken for success.",
            (
                (
                    "            code, message, status = answered(error)\n",
                    "            code, message, status = answered(error)\n"
                    "            if status == 500:\n"
                    "                return []\n",
                ),
                ("            if reply.status == 200:\n", "            if reply.status in (200, 500):\n"),
            ),
        ),
        Bug(
            "keys-out-of-order",
            _TABLE,
            "A row does not wait until an earlier row of the same key is in the table.",
            (_SENT_AT_ONCE, ("        while not self._keys_in_flight.isdisjoint(batch):\n", "        while False:\n")),
        ),
        Bug(
            "in-flight-forgotten",
            _TABLE,
            "Once a row's second request succeeds, the first one, which got no answer, is forgotten.",
            (
                _SENT_AT_ONCE,
                (
                    "                if not left:\n                    return []\n",
                    "                if not left:\n"
                    "                    for key in batch:\n"
                    "                        self._on_their_way.pop(key, None)\n"
                    "                    return []\n",
                ),
            ),
        ),
        Bug(
            "last-batch-not-sent",
            _TABLE,
            "The last rows of an object, fewer than a request holds, are not sent.",
            (
                (
                    "        await self._send_first(len(self._held))\n",
                    "        await self._send_first(len(self._held) - len(self._held) % BATCH_ROWS)\n",
                ),
            ),
        ),
        Bug(
            "end-not-awaited",
            _TABLE,
            "A message is done before the last requests of its object are.",
            (
                (
                    "        await self._send_first(len(self._held))\n        while self._in_flight:\n",
                    "        await self._send_first(len(self._held))\n        while False:\n",
                ),
            ),
        ),
        Bug(
            "unprocessed-counted",
            _TABLE,
            "Rows that were left unprocessed count as written each time.",
            (
                (
                    "                    counts.rows_written += written\n",
                    "                    counts.rows_written += len(batch)\n",
                ),
            ),
        ),
        # Reading
        Bug(
            "resumed-one-late",
            _OBJECTS,
            "A broken stream is resumed one byte too late.",
            (('f"bytes={self.bytes_read}-"', 'f"bytes={self.bytes_read + 1}-"'),),
        ),
        Bug(
            "broken-is-end",
            _OBJECTS,
            "A stream that breaks is taken for one that ends.",
            (("                resumes += 1\n", "                return\n"),),
        ),
        Bug(
            "denied-is-gone",
            _OBJECTS,
            "An object that may not be read is taken for one that is gone.",
            (('if code == "NoSuchKey":', 'if code in ("NoSuchKey", "AccessDenied"):'),),
        ),
        Bug(
            "counts-added-to",
            _CONSUMER,
            "The figures of an invocation are added to those of the one before it.",
            (
                ("        self._counts = ConsumerCounts()\n", "        self._counts = _COUNTED\n"),
                ("\n\nclass _Invocation:\n", "\n\n_COUNTED = ConsumerCounts()\n\n\nclass _Invocation:\n"),
            ),
        ),
        # Messages
        Bug(
            "failed-is-done",
            _CONSUMER,
            "The answer's member has a wrong name, so that failed messages are deleted.",
            (('{"batchItemFailures": [{', '{"batchItemFailure": [{'),),
        ),
        Bug(
            "out-of-time-is-done",
            _CONSUMER,
            "A message whose time ran out is done.",
            (
                (
                    "        except MessageFailure as failure:\n            return failure\n",
                    "        except OutOfTime:\n"
                    "            return None\n"
                    "        except MessageFailure as failure:\n"
                    "            return failure\n",
                ),
            ),
        ),
        Bug(
            "outcome-remembered",
            _CONSUMER,
            "The environment remembers the outcome of each object, whatever happens to the object later.",
            (
                ("import dataclass\n", "import dataclass, field\n"),
                (
                    "    log: Log\n    seed: str\n",
                    "    log: Log\n"
                    "    seed: str\n"
                    "    outcomes: dict[ObjectReference, Any] = field(default_factory=dict)\n",
                ),
                (
                    "        self._outcomes: dict[ObjectReference, asyncio.Task[MessageFailure | None]] = {}\n",
                    "        self._outcomes = environment.outcomes\n",
                ),
            ),
        ),
        Bug(
            "again-is-done",
            _CONSUMER,
            "A message that is received again is taken for done.",
            (
                (
                    "        try:\n            references = created_objects(message.body)\n",
                    "        if message.receive_count > 1:\n"
                    "            return True\n"
                    "        try:\n"
                    "            references = created_objects(message.body)\n",
                ),
            ),
        ),
        Bug(
            "first-record-only",
            _EVENTS,
            "Only the first record of a message is read.",
            (("for record in records if (reference :=", "for record in records[:1] if (reference :="),),
        ),
        Bug(
            "keys-not-decoded",
            _EVENTS,
            "An object's key is not decoded.",
            (("ObjectReference(bucket, unquote_plus(key))", "ObjectReference(bucket, key)"),),
        ),
        # The event source mapping
        Bug(
            "crash-is-done",
            _MAPPING,
            "The messages of an invocation that crashed are deleted.",
            (
                (
                    "            if isinstance(result, Returned):\n",
                    '            if isinstance(result, Failed) and result.outcome == "crash":\n'
                    "                settled = Settlement()\n"
                    "            elif isinstance(result, Returned):\n",
                ),
            ),
        ),
        Bug(
            "throttled-is-done",
            _MAPPING,
            "The messages of an invocation that Lambda throttled for too long are deleted.",
            (
                (
                    "            if isinstance(result, Returned):\n",
                    "            if isinstance(result, Throttled):\n"
                    "                settled = Settlement()\n"
                    "            elif isinstance(result, Returned):\n",
                ),
            ),
        ),
        Bug(
            "deleted-first",
            _MAPPING,
            "The messages of a batch are deleted before the function has them.",
            (
                (
                    "            result = await self._invoke(batch)\n",
                    "            await self._delete(batch.deliveries)\n"
                    "            result = await self._invoke(batch)\n",
                ),
            ),
        ),
    )
}
