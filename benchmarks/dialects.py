"""What each kind of file costs the consumer's reader: instructions per row by callgrind, or processor time without it.

    python benchmarks/dialects.py                      each kind against plain rows, in this tree
    python benchmarks/dialects.py --before ../before   the plain kinds in another checkout as well
    python benchmarks/dialects.py --time               processor time, in interleaved runs, medians of --runs

Bytes go in and put requests come out; nothing is sent. Each measurement is a process of its own that reads the same
objects once and three times, and the difference is the cost of the rows: imports and the first object do not count.
Instruction counts repeat to one part in a thousand, so one run of each is enough.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from machine import machine

HERE = Path(__file__).resolve()
OBJECTS = 4
CHUNK_BYTES = 64 * 1024
START = datetime(2026, 1, 5, 9, 30)  # noqa: DTZ001 - a local time is meant
JOINED = {"TIMESTAMP_COLUMN": "Date+Time", "DECIMAL_SEPARATOR": ","}
KINDS: dict[str, dict[str, str]] = {
    "plain": {},
    "plain, dates": {},
    "quoted": {},
    "plain, a blank within times": {},
    "blanks after commas": {},
    "CR alone": {},
    "semicolons, decimal commas": {"DECIMAL_SEPARATOR": ","},
    "the same, Date+Time in New York": {**JOINED, "TIME_ZONE": "America/New_York"},
    "the same, Date+Time in Kolkata": {**JOINED, "TIME_ZONE": "Asia/Kolkata"},
    "Unix milliseconds": {},
    "US dates by a format": {"TIMESTAMP_FORMAT": "%m/%d/%Y"},
    "null words": {"NULL_VALUES": "null,-"},
    "lenient, grouped thousands": {"NUMBERS": "lenient", "DELIMITER": "semicolon"},
    "a comment every 50 rows": {"COMMENT": "#"},
    "Windows-1252": {"ENCODING": "cp1252"},
}
"""Each kind's settings."""
PLAIN = ("plain", "plain, dates", "plain, a blank within times", "quoted")
"""Those that an older tree can read as well."""


def changed(kind: str, row: int, cells: list[str]) -> list[str]:
    """The cells of a plain row in this kind of file."""
    year, month, day = 2000 + row // 336, row // 28 % 12 + 1, row % 28 + 1
    match kind:
        case "plain, dates":
            cells[1] = f"{year}-{month:02d}-{day:02d}"
        case "plain, a blank within times":
            cells[1] = cells[1].replace("T", " ").removesuffix("Z")
        case "Unix milliseconds":
            cells[1] = f"{1_767_600_000_000 + row * 60_000 + row % 1000}"
        case "US dates by a format":
            cells[1] = f"{month:02d}/{day:02d}/{year}"
        case "null words":
            cells[3 + row % 3] = "null" if row % 2 else "-"
        case "lenient, grouped thousands":
            cells[2:6] = [f"{price[0]},{price[1:]}" for price in cells[2:6]]
        case "Windows-1252":
            cells[0] = f"Sté{row % 50:03d}"
    if "decimal commas" in kind or "the same" in kind:
        cells[2:6] = [price.replace(".", ",") for price in cells[2:6]]
    return cells


def lines_of(kind: str, rows: int) -> Iterator[str]:
    """The lines of an object: minutes of a market, seven columns."""
    header = "ticker,timestamp,open,high,low,close,volume"
    if "Date+Time" in kind:
        header = "ticker;Date;Time;open;high;low;close;volume"
    elif "semicolons" in kind or "lenient" in kind:
        header = header.replace(",", ";")
    yield header
    for row in range(rows):
        at = START + timedelta(minutes=row)
        prices = [f"{1608 + row % 97}.{row * 7 % 100:02d}", f"{1609 + row % 89}.50", "1605.25", f"{1607 + row % 83}.1"]
        cells = [f"T{row % 50:03d}", f"{at.isoformat()}Z", *prices, str(1000 + row * 13 % 9000)]
        cells = changed(kind, row, cells)
        if "Date+Time" in kind:
            cells[1:2] = [f"{at:%Y-%m-%d}", f"{at:%H:%M}"]
        if kind == "a comment every 50 rows" and row % 50 == 0:
            yield "# volumes in lots"
        if kind == "quoted":
            cells = [f'"{cell}"' for cell in cells]
        yield (", " if kind.startswith("blanks") else ";" if ";" in header else ",").join(cells)


def body(kind: str, rows: int) -> bytes:
    """An object of this kind."""
    end = "\r" if kind == "CR alone" else "\n"
    text = "".join(line + end for line in lines_of(kind, rows))
    return text.encode("cp1252" if kind == "Windows-1252" else "utf-8")


def read(kind: str, rows: int, times: int) -> None:
    """In the measured process: reads the kind's objects `times` times; prints the processor time."""
    from pipeline.items import ItemReader, Items

    try:
        from pipeline.rows import Columns as Settings  # type: ignore[attr-defined]  # an older tree
    except ImportError:
        from pipeline.dialect import CsvDialect as Settings
    dialect: Any = Settings.from_environ(KINDS[kind])
    content = body(kind, rows)
    began = time.process_time()
    for _ in range(times * OBJECTS):
        reader = ItemReader("stocks/x.csv", dialect)
        stored = 0
        for start in range(0, len(content), CHUNK_BYTES):
            stored += sum(
                len(found.keys)
                for found in reader.feed(content[start : start + CHUNK_BYTES])
                if isinstance(found, Items)
            )
        stored += sum(len(found.keys) for found in reader.feed(b"", final=True) if isinstance(found, Items))
        assert stored == rows, (kind, stored)
    print(time.process_time() - began)


def cost(tree: Path, kind: str, rows: int, *, by_time: bool) -> float:
    """Instructions per row, or microseconds."""
    figures = []
    for times in (1, 3):
        command = [sys.executable, str(HERE), "--read", kind, "--rows", str(rows), "--times", str(times)]
        if not by_time:
            command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command]
        environ = os.environ | {"PYTHONPATH": str(tree), "PYTHONHASHSEED": "0"}
        done = subprocess.run(command, capture_output=True, text=True, env=environ, check=True)
        if by_time:
            figures.append(float(done.stdout) * 1e6)
        else:
            collected = re.search(r"Collected : ([0-9]+)", done.stderr)
            assert collected is not None, done.stderr
            figures.append(float(collected[1]))
    return (figures[1] - figures[0]) / (2 * OBJECTS * rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, help="another checkout, for the plain kinds")
    parser.add_argument("--rows", type=int, default=1_000, help="rows per object (1000)")
    parser.add_argument("--only", help="kinds whose name has this text")
    parser.add_argument("--time", action="store_true", help="processor time instead of instructions")
    parser.add_argument("--runs", type=int, default=11, help="interleaved runs with --time (11)")
    parser.add_argument("--read", help=argparse.SUPPRESS)
    parser.add_argument("--times", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        read(options.read, options.rows, options.times)
        return
    by_time = options.time or shutil.which("valgrind") is None
    trees = {"now": HERE.parents[1], **({"before": options.before.resolve()} if options.before else {})}
    kinds = ["plain", *(kind for kind in KINDS if kind != "plain" and (options.only or "") in kind)]
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(options.runs if by_time else 1):
        for kind in kinds:
            for name, tree in trees.items():
                if name == "now" or kind in PLAIN:
                    found.setdefault((kind, name), []).append(cost(tree, kind, options.rows, by_time=by_time))
    unit = "us" if by_time else "instructions"
    print(machine(), f"objects of {options.rows} rows", sep=", ")
    print(f"| kind | {unit} per row | rate, of plain |" + (" of before |" if options.before else ""))
    print("| --- | --- | --- |" + (" --- |" if options.before else ""))
    plain = statistics.median(found["plain", "now"])
    for kind in kinds:
        now = statistics.median(found[kind, "now"])
        figure = f"{now:.2f}" if by_time else f"{now:,.0f}"
        before = found.get((kind, "before"))
        ratio = f" {now / statistics.median(before):.3f} |" if before else " |" if options.before else ""
        print(f"| {kind} | {figure} | {plain / now:.0%} |{ratio}")


if __name__ == "__main__":
    main()
