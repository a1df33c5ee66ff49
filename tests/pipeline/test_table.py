"""Writing to the table: slots, pauses and the end of time, on a loop whose clock jumps to whatever is due next."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest

from fakes.jumping import run
from pipeline import table
from pipeline.budget import Budget
from pipeline.counts import ConsumerCounts
from pipeline.failures import MessageFailure, OutOfTime
from pipeline.items import Items, Key
from pipeline.rows import RejectedRow
from pipeline.table import ObjectWriter, TableWriter, WriteError, kind_of

pytestmark = pytest.mark.usefixtures("sent_at_once")
FOREVER = Budget(0.0, 1e9, 1e9)


class Scripted:
    """A transport that answers according to how often a request's first row has come, and records what came when."""

    def __init__(self, answer: Callable[[int], list[Key]]) -> None:
        self.answer = answer
        self.asked: list[tuple[float, tuple[str, ...]]] = []
        self.timeouts_s: list[float] = []
        self.answering: tuple[str, ...] = ()

    async def write(self, puts: Iterable[str], timeout_s: float) -> list[Key]:
        """Like a transport; the other tasks have a turn before it answers."""
        rows = tuple(puts)
        self.asked.append((asyncio.get_running_loop().time(), rows))
        self.timeouts_s.append(timeout_s)
        await asyncio.sleep(0)
        self.answering = rows
        return self.answer(len(self._instants(rows[0])))

    def pauses(self, row: str) -> list[float]:
        """The time between requests with this first row."""
        return [later - earlier for earlier, later in pairwise(self._instants(row))]

    def _instants(self, row: str) -> list[float]:
        return [at for at, rows in self.asked if rows[0] == row]


def lines(first: int, last: int) -> Items:
    """The rows of these lines, each with its line as key and put request."""
    numbers = range(first, last + 1)
    return Items([(str(line), "x") for line in numbers], numbers, [str(line) for line in numbers])


def refuse(kind: table.Kind, times: int = 10**9) -> Callable[[int], list[Key]]:
    """An answer that refuses each request this many times, and then accepts it."""

    def answer(request: int) -> list[Key]:
        if request <= times:
            raise WriteError("Code", "as told", kind)
        return []

    return answer


async def write(transport: Scripted, *objects: Items, seed: str = "seed", budget: Budget = FOREVER) -> ConsumerCounts:
    """Write these objects concurrently."""
    counts, table_writer = ConsumerCounts(), TableWriter(transport, 32)

    async def one(items: Items) -> None:
        writer = ObjectWriter(table_writer, budget, counts, seed)
        await writer.add(items)
        await writer.finish()

    await asyncio.gather(*map(one, objects))
    return counts


async def test_a_limited_number_of_requests_is_in_flight_at_once():
    """Objects share the slots; a slot is returned whatever happens to the request, even if the writer is cancelled."""
    answered, transport = asyncio.Event(), Scripted(lambda _: [])
    under_way: list[int] = []

    async def slowly(puts: Iterable[str], _timeout_s: float) -> list[Key]:
        under_way.append(sum(1 for _ in puts))
        await answered.wait()
        under_way.pop()
        return []

    transport.write = slowly  # type: ignore[method-assign]
    table_writer = TableWriter(transport, 2)
    writers = [ObjectWriter(table_writer, FOREVER, ConsumerCounts(), "seed") for _ in range(3)]
    adding = [asyncio.ensure_future(writer.add(lines(2, 51))) for writer in writers]
    for _ in range(5):
        await asyncio.sleep(0)
    assert under_way == [25, 25]

    adding[1].cancel()
    await asyncio.wait([adding[1]])
    await writers[0].abandon()
    answered.set()
    await asyncio.wait_for(asyncio.gather(adding[0], adding[2]), 5)
    for writer in writers[1:]:
        await writer.finish()
    assert table_writer.slots.free == 2


def pauses_of(order: list[int], seed: str) -> dict[int, list[float]]:
    """The pauses of batches that begin at these lines, each refused seven times, when they are begun in this order."""
    transport = Scripted(refuse("transient", 7))
    run(write(transport, *(lines(line, line + 3) for line in order), seed=seed))
    return {line: transport.pauses(str(line)) for line in sorted(order)}


def test_pauses_come_from_the_environment_and_the_rows_and_not_from_the_order_of_tasks():
    """The twin repeats itself; two environments, and two batches of one, do not pause in step."""
    first = pauses_of([2, 27, 52], "one")

    assert pauses_of([52, 2, 27], "one") == first
    assert pauses_of([27], "one")[27] == first[27]
    assert pauses_of([2, 27, 52], "two") != first
    assert len({pause for pauses in first.values() for pause in pauses}) == 21


def test_pauses_have_full_jitter_up_to_a_bound_that_doubles():
    """The n-th pause is up to 25 ms doubled n times, at most two seconds."""
    many = [pauses_of([2], str(seed))[2] for seed in range(60)]

    for n, pauses in enumerate(zip(*many, strict=True), 1):
        bound = min(2.0, 0.025 * 2**n)
        assert max(pauses) <= bound
        assert max(pauses) > 0.8 * bound
        assert min(pauses) < 0.2 * bound


def test_progress_makes_pauses_short_again_but_not_the_same():
    """A table that takes one row at a time is tried again soon, each time after a different pause."""
    transport = Scripted(lambda _: [])
    transport.answer = lambda _: [(row, "x") for row in transport.answering[:-1]]

    counts = run(write(transport, lines(2, 13)))

    pauses = transport.pauses("2")
    assert (len(pauses), len(set(pauses))) == (11, 11)
    assert max(pauses) < 0.6  # which is the write rate's own, not the back-off's
    assert (counts.rows_written, counts.unprocessed_items, counts.batch_writes) == (12, 66, 12)


@pytest.mark.parametrize("times", [table.TRANSIENT_MAX - 1, table.TRANSIENT_MAX])
def test_a_table_out_of_order_is_tried_a_limited_number_of_times(times):
    """Seven failures in a row are tolerated; the eighth fails the message, which may come again."""
    transport = Scripted(refuse("transient", times))
    writing = write(transport, lines(2, 4))
    if times < table.TRANSIENT_MAX:
        assert run(writing).rows_written == 3
    else:
        with pytest.raises(MessageFailure, match="writing to the table: Code: as told") as failure:
            run(writing)
        assert not failure.value.permanent
    assert len(transport.asked) == 8


def test_throttles_are_borne_for_as_long_as_there_is_time():
    """They are not failures: only the budget ends them, and no pause reaches its soft end."""
    transport = Scripted(refuse("throttled"))

    with pytest.raises(OutOfTime):
        run(write(transport, lines(2, 4), budget=Budget(0.0, 20.0, 21.0)))

    assert len(transport.asked) > 15
    assert 15 < transport.asked[-1][0] < 20


@pytest.mark.parametrize(("firm_at", "timeout_s"), [(100.0, table.REQUEST_TIMEOUT_S), (3.0, 3.0), (0.0, None)])
def test_a_request_may_take_what_is_left_until_the_firm_end(firm_at, timeout_s):
    """It takes at most its own limit; without any time left it is not begun."""
    transport = Scripted(lambda _: [])
    writing = write(transport, lines(2, 4), budget=Budget(0.0, 0.0, firm_at))
    if timeout_s is None:
        with pytest.raises(OutOfTime):
            run(writing)
    else:
        run(writing)
    assert transport.timeouts_s == ([] if timeout_s is None else [timeout_s])


@pytest.mark.parametrize(
    ("rows", "requests"), [(0, []), (1, [1]), (24, [24]), (25, [25]), (26, [1, 25]), (75, [25, 25, 25])]
)
async def test_rows_go_out_by_twenty_five(rows, requests):
    """A full request is sent at once, the rest when the object ends."""
    transport = Scripted(lambda _: [])
    writer = ObjectWriter(TableWriter(transport, 32), FOREVER, ConsumerCounts(), "seed")

    await writer.add(lines(2, rows + 1))
    await asyncio.sleep(0)
    assert len(transport.asked) == rows // 25
    await writer.finish()

    assert sorted(len(rows) for _, rows in transport.asked) == requests
    assert sorted(int(row) for _, rows in transport.asked for row in rows) == list(range(2, rows + 2))


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ProvisionedThroughputExceededException", 400, "throttled"),
        ("ThrottlingException", 400, "throttled"),
        ("RequestLimitExceeded", 400, "throttled"),
        ("ExpiredTokenException", 400, "transient"),
        ("ValidationException", 400, "invalid"),
        ("ResourceNotFoundException", 400, "permanent"),
        ("Anything", 500, "transient"),
        ("", 499, "permanent"),
        ("", 430, "permanent"),
        ("", 429, "transient"),
        ("", 403, "permanent"),
    ],
)
def test_what_helps_is_known_by_the_code_or_else_by_the_status(code, status, kind):
    """The codes are from the Developer Guide's error table; 5xx is the service's own fault, 429 needs patience."""
    assert kind_of(code, status) == kind


async def test_a_request_never_has_two_rows_of_one_key():
    """DynamoDB refuses such a request whole. The later row replaces the earlier one, which counts as a duplicate."""
    transport = Scripted(lambda _: [])
    counts = ConsumerCounts()
    writer = ObjectWriter(TableWriter(transport, 1), FOREVER, counts, "seed")
    keys = {name: (name, "x") for name in "ABC"}

    await writer.add(Items([keys["A"], keys["B"], keys["A"]], [2, 3, 4], ["A2", "B3", "A4"]))
    await writer.add(Items([keys["B"], keys["C"]], [5, 6], ["B5", "C6"]))
    await writer.finish()

    assert [rows for _, rows in transport.asked] == [("A4", "B5", "C6")]
    assert (counts.rows_duplicate, counts.rows_written) == (2, 3)


async def test_rows_of_several_blocks_share_a_request_up_to_its_bound():
    """A waiting batch is filled up first."""
    transport = Scripted(lambda _: [])
    writer = ObjectWriter(TableWriter(transport, 1), FOREVER, ConsumerCounts(), "seed")

    await writer.add(lines(2, 11))
    await writer.add(lines(12, 51))
    await writer.finish()

    assert [(rows[0], rows[-1]) for _, rows in transport.asked] == [("2", "26"), ("27", "51")]


def test_a_successor_waits_until_the_earlier_row_is_stored():
    """It waits however often that takes; another key does not wait for it."""
    transport = Scripted(lambda _: [])
    transport.answer = lambda request: [("2", "x")] if transport.answering[0] == "2" and request < 3 else []
    later = Items(lines(2, 26).keys, range(52, 77), [f"new {line}" for line in range(2, 27)])

    async def both() -> None:
        writer = ObjectWriter(TableWriter(transport, 32), FOREVER, ConsumerCounts(), "seed")
        await writer.add(lines(2, 51))
        await writer.add(later)
        await writer.finish()

    run(both())

    assert [(rows[0], len(rows)) for _, rows in transport.asked] == [
        ("2", 25), ("27", 25), ("2", 1), ("2", 1), ("new 2", 25)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("takes_s", "firm_at", "settled_at", "stored"), [(3.0, 5.0, 3.0, 4), (100.0, 5.0, 5.0, 0), (100.0, 0.5, 1.0, 0)]
)
def test_what_is_in_flight_may_end_until_the_firm_end(takes_s, firm_at, settled_at, stored):
    """A request that was sent may still be stored; after the firm end it is cancelled, and its slot is free again."""
    transport = Scripted(lambda _: [])

    async def slowly(_puts: Iterable[str], _timeout_s: float) -> list[Key]:
        await asyncio.sleep(takes_s)
        return []

    async def settle() -> tuple[float, int, int]:
        table_writer, counts = TableWriter(transport, 3), ConsumerCounts()
        writer = ObjectWriter(table_writer, Budget(0.0, 1.0, firm_at), counts, "seed")
        await writer.settle()
        await writer.add(lines(2, 5))
        finishing = asyncio.ensure_future(writer.finish())
        await asyncio.sleep(1.0)
        finishing.cancel()
        await writer.settle()
        return asyncio.get_running_loop().time(), table_writer.slots.free, counts.rows_written

    transport.write = slowly  # type: ignore[method-assign]
    assert run(settle()) == (settled_at, 3, stored)


async def test_after_a_failure_nothing_more_is_sent():
    """What a retry cannot fix is sent once; whoever adds rows gets the failure, and no slot is lost."""
    transport = Scripted(refuse("permanent"))
    table_writer = TableWriter(transport, 1)
    writer = ObjectWriter(table_writer, FOREVER, ConsumerCounts(), "seed")

    await writer.add(lines(2, 26))
    with pytest.raises(MessageFailure, match="writing to the table: Code: as told") as failure:
        await writer.add(lines(27, 51))

    assert failure.value.permanent
    assert len(transport.asked) == 1
    assert table_writer.slots.free == 1


@pytest.mark.parametrize("second", ["permanent", "invalid"])
async def test_the_first_failure_is_the_one_that_is_reported(second):
    """Those that follow are often its consequences."""
    transport = Scripted(lambda _: [])

    def answer(_request: int) -> list[Key]:
        if transport.answering[0] == "27":
            raise WriteError("First", "as told", "permanent")
        raise WriteError("Another", "as told", second)

    transport.answer = answer
    writer = ObjectWriter(TableWriter(transport, 2), FOREVER, ConsumerCounts(), "seed")
    await writer.add(lines(27, 51))
    await writer.add(lines(2, 26))
    with pytest.raises(MessageFailure, match="First: as told"):
        await writer.finish()

    assert len(transport.asked) == (2 if second == "permanent" else 50)


def picky(transport: Scripted, bad: Callable[[str], bool]) -> Callable[[int], list[Key]]:
    """An answer that refuses a request because of such a row, and names the first."""

    def answer(_request: int) -> list[Key]:
        if found := [row for row in transport.answering if bad(row)]:
            raise WriteError("ValidationException", f"row {found[0]}", "invalid")
        return []

    return answer


async def test_a_row_that_dynamodb_refuses_is_found_by_halving():
    """All others are stored; the row is reported with its line, the reason and what was sent."""
    transport, counts = Scripted(lambda _: []), ConsumerCounts()
    transport.answer = picky(transport, lambda row: row == "5")
    writer = ObjectWriter(TableWriter(transport, 1), FOREVER, counts, "seed")

    await writer.add(lines(2, 9))
    await writer.finish()

    assert [(rows[0], rows[-1]) for _, rows in transport.asked] == [
        ("2", "9"), ("2", "5"), ("2", "3"), ("4", "5"), ("4", "4"), ("5", "5"), ("6", "9")
    ]  # fmt: skip
    assert writer.refused == [
        RejectedRow(5, "DynamoDB refused the row: ValidationException: row 5", ("5",), "DynamoDB refused the row")
    ]
    assert counts.rows_written == 7


async def test_a_table_that_never_took_a_row_refuses_no_row():
    """The message fails permanently, with the error for its first row: this is not the expected table."""
    transport = Scripted(lambda _: [])
    transport.answer = picky(transport, lambda _: True)
    writer = ObjectWriter(TableWriter(transport, 1), FOREVER, ConsumerCounts(), "seed")

    await writer.add(lines(2, 4))
    with pytest.raises(MessageFailure, match="DynamoDB refused the row: ValidationException: row 2") as failure:
        await writer.finish()

    assert failure.value.permanent
    assert writer.refused == []


@pytest.mark.parametrize(("kind", "throttled", "unprocessed"), [("throttled", 1, 0), (None, 0, 1)])
def test_a_refusal_for_want_of_capacity_slows_all_writers(kind, throttled, unprocessed):
    """Whether it refuses a whole request or a part, the rate drops to seven tenths of what the table has taken."""
    transport, counts = Scripted(lambda _: []), ConsumerCounts()
    table_writer = TableWriter(transport, 1)

    async def main() -> float | None:
        writer = ObjectWriter(table_writer, FOREVER, counts, "seed")
        await writer.add(lines(2, 226))
        await writer.finish()
        transport.answer = refuse(kind, 1) if kind else lambda _: [("227", "x")]
        await writer.add(lines(227, 251))
        for _ in range(5):
            await asyncio.sleep(0)
        rate = table_writer.rate.rows_per_s
        await writer.abandon()
        return rate

    rate = run(main())
    taken = (225 + (24 if kind is None else 0)) / 0.25
    assert rate == pytest.approx(0.7 * taken)
    assert (counts.throttled_requests, counts.unprocessed_items) == (throttled, unprocessed)


def at_25_rows_per_s(budget: Budget) -> Scripted:
    """The requests for three requests' worth of rows at one request per second."""
    transport = Scripted(lambda _: [])

    async def main() -> None:
        writer = ObjectWriter(TableWriter(transport, 32, 25.0), budget, ConsumerCounts(), "seed")
        await writer.add(lines(2, 76))
        await writer.finish()

    with contextlib.suppress(OutOfTime):
        run(main())
    return transport


def test_the_rate_is_kept_and_counts_against_the_time():
    """A request that waited for its turn has the time left then; a turn at the soft end is too late."""
    transport = at_25_rows_per_s(Budget(0.0, 2.5, 3.0))
    assert [at for at, _ in transport.asked] == [0.0, 1.0, 2.0]
    assert transport.timeouts_s == [3.0, 2.0, 1.0]
    assert [at for at, _ in at_25_rows_per_s(Budget(0.0, 1.0, 3.0)).asked] == [0.0]


def test_progress_makes_earlier_failures_forgotten():
    """Seven failures in a row are tolerated, and seven more after a row was stored."""
    transport = Scripted(lambda _: [])

    def answer(request: int) -> list[Key]:
        if request in (8, 16):
            return [("2", "x")] if request == 8 else []
        raise WriteError("Code", "as told", "transient")

    transport.answer = answer

    assert run(write(transport, lines(2, 4))).rows_written == 3
    assert len(transport.asked) == 16
