"""The synthetic market: seed and tick -> quotes, as CSV bytes. Pure integer arithmetic, so the same on every machine.

A tick is a whole second since the epoch. Its rows are quotes of the minute before it. No two rows of a market share
ticker and timestamp: within a tick, each row of a ticker has its own slot of the minute; two ticks less than a minute
apart differ in their second of the minute, and a timestamp's microseconds are congruent to that second (modulo 60). So
objects of any ticks can be mixed.

The rows of a tick are dealt out ticker by ticker, object by object: consecutive rows belong to different tickers, so
that no DynamoDB partition gets more than its share of any batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from random import Random

from pipeline.chance import stream

HEADER = "ticker,timestamp,open,high,low,close,volume\n"
SLOTS = 1_000_000
"""Rows that one ticker can have in one tick: the minute's microseconds, at intervals of sixty."""
MAX_TICKERS = 26**4
CHUNK_ROWS = 500
_DAY_S = 86_400
# Integer weights of the price's waves: period in seconds, amplitude in thousandths of the price.
_WAVES = ((30 * _DAY_S, 200), (2 * _DAY_S, 60), (4 * 3600, 20), (1200, 6), (180, 2))


@dataclass(frozen=True, slots=True)
class Market:
    """A market: `files` objects of `rows` rows per tick, over `tickers` tickers."""

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

    def csv_chunks(self, tick: int, number: int) -> Iterator[bytes]:
        """Object `number` (0 to `files` - 1) of the tick, in UTF-8, a few hundred rows at a time."""
        rng = stream(self.seed, str(tick), number)
        yield HEADER.encode()
        begin = number * self.rows
        for start in range(begin, begin + self.rows, CHUNK_ROWS):
            yield b"".join(self._lines(rng, tick, range(start, min(start + CHUNK_ROWS, begin + self.rows))))

    def _lines(self, rng: Random, tick: int, rows: range) -> Iterator[bytes]:
        """These rows of the tick, counted over all its objects. This is hot: a load test makes millions of them."""
        tickers, in_all = self.tickers, self.rows_per_ticker * self.tickers
        first_us = (tick - 60) * 1_000_000 // 60 * 60 + tick % 60
        random_bits, quote, activity = rng.getrandbits, _quote, _activity(tick)
        for row in rows:
            # Slots of one turn spread over the turn's share of the minute, so that quotes of different tickers differ.
            slot = row * SLOTS // in_all
            seconds, microseconds = divmod(first_us + slot * 60, 1_000_000)
            name, lot, before, after = quote(self.seed, row % tickers, tick)
            middle = before + (after - before) * slot // SLOTS
            spread = middle // 1000 if middle >= 2000 else 2
            lowest = middle - spread // 2
            jitter = random_bits(48)
            opened = lowest + jitter % spread
            closed = lowest + (jitter >> 12) % spread
            above, below = (closed, opened) if closed > opened else (opened, closed)
            high = above + (jitter >> 24) % spread // 2
            low = below - (jitter >> 36) % spread // 2
            yield b"%b,%b.%06dZ,%d.%02d,%d.%02d,%d.%02d,%d.%02d,%d\n" % (
                name,
                _second(seconds),
                microseconds,
                opened // 100,
                opened % 100,
                high // 100,
                high % 100,
                low // 100,
                low % 100,
                closed // 100,
                closed % 100,
                lot * activity * (50 + (jitter >> 4) % 101) // 10_000,
            )


def tick_of(instant: float) -> int:
    """The tick of an instant: its whole second."""
    return int(instant // 1)


@lru_cache(4096)
def _second(seconds: int) -> bytes:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()


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
def _quote(seed: int, number: int, tick: int) -> tuple[bytes, int, int, int]:
    """The ticker's name and lot, and its price in cents at the beginning and end of the tick's minute."""
    name, _, lot = _listing(seed, number)
    return name.encode(), lot, _price(seed, number, tick - 60), _price(seed, number, tick)


def _price(seed: int, number: int, instant: int) -> int:
    """Value noise: the price moves in a straight line between random levels at a wave's multiples."""
    issue = _listing(seed, number)[1]
    thousandths = 0
    for period, amplitude in _WAVES:
        turn, within = divmod(instant, period)
        left = _hash(seed, number, turn * 8191 + period) % (2 * amplitude + 1) - amplitude
        right = _hash(seed, number, (turn + 1) * 8191 + period) % (2 * amplitude + 1) - amplitude
        thousandths += left * (period - within) * 1000 // period + right * within * 1000 // period
    return issue * (1_000_000 + thousandths) // 1_000_000


@lru_cache(65_536)
def _hash(*numbers: int) -> int:
    return int.from_bytes(hashlib.blake2b(repr(numbers).encode(), digest_size=7).digest(), "big")


@lru_cache(64)
def _activity(tick: int) -> int:
    """How busy the market is, in hundredths: U-shaped between 13:30 and 20:00 UTC, low otherwise."""
    minute = tick % _DAY_S // 60
    if not 810 <= minute < 1200:
        return 20
    from_middle = abs(2 * (minute - 810) - 390)
    return 80 + 220 * from_middle * from_middle // (390 * 390)
