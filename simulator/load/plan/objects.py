"""The objects of a load test: CSV as the pipeline's contract describes it, or copies of a file.

Object `n` of a run is a pure function of the run's seed, instant, row count and `n`, and created fast enough to prepare
it ahead. No two rows of a run have the same ticker and timestamp, nor do rows of two runs that begin at different
microseconds. The tickers contain a digit, which the generator's never do, so no row of a tick is ever overwritten.
"""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from simulator.base.chance import Identifiers, stream

HEADER = b"ticker,timestamp,open,high,low,close,volume\n"
TICKERS = 50
"""As many tickers as the template's market has. Rows take turns, so that no partition of the table runs hot."""
VARIANTS = 8
"""The figures of the bodies repeat after this many objects; keys and timestamps never do."""
_STAMP = b"@"
_PLACEHOLDER = re.compile(rb"\{(n|uuid|timestamp)\}")


@dataclass(frozen=True)
class Objects:
    """The objects of one run: `rows` rows each, keys under `prefix`, timestamps counted up from `base_at`.

    With `content`, a file in base64, they are copies of it instead, also as messages. In each one `{n}` becomes its
    number, `{uuid}` a UUID, and `{timestamp}` the run's instant plus `n` microseconds; every other byte stays.
    """

    prefix: str
    rows: int
    seed: int
    base_at: float
    end: str = ".csv"
    content: str | None = None
    _parts: tuple[bytes, ...] = field(init=False, repr=False, compare=False)
    _blocks: tuple[tuple[bytes, ...], ...] = field(init=False, repr=False, compare=False)
    _base: datetime = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.rows < 1 and self.content is None:
            raise ValueError("an object must have at least one row")
        chance = stream(self.seed, "objects")
        object.__setattr__(self, "_blocks", tuple(self._variant(chance) for _ in range(VARIANTS)))
        object.__setattr__(self, "_parts", tuple(_PLACEHOLDER.split(b64decode(self.content or ""))))
        object.__setattr__(self, "_base", datetime.fromtimestamp(self.base_at, UTC))

    def _variant(self, chance: Random) -> tuple[bytes, ...]:
        """One body with a mark for each timestamp, cut into the rows of each slot."""
        prices = [chance.uniform(20, 400) for _ in range(TICKERS)]
        # The rows of one slot have the same timestamp and differ by ticker.
        blocks: list[list[bytes]] = [[] for _ in range(-(-self.rows // TICKERS))]
        for row in range(self.rows):
            ticker = row % TICKERS
            opened = prices[ticker]
            closed = max(1.0, opened * chance.gauss(1, 0.002))
            high, low = max(opened, closed) * 1.0005, min(opened, closed) * 0.9995
            prices[ticker] = closed
            line = f"LD{ticker:03d},@,{opened:.2f},{high:.2f},{low:.2f},{closed:.2f},{chance.randrange(100, 90_000)}\n"
            blocks[row // TICKERS].append(line.encode())
        return tuple(b"".join(block) for block in blocks)

    def key(self, number: int) -> str:
        """The key of object `number`: `stocks/load/20261122T093000123456-7/00000042.csv`."""
        return f"{self.prefix}load/{self._base:%Y%m%dT%H%M%S%f}-{self.seed}/{number:08d}{self.end}"

    def number(self, key: str) -> int | None:
        """The number of an object of this run, from its key; None for any other key."""
        folder, _, name = key.rpartition("/")
        digits = name.removesuffix(self.end)
        if folder != self.key(0).rpartition("/")[0] or not name.endswith(self.end) or not digits.isdecimal():
            return None
        return int(digits)

    def body(self, number: int) -> bytes:
        """The bytes of object `number`: a header and `rows` rows, or the copy."""
        if self.content is not None:
            return b"".join(self._filled(part, number) if at % 2 else part for at, part in enumerate(self._parts))
        blocks = self._blocks[number % VARIANTS]
        slots = enumerate(blocks, number * len(blocks))
        return HEADER + b"".join(block.replace(_STAMP, self._timestamp(slot)) for slot, block in slots)

    def _filled(self, placeholder: bytes, number: int) -> bytes:
        if placeholder == b"n":
            return b"%d" % number
        if placeholder == b"timestamp":
            return self._timestamp(number)
        return Identifiers(stream(self.seed, "copies", number)).uuid().encode()

    def _timestamp(self, slot: int) -> bytes:
        moment = self._base + timedelta(microseconds=slot)
        return moment.replace(tzinfo=None).isoformat(timespec="microseconds").encode() + b"Z"
