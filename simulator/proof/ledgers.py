"""Both ends: what producer and consumer report, against what was asked, what lies there and what was counted.

The comparison of rows trusts what it reads. Whoever reports rows that were not written, or writes others than were
wanted, is caught here. Pure; the figures come from the handlers' own metrics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.proof.notifications import ObjectRef


@dataclass(frozen=True, slots=True)
class Amount:
    """Objects, and the rows and bytes in them; None: nobody says."""

    files: int
    rows: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Counted:
    """The same as the audit counted it."""

    files: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Producer:
    """Whoever puts the objects whose keys match `keys`.

    `asked` is what it should put, None: nothing in particular; `said` what it reports, None: nothing. `apart`
    names the work of which there is no report, in words. `unique`: no two of its rows have the same key.
    """

    name: str
    keys: re.Pattern[str]
    said: Amount | None
    unique: bool
    asked: Amount | None = None
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consumer:
    """What the consumer's invocations report, added up.

    `rows_unanswered` are those of requests that got no answer. `unbalanced` counts invocations without failed messages
    whose rows read are not those written, replaced and rejected. `apart` names invocations without a report, in words.
    """

    name: str
    objects: int
    messages_failed: int
    rows_read: int
    rows_written: int
    rows_rejected: int
    rows_unanswered: int
    unbalanced: int
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledgers:
    """What everybody says; None where there is nobody. `counted_rows`: puts that the store accepted.

    `filtered` are the objects whose messages the mapping's filter criteria let through to nobody.
    """

    producers: tuple[Producer, ...] = ()
    consumer: Consumer | None = None
    counted_rows: int | None = None
    filtered: frozenset[ObjectRef] = frozenset()

    @property
    def apart(self) -> tuple[str, ...]:
        """What is in nobody's figures, in words."""
        apart = tuple(said for producer in self.producers for said in producer.apart)
        if self.consumer is not None:
            apart += self.consumer.apart
            if unanswered := self.consumer.rows_unanswered:
                apart += (f"{unanswered:,} rows of {self.consumer.name} were in requests without an answer",)
        return apart


@dataclass(frozen=True, slots=True)
class Seen:
    """What the audit read: the objects of each producer, in their order, and all that are settled.

    `distinct_rows` are the keys of the settled objects. `changed`: some object was put again. `whole`: every object was
    read; of a sample, no total says anything.
    """

    put: tuple[Counted, ...]
    settled: Counted
    settled_rejected: int
    distinct_rows: int
    changed: bool
    whole: bool


def disagreements(ledgers: Ledgers, seen: Seen) -> Iterator[str]:
    """Every two figures that should be one, in a sentence with both."""
    if seen.whole:
        for producer, there in zip(ledgers.producers, seen.put, strict=True):
            yield from _of_producer(producer, there, seen)
    if ledgers.consumer is not None:
        yield from _of_consumer(ledgers.consumer, ledgers.counted_rows, seen)


def _of_producer(producer: Producer, there: Counted, seen: Seen) -> Iterator[str]:
    name, said, asked = producer.name, producer.said, producer.asked
    if asked is not None:
        yield from _unlike_asked(producer, asked, there, seen)
    if said is not None:
        pairs = (
            ("objects", said.files, there.files),
            ("rows", said.rows, there.rows),
            ("bytes", said.bytes, there.bytes),
        )
        for noun, reported, found in pairs:
            more_is_fine = producer.apart or seen.changed
            if reported is not None and (found < reported or (found > reported and not more_is_fine)):
                yield f"{name} says that it wrote {reported:,} {noun}; in the bucket are {found:,}"
    stored = seen.settled.rows - seen.settled_rejected
    if producer.unique and not seen.changed and there.files == seen.settled.files and seen.distinct_rows < stored:
        yield f"{name} wrote {stored:,} rows, which should differ in their keys; {seen.distinct_rows:,} do"


def _unlike_asked(producer: Producer, asked: Amount, there: Counted, seen: Seen) -> Iterator[str]:
    was_asked = f"{_amount(asked)} were asked of {producer.name}"
    said = producer.said
    if said is not None and not producer.apart:
        if (said.files, said.rows) != (asked.files, asked.rows):
            yield f"{was_asked}; it says that it wrote {_amount(said)}"
    elif there.files != asked.files or (there.rows != asked.rows and not seen.changed):
        apart = f" ({', '.join(producer.apart)})" if producer.apart else ""
        yield f"{was_asked}; in the bucket are {_amount(there)}{apart}"


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
    if not complete or consumer.messages_failed or seen.changed or not seen.whole:
        return
    once = consumer.objects == seen.settled.files
    for what, reported, found in (
        ("read", consumer.rows_read, seen.settled.rows),
        ("rejected", consumer.rows_rejected, seen.settled_rejected),
    ):
        if reported < found or (once and reported > found):
            yield f"{name} says that it {what} {reported:,} rows; by the audit's reading they are {found:,}"


def _amount(amount: Amount | Counted) -> str:
    return f"{amount.files:,} objects with {amount.rows:,} rows"
