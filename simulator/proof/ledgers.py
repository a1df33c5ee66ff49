"""Both ends: compares what producer and consumer report with what was requested, found and counted.

The comparison of rows trusts what it reads. This catches a handler that reports rows it did not write, or writes others
than requested. Pure; the figures come from the handlers' own metrics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from simulator.base.words import counted
from simulator.proof.notifications import ObjectRef


@dataclass(frozen=True, slots=True)
class Amount:
    """Objects, and the rows and bytes in them; None: not reported."""

    files: int
    rows: int | None
    bytes: int | None


@dataclass(slots=True)
class Counted:
    """The same amounts, as the audit counts them."""

    files: int = 0
    rows: int = 0
    bytes: int = 0

    def add(self, *, files: int = 0, rows: int = 0, size: int = 0) -> None:
        """Count more objects as they are listed, or rows as they are read; `size` is in bytes."""
        self.files, self.rows, self.bytes = self.files + files, self.rows + rows, self.bytes + size


@dataclass(frozen=True, slots=True)
class Producer:
    """The writer of the objects whose keys match `keys`.

    `asked` is what it was to write, None: unspecified; `said` is what it reports, None: nothing. `apart` describes work
    without a report. `unique`: no two of its rows have the same key.
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

    `rows_unanswered` are those of requests without an answer. `unbalanced` counts invocations without failed messages
    and without objects that were gone, whose rows read do not equal those written, replaced and rejected. `apart`
    describes invocations without a report.
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
    """All reports; None where there is no one to report. `counted_rows`: puts that the store accepted.

    `filtered` are the objects whose messages the mapping's filter criteria passed to no function.
    """

    producers: tuple[Producer, ...] = ()
    consumer: Consumer | None = None
    counted_rows: int | None = None
    filtered: frozenset[ObjectRef] = frozenset()

    @property
    def apart(self) -> tuple[str, ...]:
        """What no figures cover, in words."""
        apart = tuple(text for producer in self.producers for text in producer.apart)
        if self.consumer is not None:
            apart += self.consumer.apart
            if unanswered := self.consumer.rows_unanswered:
                apart += (f"{counted(unanswered, 'row')} of {self.consumer.name} were in requests without an answer",)
        return apart


@dataclass(frozen=True, slots=True)
class Audited:
    """What the audit read: the objects of each producer, in their order, how many are settled, and all settled ones.

    `distinct_rows` are the keys of the settled objects. `changed`: some object was overwritten. `whole`: the audit read
    every object. A sample lists them all, so that files and bytes are known; its totals of rows prove nothing.
    """

    put: tuple[Counted, ...]
    settled_put: tuple[int, ...]
    settled: Counted
    settled_rejected: int
    distinct_rows: int
    changed: bool
    whole: bool


def disagreements(ledgers: Ledgers, audited: Audited) -> Iterator[str]:
    """Every two figures that should be equal but are not, in a sentence with both."""
    for producer, there, settled in zip(ledgers.producers, audited.put, audited.settled_put, strict=True):
        yield from _of_producer(producer, there, settled, audited)
    if ledgers.consumer is not None:
        yield from _of_consumer(ledgers.consumer, ledgers.counted_rows, audited)


def _of_producer(producer: Producer, there: Counted, settled_files: int, audited: Audited) -> Iterator[str]:
    name, said, asked = producer.name, producer.said, producer.asked
    if asked is not None:
        yield from _unlike_asked(producer, asked, there, audited)
    if said is not None:
        pairs = (
            ("object", said.files, there.files),
            ("row", said.rows if audited.whole else None, there.rows),
            ("byte", said.bytes, there.bytes),
        )
        for noun, reported, found in pairs:
            more_is_fine = producer.apart or audited.changed
            if reported is not None and (found < reported or (found > reported and not more_is_fine)):
                yield f"{name} reports {counted(reported, noun)} written; the bucket has {found:,}"
    settled, unchanged = audited.settled, not audited.changed
    stored = settled.rows - audited.settled_rejected
    if producer.unique and unchanged and settled_files == settled.files and audited.distinct_rows < stored:
        yield f"{name} wrote {counted(stored, 'row')}, whose keys should all differ; only {audited.distinct_rows:,} do"


def _unlike_asked(producer: Producer, asked: Amount, there: Counted, audited: Audited) -> Iterator[str]:
    was_asked = f"{producer.name} was to write {_amount(asked)}"
    reported = producer.said
    if reported is not None and not producer.apart:
        if (reported.files, reported.rows) != (asked.files, asked.rows):
            yield f"{was_asked}; it reports {_amount(reported)}"
    elif _unlike(there.files, asked.files, audited) or (audited.whole and _unlike(there.rows, asked.rows, audited)):
        apart = f" ({', '.join(producer.apart)})" if producer.apart else ""
        found = _amount(there) if audited.whole else counted(there.files, "object")
        yield f"{was_asked}; the bucket has {found}{apart}"


def _unlike(found: int, asked: int | None, audited: Audited) -> bool:
    """Whether there is not as much as was asked; what was put again counts again."""
    return asked is not None and (found < asked or (found > asked and not audited.changed))


def _of_consumer(consumer: Consumer, counted_rows: int | None, audited: Audited) -> Iterator[str]:
    name, complete = consumer.name, not consumer.apart
    written = consumer.rows_written
    if counted_rows is not None:
        most = written + consumer.rows_unanswered if complete else counted_rows
        if not written <= counted_rows <= most:
            yield f"{name} reports {counted(written, 'row')} written; the store accepted {counted_rows:,}"
    if consumer.unbalanced:
        unlike = "the rows read are not the sum of those written, replaced and rejected"
        yield f"{name}: in {counted(consumer.unbalanced, 'invocation')}, {unlike}"
    if not complete or consumer.messages_failed or audited.changed or not audited.whole:
        return
    once = consumer.objects == audited.settled.files
    for what, reported, found in (
        ("read", consumer.rows_read, audited.settled.rows),
        ("rejected", consumer.rows_rejected, audited.settled_rejected),
    ):
        if reported < found or (once and reported > found):
            yield f"{name} reports {counted(reported, 'row')} {what}; the audit counts {found:,}"


def _amount(amount: Amount | Counted) -> str:
    return f"{counted(amount.files, 'object')} with {counted(amount.rows or 0, 'row')}"
