"""The synthetic market: seed and tick -> quotes, as CSV bytes. Pure and made of whole numbers, so equal everywhere.

A tick is a whole second since the epoch. Its rows are quotes of the minute before it, and no two rows of a market ever
share ticker and timestamp: within a tick each row of a ticker has a slot of the minute of its own, and two ticks less
than a minute apart differ in their second of the minute, which is what the timestamps' microseconds are congruent to
(modulo 60). So objects of any ticks can be mixed.

The rows of a tick are dealt out ticker by ticker, object by object: rows that follow each other belong to different
tickers, so that no DynamoDB partition gets more than its share of any batch.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

HEADER = "ticker,timestamp,open,high,low,close,volume\n"
MINUTE_US = 60_000_000
SLOTS = 1_000_000
"""Rows that one ticker can have in one tick: the minute's microseconds, sixty residues apart."""
MAX_TICKERS = 26**4
CHUNK_ROWS = 500
_DAY_S = 86_400
# Whole-number weights of the price's waves: period in seconds, amplitude in thousandths of the price.
_WAVES = ((30 * _DAY_S, 200), (2 * _DAY_S, 60), (4 * 3600, 20), (1200, 6), (180, 2))


@dataclass(frozen=True, slots=True)
class Market:
    """A market: `files` objects of `rows` rows a tick, over `tickers` tickers."""

    seed: int
    files: int
    rows: int
    tickers: int

    @property
    def rows_per_ticker(self) -> int:
        """The most rows that one ticker has in one tick; must not exceed `SLOTS`."""
        return -(-self.files * self.rows // self.tickers)

    def key(self, prefix: str, tick: int, number: int) -> str:
        """The key of object `number` of the tick: `stocks/2026/11/22/090000-0000.csv`."""
        return f"{prefix}{datetime.fromtimestamp(tick, UTC):%Y/%m/%d/%H%M%S}-{number:04d}.csv"

    def csv(self, tick: int, number: int) -> bytes:
        """The bytes of object `number` (0 to `files` - 1) of the tick, in UTF-8."""
        return b"".join(self.csv_chunks(tick, number))

    def csv_chunks(self, tick: int, number: int) -> Iterator[bytes]:
        """The same bytes, a few hundred rows at a time, for callers that have other things to do."""
        rng = random.Random(f"{self.seed}/{tick}/{number}")
        first_us = (tick - 60) * 1_000_000 // 60 * 60 + tick % 60
        yield HEADER.encode()
        begin = number * self.rows
        for start in range(begin, begin + self.rows, CHUNK_ROWS):
            stop = min(start + CHUNK_ROWS, begin + self.rows)
            yield "".join([self._line(rng, tick, first_us, row) for row in range(start, stop)]).encode()

    def _line(self, rng: random.Random, tick: int, first_us: int, row: int) -> str:
        turn, number = divmod(row, self.tickers)
        # Slots of one turn spread over the turn's share of the minute, so that quotes of different tickers differ.
        slot = (turn * self.tickers + number) * SLOTS // (self.rows_per_ticker * self.tickers)
        instant_us = first_us + slot * 60
        name, _, lot = _listing(self.seed, number)
        before, after = _prices(self.seed, number, tick)
        middle = before + (after - before) * slot // SLOTS
        spread = max(2, middle // 1000)
        jitter = rng.getrandbits(48)
        opened = middle + jitter % spread - spread // 2
        closed = middle + (jitter >> 12) % spread - spread // 2
        high = max(opened, closed) + (jitter >> 24) % spread // 2
        low = max(1, min(opened, closed) - (jitter >> 36) % spread // 2)
        volume = lot * _activity(tick) * (50 + (jitter >> 4) % 101) // 10_000
        seconds, microseconds = divmod(instant_us, 1_000_000)
        return (
            f"{name},{_second(seconds)}.{microseconds:06d}Z,{_money(opened)},{_money(high)},{_money(low)},"
            f"{_money(closed)},{volume}\n"
        )


def tick_of(instant: float) -> int:
    """The tick of an instant: its whole second."""
    return int(instant // 1)


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


@lru_cache(4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(16_384)
def _listing(seed: int, number: int) -> tuple[str, int, int]:
    """A ticker's name (four letters, each name once), issue price in cents and usual lot."""
    rest = (number * 176_489 + 49_273) % MAX_TICKERS  # coprime to it, so a permutation
    letters = ""
    for _ in range(4):
        rest, letter = divmod(rest, 26)
        letters += chr(ord("A") + letter)
    return letters, 1_000 + _hash(seed, number, -1) % 40_000, 100 + _hash(seed, number, -2) % 5_000


@lru_cache(16_384)
def _prices(seed: int, number: int, tick: int) -> tuple[int, int]:
    """The ticker's price in cents at the begin and at the end of the tick's minute."""
    return _price(seed, number, tick - 60), _price(seed, number, tick)


def _price(seed: int, number: int, instant: int) -> int:
    """Value noise: between random levels at a wave's multiples the price moves along a straight line."""
    issue = _listing(seed, number)[1]
    thousandths = 0
    for period, amplitude in _WAVES:
        turn, within = divmod(instant, period)
        left = _hash(seed, number, turn * 8191 + period) % (2 * amplitude + 1) - amplitude
        right = _hash(seed, number, (turn + 1) * 8191 + period) % (2 * amplitude + 1) - amplitude
        thousandths += left * (period - within) * 1000 // period + right * within * 1000 // period
    return max(100, issue * (1_000_000 + thousandths) // 1_000_000)


@lru_cache(65_536)
def _hash(*numbers: int) -> int:
    return int.from_bytes(hashlib.blake2b(repr(numbers).encode(), digest_size=7).digest(), "big")


@lru_cache(64)
def _activity(tick: int) -> int:
    """How busy the market is, in hundredths: a smile between 13:30 and 20:00 UTC, a murmur outside."""
    minute = tick % _DAY_S // 60
    if not 810 <= minute < 1200:
        return 20
    from_middle = abs(2 * (minute - 810) - 390)
    return 80 + 220 * from_middle * from_middle // (390 * 390)
