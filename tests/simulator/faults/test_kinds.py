"""Each kind of fault is there for a reason: a good handler survives it, and it brings out the flaw of another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simulator.faults import kinds

TESTS = Path(__file__).parents[2]
Puts = tuple[tuple[float, str, str], ...]
ONE: Puts = ((60, "in/a", "12\n34\n56\n"),)
TWO: Puts = (*ONE, (180, "in/b", "78\n90\n"))
SOON: Puts = (*ONE, (61, "in/b", "78\n90\n"))
NUMBERS: Puts = ((60, "in/a", "12"), (180, "in/b", "30"))
REPLACED: Puts = ((60, "in/a", "first!"), (61, "in/a", "other?"))
APART: Puts = ((60, "in/a", "first!"), (180, "in/b", "other?"))
LATER: Puts = ((600, "in/a", "12\n34\n56\n"),)
Strike = tuple[str, int, float]


@dataclass(frozen=True)
class Pair:
    """A survivor and a victim of some faults, as functions of tests/faulty, and what holds without these.

    They are workers, or, with ticks and without objects, clocks, unless there is a clock for both.
    """

    faults: tuple[Strike, ...]
    survivor: str
    victim: str
    holds: str
    puts: Puts = ONE
    ticks: int = 0
    clock: str = ""

    def handlers(self, handler: str) -> dict[str, str]:
        """The template's parameters with one of the two."""
        if self.clock:
            return {"Worker": handler, "Clock": self.clock}
        return {"Clock" if self.ticks else "Worker": handler}


def worker(survivor: str, victim: str, holds: str, *faults: Strike, puts: Puts = ONE) -> Pair:
    """A pair of workers."""
    return Pair(faults, survivor, victim, holds, puts)


def clock(survivor: str, victim: str, holds: str, *faults: Strike, ticks: int = 2) -> Pair:
    """A pair of clocks."""
    return Pair(faults, survivor, victim, holds, (), ticks)


def stepper(survivor: str, victim: str, holds: str, *faults: Strike, sends: str) -> Pair:
    """A pair of workers that follow the steps that a clock sends."""
    return Pair(faults, survivor, victim, holds, (), 1, sends)


LINES, TICKS, ORDERS = "every_line_has_its_row", "each_tick_has_its_object", "every_order_is_stored_and_gone"
COUNTS = "each_object_counts_once"

# S3's test event is the first message: the object's is received, and invokes the worker, after it.
PAIRS: dict[str, Pair] = {
    "s3-slow-down": worker("objects.stores", "objects.gives_way", LINES, ("s3.GetObject", 0, 0)),
    "s3-internal-error": worker("objects.stores", "objects.takes_any_error_for_gone", LINES, ("s3.GetObject", 0, 0)),
    "s3-no-answer": clock("ticks.puts", "ticks.puts_and_looks_away", TICKS, ("s3.PutObject", 0, 3)),
    "s3-answer-lost": clock("ticks.puts", "ticks.puts_another", TICKS, ("s3.PutObject", 0, 3)),
    "s3-cut-short": worker("objects.stores", "objects.takes_short_for_whole", LINES, ("s3.GetObject", 0, 0.7)),
    "s3-slow": worker("objects.stores", "objects.has_no_patience", LINES, ("s3.GetObject", 0, 30)),
    "s3-gone": worker(
        "objects.archives", "objects.archives_what_is_gone", "what_is_called_archived_is", ("s3.GetObject", 0, 0)
    ),
    "s3-replaced": worker(
        "objects.reads_one_version",
        "objects.reads_in_two_parts",
        "every_text_was_one_of_an_object",
        ("s3.GetObject", 3, 0),
        puts=APART,
    ),
    "notification-late": worker("objects.stores", "objects.drops_old_events", LINES, ("s3.notification", 0, 90)),
    "notification-twice": worker("objects.counts_once", "objects.counts_messages", COUNTS, ("s3.notification", 0, 30)),
    "notification-out-of-order": worker(
        "objects.keeps_the_newest",
        "objects.keeps_the_last",
        "every_row_is_about_the_newest_object",
        ("s3.notification", 0, 60),
        puts=REPLACED,
    ),
    "notification-together": worker(
        "objects.stores", "objects.stores_the_first_record", LINES, ("s3.notification", 0, 60), puts=SOON
    ),
    "sqs-delivered-twice": worker("objects.counts_once", "objects.counts", COUNTS, ("sqs.ReceiveMessage", 1, 0)),
    "sqs-out-of-order": stepper(
        "messages.keeps_the_highest_step",
        "messages.keeps_the_last_step",
        "the_last_step_is_kept",
        ("sqs.ReceiveMessage", 1, 0),
        sends="messages.sends_steps",
    ),
    "sqs-empty-receive": clock(
        "messages.drains", "messages.drains_until_an_empty_answer", ORDERS, ("sqs.ReceiveMessage", 1, 0), ticks=1
    ),
    "sqs-receive-lost": worker("objects.stores", "objects.stores_new_messages", LINES, ("sqs.ReceiveMessage", 1, 0)),
    "sqs-delete-failed": clock(
        "messages.drains", "messages.drains_and_looks_away", ORDERS, ("sqs.DeleteMessageBatch", 1, 0), ticks=1
    ),
    "sqs-delete-lost": worker("objects.counts_once", "objects.counts", COUNTS, ("sqs.DeleteMessageBatch", 1, 0)),
    "sqs-delete-answer-lost": clock(
        "messages.drains",
        "messages.undoes_what_it_cannot_delete",
        ORDERS,
        ("sqs.DeleteMessageBatch", 1, 0),
        ("sqs.DeleteMessage", 1, 0),
        ticks=1,
    ),
    "sqs-visibility-late": clock(
        "messages.works_long",
        "messages.trusts_its_visibility",
        "the_job_counts_once",
        ("sqs.ChangeMessageVisibility", 0, 110),
    ),
    "dynamodb-throttled-some": worker(
        "rows.writes_all", "rows.writes_once", LINES, ("dynamodb.BatchWriteItem", 0, 0.5)
    ),
    "dynamodb-throttled": worker(
        "rows.writes_at_once", "rows.writes_at_once_and_looks_away", LINES, ("dynamodb.PutItem", 0, 120)
    ),
    "dynamodb-internal-error": worker(
        "rows.creates", "rows.takes_any_error_for_there", LINES, ("dynamodb.PutItem", 1, 0)
    ),
    "dynamodb-no-answer": worker(
        "rows.adds_up",
        "rows.begins_again",
        "the_sum_is_right",
        ("dynamodb.TransactWriteItems", 1, 2),
        ("dynamodb.GetItem", 1, 2),
        puts=NUMBERS,
    ),
    "dynamodb-answer-lost": worker(
        "objects.counts_once",
        "objects.marks_then_counts",
        COUNTS,
        ("dynamodb.TransactWriteItems", 0, 2),
        ("dynamodb.PutItem", 0, 2),
    ),
    "dynamodb-applied-late": worker(
        "rows.tells_how_far", "rows.tells_the_last", "the_work_is_done", ("dynamodb.PutItem", 0, 10)
    ),
    "dynamodb-damaged": worker(
        "objects.counts_once",
        "objects.counts",
        COUNTS,
        ("dynamodb.TransactWriteItems", 0, 0),
        ("dynamodb.UpdateItem", 0, 0),
    ),
    "dynamodb-slow": worker("rows.stops_in_time", "rows.stops_and_is_done", LINES, ("dynamodb.PutItem", 0, 15)),
    "lambda-init-failed": clock(
        "ticks.puts", "ticks.puts_by_the_clock", TICKS, ("init.Clock", 0, 0), ("init.Clock", 1, 0)
    ),
    "lambda-init-slow": worker(
        "objects.stores", "objects.drops_old_messages", LINES, ("init.Worker", 1, 9), puts=LATER
    ),
    "lambda-crash": worker("objects.counts_once", "objects.marks_then_counts", COUNTS, ("invoke.Worker", 1, 2)),
    "lambda-out-of-memory": worker(
        "objects.moves",
        "objects.moves_the_other_way_round",
        "every_object_is_in_the_archive",
        ("invoke.Worker", 1, 6),
    ),
    "lambda-deadline": worker(
        "rows.works_again", "rows.leaves_what_is_begun", "the_work_is_done", ("invoke.Worker", 1, 9)
    ),
    "lambda-throttled": clock(
        "ticks.keeps_the_latest", "ticks.keeps_the_last", "the_latest_tick_is_kept", ("invoke.Clock", 0, 100)
    ),
    "lambda-frozen": worker("objects.stores", "objects.trusts_its_connection", LINES, ("s3.GetObject", 1, 0), puts=TWO),
    "lambda-clock-apart": stepper(
        "messages.keeps_the_highest_step",
        "messages.keeps_the_latest_step",
        "the_second_step_is_kept",
        ("init.Worker", 0, 5),
        sends="messages.sends_steps_apart",
    ),
    "tick-twice": clock("ticks.counts_once", "ticks.counts", "each_tick_counts_once", ("tick.ClockEveryMinute", 0, 20)),
    "tick-late": clock("ticks.puts", "ticks.puts_by_the_clock", TICKS, ("tick.ClockEveryMinute", 0, 65)),
    "iam-denied": worker("objects.stores", "objects.takes_denied_for_final", LINES, ("s3.GetObject", 0, 60)),
    "credentials-expired": worker("objects.stores", "objects.reports_to_nobody", LINES, ("s3.GetObject", 0, 60)),
}


@dataclass
class Worlds:
    """Asks `python -m faulty` for worlds; each different one runs once."""

    process: subprocess.Popen[str]
    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(self, pair: Pair, handler: str, faults: list[Any]) -> dict[str, Any]:
        """The problems of a world with one of the pair, and what struck."""
        question = json.dumps(
            {
                "handlers": pair.handlers(handler),
                "puts": pair.puts,
                "ticks": pair.ticks,
                "faults": faults,
                "holds": pair.holds,
            }
        )
        if question not in self.known:
            assert self.process.stdin
            assert self.process.stdout
            print(question, file=self.process.stdin, flush=True)
            self.known[question] = json.loads(self.process.stdout.readline())
        return self.known[question]


@pytest.fixture(scope="module")
def worlds() -> Iterator[Worlds]:
    """One process for the worlds of all tests: it loads everything once."""
    environ = os.environ | {"PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-m", "faulty"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ, cwd=TESTS.parent
    ) as process:
        yield Worlds(process)


def faults_of(kind: str) -> list[list[Any]]:
    """The faults that strike a kind's pair, as JSON has them."""
    return [[site, ordinal, kind, argument] for site, ordinal, argument in PAIRS[kind].faults]


def test_each_kind_has_a_pair() -> None:
    """A kind that nobody can be hurt by, or that nobody can survive, is not in the catalogue."""
    assert PAIRS.keys() == kinds.ALL.keys()


@pytest.mark.parametrize("kind", kinds.ALL.values(), ids=lambda kind: kind.name)
def test_each_kind_says_what_it_is(kind: kinds.FaultKind) -> None:
    """It has a sentence for a story, with a place for its argument if it has one, and what it is modelled on."""
    assert kind.told
    assert kind.source
    assert ("{}" in kind.told) == (kind.unit != "")


@pytest.mark.parametrize("kind", PAIRS)
def test_the_faults_of_a_pair_may_happen(kind: str) -> None:
    """Each strikes at a site of its kind, with an argument that could have been drawn."""
    known = kinds.ALL[kind]
    for site, _, argument in PAIRS[kind].faults:
        assert known.may_strike(site)
        assert known.least <= argument <= known.most


@pytest.mark.parametrize("kind", PAIRS)
def test_a_good_handler_survives_each_kind(worlds: Worlds, kind: str) -> None:
    """What must hold does, all deliveries settle, and the fault did strike."""
    seen = worlds.run(PAIRS[kind], PAIRS[kind].survivor, faults_of(kind))
    assert seen["problems"] == {}
    assert seen["struck"]
    assert all(fault in faults_of(kind) for fault in seen["struck"])


@pytest.mark.parametrize("kind", PAIRS)
def test_each_kind_brings_out_a_flaw(worlds: Worlds, kind: str) -> None:
    """What must hold does not, and nothing else is wrong: the flaw is the handler's."""
    pair = PAIRS[kind]
    seen = worlds.run(pair, pair.victim, faults_of(kind))
    assert list(seen["problems"]) == [f"invariant checks:{pair.holds}"], seen
    assert seen["struck"]


@pytest.mark.parametrize(
    ("kind", "ends"), [("lambda-crash", "crash"), ("lambda-out-of-memory", "crash"), ("lambda-deadline", "timeout")]
)
def test_an_invocation_ends_as_the_fault_says(worlds: Worlds, kind: str, ends: str) -> None:
    """The first one does, and the message comes again; the second is a success."""
    seen = worlds.run(PAIRS[kind], PAIRS[kind].survivor, faults_of(kind))
    assert seen["deliveries"] == {ends: 1, "success": 1}


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("which", ["survivor", "victim"])
def test_without_the_fault_both_are_fine(worlds: Worlds, kind: str, which: str) -> None:
    """Nobody would see the flaw on a good day."""
    pair = PAIRS[kind]
    seen = worlds.run(pair, getattr(pair, which), [])
    assert (seen["problems"], seen["struck"]) == ({}, [])
    assert set(seen["deliveries"]) <= {"success"}
