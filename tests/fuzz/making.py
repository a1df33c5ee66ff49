"""Random objects: spoiled real files, tables written by Python's own writer, and loose characters."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from fuzz.bounds import Bounds
from fuzz.cells import FORMATS, ODD, ZONED_FORMATS, cell, formatted, number, time_of_day, timestamp
from fuzz.mutations import SIGNS, TEXT, as_read, encoded, in_encoding, packed, spoil_bytes
from fuzz.readings import Example
from fuzz.styles import Style, choose, write

FILES = Path(__file__).parent / "files"
KEYS = ("stocks/aapl.csv", "stocks/a/brk.b.csv.gz", "stocks/x", "stocks/.csv", "stocks/", "stocks/ſé.CSV", "s/%s.csv")
NAMES: tuple[str, ...] = (
    *(
        "ticker",
        "symbol",
        "Symbol ",
        "TICKER",
        "date",
        "Date",
        "timestamp",
        "time",
        "datetime",
        "Open",
        "Adj Close",
        "",
    ),
    *("<ticker>", "<DATE>", "<time>", "<Close>", "<>", "<", " <date> ", "< date >", "<timestamp", "Date+Time", "a+b"),
    *(" ", "close", "volume", "Größe %", "a", "b", "column_1", "%s", 'a"b', "İ", "ß", "PK", "SK", "name"),
)
REAL_CHARS = 2 * 1024 * 1024
REAL_COLUMNS = 16_384
REAL_ITEM = 400 * 1024


@cache
def files() -> tuple[bytes, ...]:
    """The small real files, by name."""
    return tuple(path.read_bytes() for path in sorted(FILES.iterdir()))


def make(seed: int, number_of: int) -> Example:
    """The example with this number; the same two numbers give the same example on any machine."""
    chance = Random(f"{seed}/{number_of}")
    at_a_bound = chance.random() < 0.001
    bounds = Bounds() if at_a_bound else _bounds(chance)
    header = _header(chance)
    plain = at_a_bound or chance.random() < 0.3
    style, environ = (Style(), dict[str, str]()) if plain else choose(chance, header)
    if chance.random() < 0.25:
        environ["TIMESTAMP_FORMAT"] = chance.choice(FORMATS if plain else (*FORMATS, *ZONED_FORMATS))
    source = 0.5 if at_a_bound else chance.random()
    if source < (0.35 if plain else 0.15):
        body = _spoiled_file(chance)
    elif source < 0.97:
        text = _table(chance, style, environ, header, at_a_bound) if source < 0.75 else _signs(chance, bounds)
        text = _spoiled(chance, text, chance.choice([0, 0, 0, 1, 1, 2, 4, 8]))
        body = encoded(chance, text) if style.encoding is None else in_encoding(chance, text, style.encoding)
    else:
        body = chance.randbytes(chance.randrange(300))
    for _ in range(chance.choice([0, 0, 0, 0, 0, 0, 1, 2])):
        body = spoil_bytes(chance, body)
    _choose_columns(chance, environ, header if chance.random() < 0.7 else _first_cells(body))
    if chance.random() < 0.3:
        body = packed(chance, body)
        for _ in range(chance.choice([0, 0, 0, 1, 2])):
            body = spoil_bytes(chance, body)
    cuts = tuple(_cuts(chance, len(body)) for _ in range(3))
    if bounds.gzip_ratio:
        # zlib reads one byte ahead if a chunk has one. That does not matter in 64 MB, but it does in a hundred bytes.
        cuts = cuts[:1] * 3
    return Example(chance.choice(KEYS), environ, body, cuts, bounds)


def _bounds(chance: Random) -> Bounds:
    if chance.random() < 0.5:
        return Bounds()

    def some(*values: int) -> int | None:
        return chance.choice(values) if chance.random() < 0.25 else None

    chars = some(20, 64, 200) or some(20, 64, 200)
    ratio = some(1, 3, 10)
    return Bounds(
        record_chars=chars,
        shown_chars=5 if chars else None,
        slice_bytes=some(1, 7, 64, 1000),
        gzip_ratio=ratio,
        gzip_free_bytes=chance.choice([16, 200]) if ratio else None,
        columns=some(4, 8, 8),
        name_bytes=some(5, 9, 13),
        item_bytes=some(60, 150),
        ticker_bytes=some(4, 16),
        first_rows=some(1, 2, 3, 10),
    )


def _cuts(chance: Random, length: int) -> tuple[int, ...]:
    match chance.randrange(5):
        case 0:
            return ()
        case 1 if length <= 3_000:
            return tuple(range(length))
        case 2 if length <= 20_000:
            return tuple(range(0, length, 7))
        case _:
            return tuple(sorted(chance.randrange(length + 1) for _ in range(chance.randrange(1, 6))))


def _first_cells(body: bytes) -> list[str]:
    line = body[:200].decode("latin-1").partition("\n")[0].strip("\r")
    return [name.strip(' "') for name in re.split("[,;|\t]", line)]


def _choose_columns(chance: Random, environ: dict[str, str], names: list[str]) -> None:
    for setting in ("TICKER_COLUMN", "TIMESTAMP_COLUMN"):
        if chance.random() < 0.12:
            name = chance.choice(names) if chance.random() < 0.8 else chance.choice(NAMES)
            environ[setting] = chance.choice([name, name.upper(), f" {name}", name.strip("<>"), f"<{name}>"])
    if chance.random() < 0.05:
        names = chance.choices(names, k=chance.choice([2, 2, 2, 3]))
        environ["TIMESTAMP_COLUMN"] = chance.choice(["+", "+", " + "]).join(names)


def _spoiled_file(chance: Random) -> bytes:
    body = chance.choice(files())
    if chance.random() < 0.5:
        for _ in range(chance.choice([1, 1, 2, 3])):
            body = spoil_bytes(chance, body)
        return body
    text = _spoiled(chance, body.decode("utf-8", "surrogateescape"), chance.choice([0, 1, 1, 2, 4]))
    return as_read(text)


def _spoiled(chance: Random, text: str, times: int) -> str:
    """The text, spoiled this many times, mostly below its header, because without one there is nothing to read."""
    header = ""
    if chance.random() < 0.8:
        header, end, text = text.partition("\n")
        header += end
    for _ in range(times):
        text = chance.choice(TEXT)(chance, text)
    return header + text


def _header(chance: Random) -> list[str]:
    first = [
        ["ticker", "date"],
        ["date"],
        ["symbol", "timestamp"],
        [""],
        ["Date", "Time"],
        ["<TICKER>", "<DATE>", "<TIME>"],
    ]
    header = chance.choice(first) + chance.sample(NAMES, chance.choice([0, 1, 1, 2, 3, 5]))
    if chance.random() < 0.9:
        header = [*dict.fromkeys(header)]
    if chance.random() < 0.2:
        chance.shuffle(header)
    return header


def _table(chance: Random, style: Style, environ: dict[str, str], header: list[str], at_a_bound: bool) -> str:
    """A table with odd cells, keys that repeat, or something at one of the product's limits."""
    few = chance.random() < 0.6
    length = chance.choice([0, 1, 2, 3, 5, 12, 30]) if chance.random() < 0.98 else 250
    rows = [_row(chance, style, header, environ, few) for _ in range(length)]
    if rows and chance.random() < 0.3:
        rows += [_nearly(chance, chance.choice(rows)) for _ in range(chance.randrange(1, 4))]
    if at_a_bound:
        header, rows = _at_a_real_bound(chance, header, rows)
    return write(chance, style, header, rows)


def _row(chance: Random, style: Style, header: list[str], environ: dict[str, str], few: bool) -> list[str]:
    row = []
    plain_names = [name.strip(" <>").lower() for name in header]
    joined = {"date", "time"} <= {*plain_names} and chance.random() < 0.9
    for plain in plain_names:
        if plain in ("ticker", "symbol"):
            row.append(chance.choice(["A", "B", "AAPL", "", "é" * 9, "\\", '"']) if few else cell(chance))
        elif plain == "time" and joined:
            row.append(time_of_day(chance))
        elif plain in ("", "date", "timestamp", "time", "datetime"):
            own = environ.get("TIMESTAMP_FORMAT")
            fits = own and chance.random() < 0.7
            row.append(formatted(chance, own) if own and fits else timestamp(chance, few or joined))
        elif few and chance.random() < (0.2 if style.lenient or style.decimal == "," else 0.7):
            row.append(chance.choice(["1", "1.0", "10e-1", "2", "-0", "0", "0e9", "x", "", "1.5", "1.50"]))
        else:
            odd = cell(chance) if chance.random() < 0.3 else None
            row.append(number(chance, 0.2, style.decimal, style.lenient) if odd is None else odd)
    if chance.random() < 0.04:
        row.append(cell(chance))
    if chance.random() < 0.04:
        row.pop()
    return row


def _nearly(chance: Random, row: list[str]) -> list[str]:
    """The same row, or one that differs in a cell."""
    other = list(row)
    if other and chance.random() < 0.6:
        other[chance.randrange(len(other))] = chance.choice([cell(chance), number(chance), ""])
    return other


def _at_a_real_bound(chance: Random, header: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """A table at one of the product's limits, on either side."""
    near = chance.choice([-2, -1, 0, 1, 2, 50])
    match chance.randrange(6):
        case 0:
            header = ["date", *(f"c{n}" for n in range(REAL_COLUMNS - 1 + near))]
            rows = [["2024-01-02", *["1"] * (len(header) - 1)]]
        case 1:
            filler = chance.choice(["x", '"', "x" * 99 + "\n", "é"])
            rows.insert(0, ["2024-01-02", filler * ((REAL_CHARS + near) // len(filler)), "1"])
        case 2:
            filler = chance.choice(["x", "é", "\\"])
            header = ["ticker", "date", "note"]
            size = (REAL_ITEM - 4 - 1 - 10 - 4 + near) // len(filler.encode())
            rows = [["A", "2024-01-02", filler * size], ["A", "2024-01-03", "1"]]
        case 3:
            header = ["date", "n"]
            rows = [[f"2024-01-02T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}", "1"] for n in range(1_003)]
            late = chance.randrange(997, 1_003)
            rows[late] = [rows[chance.randrange(late)][0], chance.choice(["1", "2", "1.0"])]
        case 4:
            header = ["date", "x" * (65_535 + near)]
            rows = [["2024-01-02", "1"]]
        case _:
            rows = [["2024-01-02", "1" * chance.choice([100, 5_000]), "y"] for _ in range(chance.choice([50, 500]))]
    return header, rows


def _signs(chance: Random, bounds: Bounds) -> str:
    """Loose characters and cells below a header, or without one."""
    pieces: list[Callable[[], str]] = [
        lambda: chance.choice(SIGNS),
        lambda: chance.choice([",", "\n", '"', "\r", " "]),
        lambda: chance.choice([",", ";", "\t", "|", " ", "#"]),
        lambda: chance.choice([",", "\n"]),
        lambda: timestamp(chance, few=True),
        lambda: chance.choice(ODD),
        lambda: chance.choice(["a", "1", "1.0", "x" * (bounds.record_chars or 30)]),
    ]
    text = "".join(chance.choice(pieces)() for _ in range(chance.choice([3, 10, 30, 80])))
    plain = ["ticker,date,n\n", "date,n\n", ",n\n", "date\n", 'date,"a\nb"\n', ""]
    return chance.choice([*plain, "date;n\n", ' "date"\t| n\r', "sep=;\n"]) + text
