"""Rows -> the table: 25 a request, a bounded number of requests at once, whatever the table could not take again.

`TableWriter` is shared by all objects of the environment and owns the slots, the retries and the rate. `ObjectWriter`
belongs to one object and keeps its rows in order: of two rows with the same key the later one is the last to be
written. How a request reaches DynamoDB is the transport's business (`transports.py`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
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
PAUSE_BASE_S = 0.025
PAUSE_MAX_S = 2.0
"""Full jitter: the n-th pause is anything between nothing and the base doubled n times, up to the maximum."""
TRANSIENT_MAX = 8
"""Requests in a row that may fail without an answer before the message does."""
REQUEST_TIMEOUT_S = 5.0

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


class WriteError(Exception):
    """A request that wrote nothing, or of which nobody knows what it wrote. `kind` says what helps."""

    def __init__(self, code: str, message: str, kind: Kind) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.kind = kind


def kind_of(code: str, status: int) -> Kind:
    """What helps against an error that DynamoDB answered with (Developer Guide, "Error handling with DynamoDB")."""
    return _KINDS.get(code) or ("transient" if status >= 500 or status == 429 else "permanent")


class Transport(Protocol):
    """Sends one BatchWriteItem request."""

    async def write(self, puts: Iterable[str], timeout_s: float) -> list[Key]:
        """Put these; the keys that DynamoDB left unprocessed. Raises `WriteError`."""
        ...


class Slots:
    """So many at once; a semaphore whose free slots cost no turn of the loop."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Whether there was one; it is the caller's then."""
        if self._free:
            self._free -= 1
            return True
        return False

    async def wait(self) -> None:
        """Wait for one, in turn."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Done with one; who has waited longest gets it."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1


class TableWriter:
    """Writes batches for all objects of the environment, at most `concurrency` requests at once.

    `rows_per_s` bounds what the environment writes, None: only the table does.
    """

    def __init__(self, transport: Transport, concurrency: int, rows_per_s: float | None = None) -> None:
        self.slots = Slots(concurrency)
        self.rate = WriteRate(rows_per_s)
        self._transport = transport
        self._accepts = False

    async def write(self, batch: Batch, budget: Budget, counts: ConsumerCounts, seed: str) -> list[RejectedRow]:
        """Write all of `batch`, however often it takes; the rows that DynamoDB itself refuses.

        Pauses are drawn from `seed` and the batch's lines. Raises `MessageFailure`.
        """
        refused: list[RejectedRow] = []
        await self._write(batch, budget, counts, seed, refused)
        if refused and not self._accepts:
            # Not one row of this table ever got in, so it is hardly the row's fault.
            raise MessageFailure(refused[0].reason, permanent=True)
        return refused

    async def _write(
        self, batch: Batch, budget: Budget, counts: ConsumerCounts, seed: str, refused: list[RejectedRow]
    ) -> None:
        now = asyncio.get_running_loop().time
        attempt = transient = pauses = 0
        while True:
            began_at = now()
            wait_s = self.rate.wait_s(len(batch), began_at)
            if wait_s:
                await _pause(wait_s, budget)
                began_at = now()
            timeout_s = min(REQUEST_TIMEOUT_S, budget.firm_at - began_at)
            if timeout_s <= 0:
                raise OutOfTime
            counts.batch_writes += 1
            try:
                left = await self._transport.write([put for _, put in batch.values()], timeout_s)
            except WriteError as error:
                if error.kind == "invalid":
                    await self._isolate(batch, budget, counts, seed, refused, error)
                    return
                if error.kind == "permanent":
                    raise MessageFailure(f"writing to the table: {error}", permanent=True) from error
                if error.kind == "throttled":
                    counts.throttled_requests += 1
                    self.rate.refused(now())
                else:
                    transient += 1
                    if transient >= TRANSIENT_MAX:
                        raise MessageFailure(f"writing to the table: {error}", permanent=False) from error
            else:
                written = len(batch) - len(left)
                if written:
                    self._accepts = True
                    counts.rows_written += written
                    self.rate.taken(written, now())
                    attempt = transient = 0
                if not left:
                    return
                counts.unprocessed_items += len(left)
                self.rate.refused(now())
                batch = {key: batch[key] for key in left}
            attempt += 1
            pauses += 1
            first_line, _ = next(iter(batch.values()))
            chance = stream(seed, f"line {first_line}", pauses)
            await _pause(chance.uniform(0, min(PAUSE_MAX_S, PAUSE_BASE_S * 2**attempt)), budget)

    async def _isolate(
        self,
        batch: Batch,
        budget: Budget,
        counts: ConsumerCounts,
        seed: str,
        refused: list[RejectedRow],
        error: WriteError,
    ) -> None:
        """DynamoDB refused the request for one of its rows: halve it until that row stands alone."""
        rows = list(batch.items())
        if len(rows) == 1:
            line, put = rows[0][1]
            refused.append(RejectedRow(line, f"DynamoDB refused the row: {error}", (put,)))
            return
        middle = len(rows) // 2
        await self._write(dict(rows[:middle]), budget, counts, seed, refused)
        await self._write(dict(rows[middle:]), budget, counts, seed, refused)


class ObjectWriter:
    """Writes the rows of one object. One owner calls it, one call at a time.

    `refused` gathers the rows that DynamoDB itself would not take, for the owner to take out.
    """

    def __init__(self, table: TableWriter, budget: Budget, counts: ConsumerCounts, seed: str) -> None:
        self.refused: list[RejectedRow] = []
        self._table = table
        self._budget = budget
        self._counts = counts
        self._seed = seed
        self._batch: Batch = {}
        self._in_flight: set[asyncio.Task[None]] = set()
        self._keys_in_flight: set[Key] = set()
        self._failure: BaseException | None = None

    async def add(self, items: Items) -> None:
        """Take these rows; waits while all slots are taken. Raises `MessageFailure` of this or an earlier row."""
        count = len(items.keys)
        start = 0
        while start < count:
            stop = start + BATCH_ROWS - len(self._batch)
            before = len(self._batch)
            # A key that is here already keeps its place and gets the later row.
            self._batch.update(
                zip(
                    items.keys[start:stop],
                    zip(items.lines[start:stop], items.puts[start:stop], strict=True),
                    strict=True,
                )
            )
            taken = min(stop, count) - start
            self._counts.rows_duplicate += taken - (len(self._batch) - before)
            start += taken
            if len(self._batch) == BATCH_ROWS:
                await self._dispatch()

    async def finish(self) -> None:
        """Wait until everything is stored. Raises `MessageFailure` if something could not be."""
        if self._batch:
            await self._dispatch()
        while self._in_flight:
            await asyncio.wait(self._in_flight)
        self._raise_failure()

    async def settle(self) -> None:
        """Begin nothing more; let what is in flight end, until the budget's firm end."""
        if self._in_flight:
            remaining_s = self._budget.firm_at - asyncio.get_running_loop().time()
            await asyncio.wait(self._in_flight, timeout=max(0.0, remaining_s))
        await self.abandon()

    async def abandon(self) -> None:
        """Break off what is in flight."""
        for task in self._in_flight:
            task.cancel()
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    async def _dispatch(self) -> None:
        batch, self._batch = self._batch, {}
        # An earlier row of the same key must be in the table before its successor is sent.
        while not self._keys_in_flight.isdisjoint(batch):
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
        slots = self._table.slots
        if not slots.take():
            await slots.wait()
        if self._failure is not None:
            slots.give_back()
            self._raise_failure()
        self._keys_in_flight.update(batch)
        task = asyncio.get_running_loop().create_task(self._write(batch))
        self._in_flight.add(task)

    async def _write(self, batch: Batch) -> None:
        try:
            refused = await self._table.write(batch, self._budget, self._counts, self._seed)
            if refused:
                self.refused += refused
        except BaseException as error:  # noqa: BLE001 - it is raised again where the object is read
            if self._failure is None:
                self._failure = error
        finally:
            self._table.slots.give_back()
            self._keys_in_flight.difference_update(batch)
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - this runs in one
            self._in_flight.discard(task)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


async def _pause(seconds: float, budget: Budget) -> None:
    if asyncio.get_running_loop().time() + seconds >= budget.soft_at:
        raise OutOfTime
    await asyncio.sleep(seconds)
