"""Both ends: what producer and consumer report, against what was asked, what lies there and what was counted.

The comparison of rows trusts what it reads. Whoever reports rows that he did not write, or writes others than he was
asked for, is caught here. Pure; the figures come from the handlers' own metrics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Amount:
    """Objects, and the rows and bytes in them; None: nobody says."""

    files: int = 0
    rows: int | None = 0
    bytes: int | None = 0


@dataclass(frozen=True, slots=True)
class Producer:
    """Whoever put the objects whose keys match `keys`.

    `said` is what it reports, `asked` what it was told to put for as much of its work as is in `said`, `planned` what
    for all of it; None: nothing in particular. `apart` names the work of which there is no report, in words.
    """

    name: str
    keys: re.Pattern[str]
    said: Amount
    asked: Amount | None = None
    planned: Amount | None = None
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consumer:
    """What the consumer's invocations report, added up.

    `rows_unanswered` are those of requests that got no answer. `unbalanced` counts invocations without failed messages
    whose rows read are not those written, replaced and rejected. `apart` names invocations without a report, in words.
    """

    name: str
    objects: int = 0
    messages_failed: int = 0
    rows_read: int = 0
    rows_written: int = 0
    rows_rejected: int = 0
    rows_unanswered: int = 0
    unbalanced: int = 0
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledgers:
    """What everybody says; None where there is nobody. `counted_rows`: puts that the store accepted."""

    producer: Producer | None = None
    consumer: Consumer | None = None
    counted_rows: int | None = None

    @property
    def apart(self) -> tuple[str, ...]:
        """What is in nobody's figures, in words."""
        apart = self.producer.apart if self.producer else ()
        if self.consumer is not None:
            apart += self.consumer.apart
            if unanswered := self.consumer.rows_unanswered:
                apart += (f"{unanswered:,} rows of {self.consumer.name} were in requests without an answer",)
        return apart


@dataclass(frozen=True, slots=True)
class Seen:
    """What the audit read: objects of the producer's, and all that are settled. `changed`: some key was put again."""

    put: Amount
    settled: Amount
    settled_rejected: int
    changed: bool


def disagreements(ledgers: Ledgers, seen: Seen) -> Iterator[str]:
    """Every two figures that should be one, in a sentence with both."""
    if ledgers.producer is not None:
        yield from _of_producer(ledgers.producer, seen)
    if ledgers.consumer is not None:
        yield from _of_consumer(ledgers.consumer, ledgers.counted_rows, seen)


def _of_producer(producer: Producer, seen: Seen) -> Iterator[str]:
    name, said, there = producer.name, producer.said, seen.put
    if producer.asked is not None and (said.files, said.rows) != (producer.asked.files, producer.asked.rows):
        yield f"{_put(producer.asked)} were asked of {name}; it says that it wrote {_put(said)}"
    pairs = [("objects", said.files, there.files), ("rows", said.rows, there.rows), ("bytes", said.bytes, there.bytes)]
    for noun, reported, found in pairs:
        if reported is None or found is None:
            continue
        if found < reported or (found > reported and not producer.apart and not seen.changed):
            yield f"{name} says that it wrote {reported:,} {noun}; in the bucket are {found:,}"
    if producer.apart and producer.planned is not None and there.files < producer.planned.files:
        said_nothing = ", ".join(producer.apart)
        planned = f"{producer.planned.files:,} objects were asked of {name}"
        yield f"{planned}; in the bucket are {there.files:,} ({said_nothing})"


def _of_consumer(consumer: Consumer, counted_rows: int | None, seen: Seen) -> Iterator[str]:
    name, complete = consumer.name, not consumer.apart
    written = consumer.rows_written
    if counted_rows is not None:
        most = written + consumer.rows_unanswered if complete else counted_rows
        if not written <= counted_rows <= most:
            yield f"{name} says that it wrote {written:,} rows; the store accepted {counted_rows:,}"
    if consumer.unbalanced:
        unlike = "the rows read are not those written, replaced and rejected"
        yield f"{name}: in {consumer.unbalanced:,} invocations {unlike}"
    if not complete or consumer.messages_failed or seen.changed:
        return
    once = consumer.objects == seen.settled.files
    for what, reported, found in (
        ("read", consumer.rows_read, seen.settled.rows or 0),
        ("rejected", consumer.rows_rejected, seen.settled_rejected),
    ):
        if reported < found or (once and reported > found):
            yield f"{name} says that it {what} {reported:,} rows; by the audit's reading they are {found:,}"


def _put(put: Amount) -> str:
    return f"{put.files:,} objects with {put.rows:,} rows"
