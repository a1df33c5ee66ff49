"""Rows -> the table: 25 per request, a bounded number of requests at once; sends again what the table did not take.

All objects of the environment share one `TableWriter`. An `ObjectWriter` belongs to one object, and is responsible for
its retries and the order of its rows: of two rows with the same key, the later one is written last. The transport
(`transports.py`) decides how a request reaches DynamoDB.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import Literal, Protocol

from pipeline.budget import Budget
from pipeline.chance import stream
from pipeline.counts import ConsumerCounts
from pipeline.failures import MessageFailure, OutOfTime
from pipeline.items import Items, Key
from pipeline.rate import WriteRate
from pipeline.rows import RejectedRow

BATCH_ROWS = 25
"""Puts of one BatchWriteItem request (DynamoDB API Reference, "BatchWriteItem")."""
HELD_ROWS = 1_000
"""How many rows of an object wait for a later row with the same key, which takes their place."""
PAUSE_BASE_S = 0.025
PAUSE_MAX_S = 2.0
"""Full jitter: the n-th pause is between zero and the base doubled n times, up to the maximum."""
TRANSIENT_MAX = 8
"""Requests in a row that may fail without an answer before the message fails."""
REQUEST_TIMEOUT_S = 5.0
UNANSWERED_MAX = 100_000
"""How many rows of one object may have requests without an answer: that many are remembered."""

Kind = Literal["throttled", "transient", "invalid", "permanent"]
Batch = dict[Key, tuple[int, str]]
"""What one request puts: by key, the physical line and the put request."""

_KINDS: dict[str, Kind] = {
    "LimitExceededException": "throttled",
    "ProvisionedThroughputExceededException": "throttled",
    "RequestLimitExceeded": "throttled",
    "ThrottlingException": "throttled",
    "ExpiredTokenException": "transient",
    "InternalServerError": "transient",
    "RequestTimeoutException": "transient",
    "ServiceUnavailable": "transient",
    "TransactionConflictException": "transient",
    "ValidationException": "invalid",
}


_REFUSED = "DynamoDB refused the row"


class WriteError(Exception):
    """A request that wrote nothing, or whose outcome is unknown. `kind` says what helps.

    `unanswered`: it was sent and no answer came, so it may still be carried out, now or later.
    """

    def __init__(self, code: str, message: str, kind: Kind, *, unanswered: bool = False) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.kind = kind
        self.unanswered = unanswered


def kind_of(code: str, status: int) -> Kind:
    """What helps against an error that DynamoDB returned (Developer Guide, "Error handling with DynamoDB")."""
    return _KINDS.get(code) or ("transient" if status >= 500 or status == 429 else "permanent")


class Transport(Protocol):
    """Sends one BatchWriteItem request."""

    async def write(self, puts: Iterable[str], timeout_s: float) -> list[Key]:
        """Put these rows; returns the keys that DynamoDB left unprocessed. Raises `WriteError`."""
        ...


class RequestSlots:
    """At most `free` holders at once; the longest waiter is next. Taking a free slot does not yield to the event loop.

    asyncio's semaphore makes everyone queue while a task that it woke has not run yet, which costs the consumer a tenth
    of its processor time.
    """

    def __init__(self, free: int) -> None:
        self.free = free
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        """Take one."""
        if self.free:
            self.free -= 1
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self.release()  # it had been handed over already
            raise

    def release(self) -> None:
        """Give one back."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self.free += 1


class TableWriter:
    """What all objects of the environment share: at most `concurrency` requests at once, and their rate.

    `rows_per_s` limits what the environment writes; None: only the table does. `accepts`: the table has taken a row.
    """

    def __init__(self, transport: Transport, concurrency: int, rows_per_s: float | None = None) -> None:
        self.transport = transport
        self.slots = RequestSlots(concurrency)
        self.rate = WriteRate(rows_per_s)
        self.accepts = False


class ObjectWriter:
    """Writes the rows of one object. One owner calls it, one call at a time.

    Of rows with the same key that are at most `HELD_ROWS` apart, only the last is written. So a second delivery of the
    same object that ends in the middle leaves no earlier row in place of a later one, which the first has written.

    A request without an answer may still be carried out late, after a later row of the same key. So the message fails
    if a row would overwrite one that may still be in flight, unless both are the same: the next delivery, long after
    that, writes all rows in order again.

    `refused` collects the rows that DynamoDB itself refused, for the owner to take out. Pauses are drawn from `seed`
    and the batch's lines.
    """

    def __init__(self, table: TableWriter, budget: Budget, counts: ConsumerCounts, seed: str) -> None:
        self.refused: list[RejectedRow] = []
        self._table = table
        self._budget = budget
        self._counts = counts
        self._seed = seed
        self._held: Batch = {}
        self._in_flight: dict[asyncio.Task[None], None] = {}  # in order of dispatch
        self._keys_in_flight: set[Key] = set()
        self._on_their_way: dict[Key, tuple[int, int]] = {}
        """By key, the line and the content's hash of rows whose request got no answer."""
        self._failure: BaseException | None = None

    async def add(self, items: Items) -> None:
        """Take these rows; waits while all slots are busy. Raises `MessageFailure` for these rows or earlier ones."""
        held = self._held
        before = len(held)
        held.update(zip(items.keys, zip(items.lines, items.puts, strict=True), strict=True))
        if duplicates := len(items.keys) - (len(held) - before):
            self._counts.rows_duplicate += duplicates
            for key in items.keys:
                held[key] = held.pop(key)  # in the order of their last rows: a later one may come yet
        surplus = len(held) - HELD_ROWS
        if surplus >= max(HELD_ROWS, BATCH_ROWS):  # many at a time: each time costs as much as there are held
            await self._send_first(surplus - surplus % BATCH_ROWS)

    async def finish(self) -> None:
        """Wait until everything is stored. Raises `MessageFailure` if something could not be."""
        await self._send_first(len(self._held))
        while self._in_flight:
            await asyncio.wait(self._in_flight)
        if self._failure is not None:
            raise self._failure

    async def settle(self) -> None:
        """Start nothing new; let what is in flight finish, until the budget's firm end."""
        if self._in_flight:
            remaining_s = self._budget.firm_at - asyncio.get_running_loop().time()
            await asyncio.wait(self._in_flight, timeout=max(0.0, remaining_s))
        await self.abandon()

    async def abandon(self) -> None:
        """Cancel what is in flight."""
        for task in self._in_flight:
            task.cancel()
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    async def _send_first(self, count: int) -> None:
        """Send the first `count` rows that are held, in requests of at most `BATCH_ROWS`."""
        rows = iter(self._held.items())
        batches = [dict(islice(rows, min(BATCH_ROWS, count - start))) for start in range(0, count, BATCH_ROWS)]
        self._held = dict(rows)
        for batch in batches:
            await self._dispatch(batch)

    async def _dispatch(self, batch: Batch) -> None:
        # An earlier row of the same key must be in the table before its successor is sent.
        while not self._keys_in_flight.isdisjoint(batch):
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
        if self._on_their_way and self._failure is None:
            self._failure = self._overtaken(batch)
        await self._table.slots.acquire()
        if self._failure is not None:
            self._table.slots.release()
            raise self._failure
        self._keys_in_flight.update(batch)
        task = asyncio.get_running_loop().create_task(self._write(batch))
        self._in_flight[task] = None
        task.add_done_callback(partial(self._over, batch))

    def _overtaken(self, batch: Batch) -> MessageFailure | None:
        """Why this batch must not be sent now: an older row, still in flight, might arrive after it."""
        if len(self._on_their_way) > UNANSWERED_MAX:
            return MessageFailure(f"more than {UNANSWERED_MAX} rows may still be in flight", permanent=False)
        for key, (line, put) in batch.items():
            earlier, content = self._on_their_way.get(key, (line, hash(put)))
            if hash(put) != content:
                return MessageFailure(
                    f"the row of line {earlier} may still be in flight, and would then replace that of "
                    f"line {line}; another delivery writes them in order",
                    permanent=False,
                )
        return None

    async def _write(self, batch: Batch) -> None:
        try:
            refused = await self._accepted(batch)
            if self._table.accepts:
                self.refused += refused
            elif refused:
                # The table has not yet taken a single row, so the row is hardly to blame.
                self._failure = self._failure or MessageFailure(refused[0].reason, permanent=True)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the object is read
            self._failure = self._failure or error
        finally:
            self._free(batch)

    def _over(self, batch: Batch, task: asyncio.Task[None]) -> None:
        self._in_flight.pop(task, None)
        if task.cancelled():
            # It was cancelled before its first step; after that step, it cleans up after itself.
            self._free(batch)

    def _free(self, batch: Batch) -> None:
        self._table.slots.release()
        self._keys_in_flight.difference_update(batch)

    async def _accepted(self, batch: Batch) -> list[RejectedRow]:
        """Write all of `batch`, in as many requests as it takes; returns the rows that DynamoDB itself refuses."""
        table, budget, counts = self._table, self._budget, self._counts
        now = asyncio.get_running_loop().time
        attempt = transient = pauses = 0
        while True:
            began_at = now()
            wait_s = table.rate.wait_s(len(batch), began_at)
            if wait_s:
                await _pause(wait_s, budget)
                began_at = now()
            timeout_s = min(REQUEST_TIMEOUT_S, budget.firm_at - began_at)
            if timeout_s <= 0:
                raise OutOfTime
            try:
                left = await self._send(batch, timeout_s)
            except WriteError as error:
                if error.kind == "invalid":
                    return await self._isolated(batch, error)
                transient += error.kind == "transient"
                if error.kind == "permanent" or transient >= TRANSIENT_MAX:
                    permanent = error.kind == "permanent"
                    raise MessageFailure(f"writing to the table: {error}", permanent=permanent) from error
                if error.kind == "throttled":
                    counts.throttled_requests += 1
                    table.rate.refused(now())
            else:
                written = len(batch) - len(left)
                if written:
                    table.accepts = True
                    counts.rows_written += written
                    table.rate.taken(written, now())
                    attempt = transient = 0
                if not left:
                    return []
                counts.unprocessed_items += len(left)
                table.rate.refused(now())
                batch = {key: batch[key] for key in left}
            attempt += 1
            pauses += 1
            first_line, _ = next(iter(batch.values()))
            chance = stream(self._seed, f"line {first_line}", pauses)
            await _pause(chance.uniform(0, min(PAUSE_MAX_S, PAUSE_BASE_S * 2**attempt)), budget)

    async def _send(self, batch: Batch, timeout_s: float) -> list[Key]:
        """One request; returns the keys that it left unprocessed. Raises `WriteError`."""
        counts = self._counts
        counts.batch_writes += 1
        try:
            return await self._table.transport.write([put for _, put in batch.values()], timeout_s)
        except asyncio.CancelledError:
            counts.rows_unanswered += len(batch)
            raise
        except WriteError as error:
            if error.unanswered:
                counts.rows_unanswered += len(batch)
                self._on_their_way.update((key, (line, hash(put))) for key, (line, put) in batch.items())
            raise

    async def _isolated(self, batch: Batch, error: WriteError) -> list[RejectedRow]:
        """DynamoDB refused the request because of one of its rows: split it in half until only that row is left."""
        rows = list(batch.items())
        if len(rows) == 1:
            line, put = rows[0][1]
            return [RejectedRow(line, f"{_REFUSED}: {error}", (put,), _REFUSED)]
        middle = len(rows) // 2
        return [*await self._accepted(dict(rows[:middle])), *await self._accepted(dict(rows[middle:]))]


async def _pause(seconds: float, budget: Budget) -> None:
    if asyncio.get_running_loop().time() + seconds >= budget.soft_at:
        raise OutOfTime
    await asyncio.sleep(seconds)
