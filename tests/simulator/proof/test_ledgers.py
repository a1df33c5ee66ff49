"""What producer and consumer report, against what exists: every two figures that should be equal."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from simulator.proof.ledgers import Amount, Audited, Consumer, Counted, Ledgers, Producer, disagreements

KEYS = re.compile("stocks/.*")
SAID = Amount(10, 1_000, 60_000)
PRODUCER = Producer("Generator", KEYS, SAID, asked=Amount(10, 1_000, None), unique=True)
CONSUMER = Consumer(
    "Consumer",
    objects=10,
    messages_failed=0,
    rows_read=1_000,
    rows_written=990,
    rows_rejected=10,
    rows_unanswered=0,
    unbalanced=0,
)
THERE = Counted(10, 1_000, 60_000)
SEEN = Audited(
    put=(THERE,),
    settled_put=(THERE.files,),
    settled=THERE,
    settled_rejected=10,
    distinct_rows=990,
    changed=False,
    whole=True,
)


def said(
    producer: Producer = PRODUCER,
    consumer: Consumer | None = CONSUMER,
    counted: int | None = 990,
    put: Counted = THERE,
    **seen: Any,
) -> list[str]:
    """The disagreements of these ledgers, if the audit has read `SEEN` with the changes in `seen`."""
    return list(disagreements(Ledgers((producer,), consumer, counted), replace(SEEN, put=(put,), **seen)))


def test_objects_and_rows_are_counted() -> None:
    """From zero, together or one without the other."""
    counted = Counted()
    assert counted == Counted(0, 0, 0)
    counted.add(files=2, size=30)
    counted.add(rows=5)
    counted.add(files=1, rows=1, size=4)
    assert counted == Counted(3, 6, 34)


def test_reports_that_are_true_are_not_a_difference() -> None:
    """All figures agree, or there is no one to report any."""
    assert said() == []
    assert list(disagreements(Ledgers(), replace(SEEN, put=(), settled_put=()))) == []
    assert said(counted=None) == []


def test_one_of_a_thing_is_singular() -> None:
    """A sentence has `1 object` and `1 row`, and the plural for any other number, zero included."""
    assert said(replace(PRODUCER, asked=Amount(1, 1, None))) == [
        "Generator was to write 1 object with 1 row; it reports 10 objects with 1,000 rows"
    ]
    assert said(replace(PRODUCER, asked=Amount(0, 0, None))) == [
        "Generator was to write 0 objects with 0 rows; it reports 10 objects with 1,000 rows"
    ]


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (Counted(9, 1_000, 60_000), "Generator reports 10 objects written; the bucket has 9"),
        (Counted(11, 1_000, 60_000), "Generator reports 10 objects written; the bucket has 11"),
        (Counted(10, 999, 60_000), "Generator reports 1,000 rows written; the bucket has 999"),
        (Counted(10, 1_001, 60_000), "Generator reports 1,000 rows written; the bucket has 1,001"),
        (Counted(10, 1_000, 59_999), "Generator reports 60,000 bytes written; the bucket has 59,999"),
        (Counted(10, 1_000, 60_001), "Generator reports 60,000 bytes written; the bucket has 60,001"),
    ],
)
def test_what_the_producer_reports_must_lie_in_the_bucket(put: Counted, words: str) -> None:
    """Objects, rows and bytes must match exactly, in either direction; both figures are in the sentence."""
    assert said(put=put) == [words]


def test_rows_that_are_not_reported_are_not_compared() -> None:
    """Files sent as they are have a number and a size; how many rows they hold is not known beforehand."""
    assert said(Producer("the run", KEYS, Amount(10, None, 60_000), unique=False)) == []
    assert len(said(Producer("the run", KEYS, Amount(9, None, 60_000), unique=False))) == 1


@pytest.mark.parametrize("asked", [Amount(11, 1_000, None), Amount(10, 1_001, None), Amount(9, 1_000, None)])
def test_the_producer_must_report_what_was_requested(asked: Amount) -> None:
    """A generator that honestly writes less, or more, than its settings say is still found."""
    (words,) = said(replace(PRODUCER, asked=asked))
    assert words == (
        f"Generator was to write {asked.files} objects with {asked.rows:,} rows; it reports 10 objects with 1,000 rows"
    )


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (THERE, None),
        (Counted(0, 0, 0), "0 objects with 0 rows"),
        (Counted(9, 1_000, 60_000), "9 objects with 1,000 rows"),
        (Counted(11, 1_000, 60_000), "11 objects with 1,000 rows"),
        (Counted(10, 999, 60_000), "10 objects with 999 rows"),
    ],
)
def test_a_producer_without_a_report_is_compared_with_what_was_requested(put: Counted, words: str | None) -> None:
    """A generator that does nothing, or fails each time, reports nothing: what was requested must exist."""
    silent = replace(PRODUCER, said=None, apart=("3 invocations of Generator ended without figures",))
    told = said(silent, put=put, settled=Counted(10, 1_000, 60_000), distinct_rows=990)
    asked = "Generator was to write 10 objects with 1,000 rows; the bucket has"
    assert told == ([f"{asked} {words} (3 invocations of Generator ended without figures)"] if words else [])


def test_of_work_without_a_report_there_may_be_more_in_the_bucket_but_not_less() -> None:
    """An invocation that was killed may have written any part of its tick; all of it must exist in the end."""
    asked = Amount(15, 1_500, None)
    silent = replace(PRODUCER, apart=("1 invocation of Generator ended without figures",), asked=asked)
    assert said(silent, put=Counted(15, 1_500, 90_000)) == []
    assert said(silent, put=Counted(14, 1_400, 84_000)) == [
        "Generator was to write 15 objects with 1,500 rows; the bucket has 14 objects with 1,400 rows "
        "(1 invocation of Generator ended without figures)"
    ]
    assert "Generator reports 10 objects written; the bucket has 9" in said(silent, put=Counted(9, 1_500, 90_000))


def test_rows_that_are_made_up_differ_in_their_keys() -> None:
    """Generated rows that replace each other are lost although every item is right; users' files may repeat keys."""
    assert said(distinct_rows=989) == ["Generator wrote 990 rows, whose keys should all differ; only 989 do"]
    assert said(replace(PRODUCER, unique=False), distinct_rows=989) == []


def test_settled_objects_of_others_say_nothing_of_made_up_rows() -> None:
    """As many objects are settled as were made up, but some are others', whose rows may repeat keys."""
    assert said(settled_put=(9,), distinct_rows=500) == []
    # There are other objects beside them, whose keys do not matter.
    assert said(distinct_rows=989, settled=Counted(11, 1_000, 60_000), consumer=None) == []
    assert said(distinct_rows=989, changed=True) == []


def test_several_producers_are_distinguished() -> None:
    """Each is compared with its own objects."""
    other = Producer("Other", re.compile("more/.*"), Amount(1, 5, 50), unique=False)
    seen = replace(SEEN, put=(THERE, Counted(1, 4, 50)), settled_put=(10, 1), settled=Counted(11, 1_004, 60_050))
    told = disagreements(Ledgers((PRODUCER, other)), seen)
    assert list(told) == ["Other reports 5 rows written; the bucket has 4"]


def test_the_request_is_compared_with_the_bucket_only_without_a_report() -> None:
    """If the report matches the request, one sentence about the bucket is enough."""
    assert said(put=Counted(9, 1_000, 60_000)) == ["Generator reports 10 objects written; the bucket has 9"]
    changed = said(replace(PRODUCER, said=None), put=Counted(10, 1_200, 70_000), changed=True)
    assert changed == []


def test_an_object_that_was_put_again_may_have_grown() -> None:
    """Somebody corrected it: the bucket may have more than its producer wrote."""
    assert said(put=Counted(10, 1_200, 70_000), changed=True) == []
    assert len(said(put=Counted(10, 900, 60_000), changed=True)) == 1


def test_what_was_put_again_counts_again() -> None:
    """Although an invocation was silent, more objects or rows are what was put again; fewer are a difference."""
    silent = replace(PRODUCER, said=None, apart=("1 invocation of Generator ended without figures",))
    assert said(silent, put=Counted(12, 1_200, 70_000), changed=True) == []
    assert len(said(silent, put=Counted(12, 1_200, 70_000))) == 1
    for fewer in (Counted(9, 1_200, 70_000), Counted(12, 999, 70_000)):
        assert len(said(silent, put=fewer, changed=True)) == 1


@pytest.mark.parametrize("counted", [989, 991])
def test_what_the_consumer_reports_must_be_what_the_store_accepted(counted: int) -> None:
    """The figures match to the row, in either direction."""
    assert said(counted=counted) == [f"Consumer reports 990 rows written; the store accepted {counted}"]


def test_requests_without_an_answer_may_have_been_accepted() -> None:
    """The store may have accepted up to as many more rows as were in them."""
    unanswered = replace(CONSUMER, rows_unanswered=25)
    assert said(consumer=unanswered) == said(consumer=unanswered, counted=1_015) == []
    assert len(said(consumer=unanswered, counted=1_016)) == len(said(consumer=unanswered, counted=989)) == 1
    assert Ledgers((PRODUCER,), unanswered).apart == ("25 rows of Consumer were in requests without an answer",)


def test_invocations_without_a_report_may_have_written_any_number() -> None:
    """The store may have accepted any number more, but never less than what was reported."""
    silent = replace(CONSUMER, apart=("2 invocations of Consumer ended without figures",))
    assert said(consumer=replace(silent, rows_read=5), counted=100_000) == []
    assert len(said(consumer=silent, counted=989)) == 1
    assert Ledgers((), silent).apart == silent.apart


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ({"rows_read": 999}, "Consumer reports 999 rows read; the audit counts 1,000"),
        ({"rows_read": 1_001}, "Consumer reports 1,001 rows read; the audit counts 1,000"),
        ({"rows_rejected": 9}, "Consumer reports 9 rows rejected; the audit counts 10"),
        ({"rows_rejected": 11}, "Consumer reports 11 rows rejected; the audit counts 10"),
    ],
)
def test_what_the_consumer_reads_and_rejects_is_what_the_audit_reads(report: dict[str, int], words: str) -> None:
    """If each object was ingested once, both counts are the audit's own."""
    assert said(consumer=replace(CONSUMER, **report)) == [words]


def test_objects_that_were_ingested_twice_are_read_more_often() -> None:
    """A redelivery reads its rows again; none may be read less than once."""
    twice = replace(CONSUMER, objects=11, rows_read=1_100, rows_rejected=11)
    assert said(consumer=twice) == []
    assert len(said(consumer=replace(twice, rows_read=999))) == 1


def test_rows_read_are_not_compared_where_messages_failed_or_contents_changed() -> None:
    """How much was read of a message that failed, or of a content that is gone, is unknown."""
    assert said(consumer=replace(CONSUMER, rows_read=5, messages_failed=1)) == []
    assert said(consumer=replace(CONSUMER, rows_read=5), changed=True) == []


def test_an_invocation_whose_own_figures_contradict_each_other_is_reported() -> None:
    """Rows read are written, replaced or rejected; there is no fourth possibility."""
    assert said(consumer=replace(CONSUMER, unbalanced=3)) == [
        "Consumer: in 3 invocations, the rows read are not the sum of those written, replaced and rejected"
    ]


def test_of_a_sample_no_total_of_rows_is_compared() -> None:
    """What was not read cannot disagree; what the consumer wrote is still held against what the store accepted."""
    few = Counted(10, 1, 60_000)
    sample: dict[str, Any] = {"put": few, "settled": Counted(1, 1, 1), "distinct_rows": 0, "whole": False}
    assert said(**sample) == said(replace(PRODUCER, said=None), **sample) == []
    assert said(replace(PRODUCER, said=Amount(10, 1_000, 60_000)), **{**sample, "settled": few}) == []
    assert len(said(counted=989, **sample)) == 1


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (Counted(9, 1, 60_000), "Generator reports 10 objects written; the bucket has 9"),
        (Counted(11, 1, 60_000), "Generator reports 10 objects written; the bucket has 11"),
        (Counted(10, 1, 59_999), "Generator reports 60,000 bytes written; the bucket has 59,999"),
    ],
)
def test_of_a_sample_all_objects_are_counted(put: Counted, words: str) -> None:
    """They are listed before any is drawn: an object that is gone from the bucket is a difference, drawn or not."""
    assert said(put=put, settled=Counted(1, 1, 1), whole=False) == [words]
    (asked,) = said(replace(PRODUCER, said=None), put=replace(put, files=9), settled=Counted(1, 1, 1), whole=False)
    assert asked == "Generator was to write 10 objects with 1,000 rows; the bucket has 9 objects"
