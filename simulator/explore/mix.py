"""The built-in load: a few objects of each sort that people have, and the next one at a time nobody chose. Pure."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Mapping
from random import Random

from simulator.base.chance import stream
from simulator.run.sources import TimedPut

_HEADER = ("ticker", "timestamp", "open", "close", "volume")
_COUNTS = (1, 7, 24, 26, 37, 60, 110)
_TICKERS = ("ACME", "GLOBEX", "HOOLI", "INITECH", "UMBRELLA")
CHUNK_BYTES = 64 * 1024
"""What the consumer reads at a time: one sort of object is larger."""


def mix(seed: int, objects: int, until_s: float, prefix: str, suffix: str) -> tuple[TimedPut, ...]:
    """So many objects, put until `until_s`; the same for the same seed. `suffix` is what their keys must end in."""
    chance = stream(seed, "mix")
    sorts = [*_SORTS, "keys-twice"]  # twice as often: order matters in no other sort
    puts = list[TimedPut]()
    for number in range(objects):
        sort = chance.choice(sorts)
        name, content = f"{number:03}-{sort}", _SORTS[sort](chance, number)
        folder = "explore/a b+c=ü" if sort == "named" else "explore"
        ending = ".csv.gz" if sort == "gzip" else ".csv"
        key = f"{prefix}{folder}/{name}{suffix or ending}"
        if sort == "replaced" and puts:
            key = puts[-1].key
        puts.append(TimedPut(round(chance.uniform(0, until_s), 3), key, content, sort))
    return tuple(sorted(puts))


def _plain(chance: Random, number: int) -> bytes:
    return _text(_rows(chance, number, chance.choice(_COUNTS)))


def _gzip(chance: Random, number: int) -> bytes:
    return gzip.compress(_plain(chance, number), mtime=0)


def _quoted(chance: Random, number: int) -> bytes:
    rows = _rows(chance, number, chance.choice(_COUNTS))
    return _text([[*row, 'said "buy",\nthen left'] for row in rows], (*_HEADER, "note"))


def _twice(chance: Random, number: int) -> bytes:
    """Keys that come again, near and far, with other cells: the last row of a key wins."""
    rows = _rows(chance, number, chance.choice((3, 24, 60, 300)))
    some = chance.sample(rows, max(1, chance.choice((len(rows) // 4, len(rows)))))
    again = [[*row[:2], f"{chance.uniform(1, 9):.2f}", *row[3:]] for row in some]
    return _text([*rows, *again])


def _rejected(chance: Random, number: int) -> bytes:
    rows = _rows(chance, number, chance.choice((7, 26, 60)))
    for row in chance.sample(rows, 3):
        row[1] = "yesterday"
    return _text(rows)


def _large(chance: Random, number: int) -> bytes:
    """More than one chunk in few rows: each has a long text."""
    rows = _rows(chance, number, 130)
    return _text([[*row, f"{place:04}" * 150] for place, row in enumerate(rows)], (*_HEADER, "note"))


def _header_only(_: Random, __: int) -> bytes:
    return _text([])


def _unreadable(chance: Random, number: int) -> bytes:
    return _text([row[:1] + row[2:] for row in _rows(chance, number, 3)], (_HEADER[0], *_HEADER[2:]))


_SORTS: Mapping[str, Callable[[Random, int], bytes]] = {
    "plain": _plain,
    "gzip": _gzip,
    "quoted": _quoted,
    "named": _plain,
    "replaced": _plain,
    "keys-twice": _twice,
    "rejected-rows": _rejected,
    "large": _large,
    "header-only": _header_only,
    "unreadable": _unreadable,
}


def _rows(chance: Random, number: int, count: int) -> list[list[str]]:
    """Rows whose keys differ from those of every other object of the mix."""
    day, millisecond = f"2020-{number % 12 + 1:02}-{number % 28 + 1:02}", f"{chance.randrange(1_000):03}"
    return [
        [
            chance.choice(_TICKERS),
            f"{day}T{row // 60 % 24:02}:{row % 60:02}:{number % 60:02}.{millisecond}",
            f"{chance.uniform(1, 9):.2f}",
            f"{chance.uniform(1, 9):.2f}",
            str(chance.randrange(100_000)),
        ]
        for row in range(count)
    ]


def _text(rows: list[list[str]], header: tuple[str, ...] = _HEADER) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
