"""Writing to the table: slots, pauses and where time ends, on a loop whose clock jumps to whatever is due next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from pipeline import table
from pipeline.budget import Budget
from pipeline.counts import ConsumerCounts
from pipeline.failures import MessageFailure, OutOfTime
from pipeline.items import Items, Key
from pipeline.table import ObjectWriter, TableWriter, WriteError

T = TypeVar("T")
FOREVER = Budget(0.0, 1e9, 1e9)


class JumpingLoop(asyncio.SelectorEventLoop):
    """Time passes only when there is nothing else to do, and then at once."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__()

    def time(self) -> float:
        """Seconds, as the loop counts them."""
        return self._now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self._now = max(self._now, self._scheduled[0].when())
        super()._run_once()


class Scripted:
    """A transport that answers by how often the first row of a request was asked for, and remembers what came when."""

    def __init__(self, answer: Callable[[int], list[Key]]) -> None:
        self.answer = answer
        self.asked: list[tuple[float, tuple[str, ...]]] = []
        self.timeouts_s: list[float] = []

    async def write(self, puts: Iterable[str], timeout_s: float) -> list[Key]:
        """As a transport does; the other tasks have a turn before it answers."""
        rows = tuple(puts)
        self.asked.append((asyncio.get_running_loop().time(), rows))
        self.timeouts_s.append(timeout_s)
        await asyncio.sleep(0)
        return self.answer(len(self._instants(rows[0])))

    def pauses(self, row: str) -> list[float]:
        """The time between requests whose first row is this."""
        return [later - earlier for earlier, later in pairwise(self._instants(row))]

    def _instants(self, row: str) -> list[float]:
        return [at for at, rows in self.asked if rows[0] == row]


def run(main: Coroutine[Any, Any, T]) -> T:
    """The result of `main` on a loop of its own that waits for nothing."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)


def lines(first: int, last: int) -> Items:
    """The rows of these lines, each line its own key and put request."""
    numbers = range(first, last + 1)
    return Items([(str(line), "x") for line in numbers], numbers, [str(line) for line in numbers])


def refuse(kind: table.Kind, times: int = 10**9) -> Callable[[int], list[Key]]:
    """An answer that refuses each request so often, and takes it then."""

    def answer(request: int) -> list[Key]:
        if request <= times:
            raise WriteError("Code", "as told", kind)
        return []

    return answer


async def write(transport: Scripted, *objects: Items, seed: str = "seed", budget: Budget = FOREVER) -> ConsumerCounts:
    """Write these objects side by side."""
    counts, table_writer = ConsumerCounts(), TableWriter(transport, 32)

    async def one(items: Items) -> None:
        writer = ObjectWriter(table_writer, budget, counts, seed)
        await writer.add(items)
        await writer.finish()

    await asyncio.gather(*map(one, objects))
    return counts


async def test_so_many_requests_are_under_way_at_once_and_no_more():
    """Objects share the slots; a slot comes back whatever became of the request, a cancelled writer's as well."""
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
    assert table_writer.slots._value == 2


def pauses_of(order: list[int], seed: str) -> dict[int, list[float]]:
    """The pauses of batches that begin at these lines, each refused six times, when they are begun in this order."""
    transport = Scripted(refuse("transient", 6))
    run(write(transport, *(lines(line, line + 3) for line in order), seed=seed))
    return {line: transport.pauses(str(line)) for line in sorted(order)}


def test_pauses_come_from_the_environment_and_the_rows_and_not_from_the_order_of_tasks():
    """The twin repeats itself; two environments, and two batches of one, do not pause in step."""
    first = pauses_of([2, 27, 52], "one")

    assert pauses_of([52, 2, 27], "one") == first
    assert pauses_of([27], "one")[27] == first[27]
    assert pauses_of([2, 27, 52], "two") != first
    assert len({pause for pauses in first.values() for pause in pauses}) == 18


def test_pauses_have_full_jitter_up_to_a_bound_that_doubles():
    """The n-th pause is anything up to the base doubled n times, at most the maximum."""
    many = [pauses_of([2], str(seed))[2] for seed in range(60)]

    for n, pauses in enumerate(zip(*many, strict=True), 1):
        bound = min(table.PAUSE_MAX_S, table.PAUSE_BASE_S * 2**n)
        assert max(pauses) <= bound
        assert max(pauses) > 0.8 * bound
        assert min(pauses) < 0.2 * bound


def test_progress_makes_pauses_short_again_but_not_the_same():
    """A table that takes one row a time is asked again soon, and each time after another while."""
    transport = Scripted(lambda _: [])
    transport.answer = lambda _: [(row, "x") for row in transport.asked[-1][1][:-1]]

    counts = run(write(transport, lines(2, 13)))

    pauses = transport.pauses("2")
    assert (len(pauses), len(set(pauses))) == (11, 11)
    assert max(pauses) < 0.6  # which is the write rate's own, not the back-off's
    assert (counts.rows_written, counts.unprocessed_items, counts.batch_writes) == (12, 66, 12)


@pytest.mark.parametrize("times", [table.TRANSIENT_MAX - 1, table.TRANSIENT_MAX])
def test_a_table_out_of_order_is_asked_so_often_and_no_more(times):
    """Seven failures in a row are borne, the eighth is the message's, which may come again."""
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
    """They are no failures: only the budget ends them, and no pause reaches its soft end."""
    transport = Scripted(refuse("throttled"))

    with pytest.raises(OutOfTime):
        run(write(transport, lines(2, 4), budget=Budget(0.0, 20.0, 21.0)))

    assert len(transport.asked) > 15
    assert 15 < transport.asked[-1][0] < 20


@pytest.mark.parametrize(("firm_at", "timeout_s"), [(100.0, table.REQUEST_TIMEOUT_S), (3.0, 3.0), (0.0, None)])
def test_a_request_may_take_what_is_left_until_the_firm_end(firm_at, timeout_s):
    """At most its own bound; without any time it is not begun."""
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
    """A full request leaves at once; the rest when the object ends."""
    transport = Scripted(lambda _: [])
    writer = ObjectWriter(TableWriter(transport, 32), FOREVER, ConsumerCounts(), "seed")

    await writer.add(lines(2, rows + 1))
    await asyncio.sleep(0)
    assert len(transport.asked) == rows // 25
    await writer.finish()

    assert sorted(len(rows) for _, rows in transport.asked) == requests
    assert sorted(int(row) for _, rows in transport.asked for row in rows) == list(range(2, rows + 2))
