"""An inspection as text: tables without lines, which can be piped, and a command to paste."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from simulator.base.shown import printable as plain
from simulator.base.terminal import visible_console
from simulator.base.words import counted
from simulator.dashboard.figures import size
from simulator.files.guess import DELIMITER_NAMES
from simulator.run.command_line import ShellCommand

FULL_FILES = 5
"""If there are more files than this, only the first is shown in full, and the others on one line each."""
CELL_CHARS = 27


def show(found: dict[str, Any]) -> None:
    """Print it to standard output, at the terminal's width."""
    console, files = visible_console(trims=True, highlight=False, emoji=False), found["files"]
    for number, file in enumerate(files):
        if number == 0 or len(files) <= FULL_FILES:
            _show_file(console, file)
    if len(files) > FULL_FILES:
        console.print(_overview(files))
        console.print()
    for one in found["differing"]:
        text = f"not like the others: {plain(one['path'])}: {plain('; '.join(one['differences']))}"
        _line(console, text, style="yellow")
    if found["differing"]:
        console.print()
    _show_parameters(console, found)


def _show_file(console: Console, file: dict[str, Any]) -> None:
    console.print(Text(plain(file["path"]), style="bold"), overflow="fold")
    delimiter = DELIMITER_NAMES.get(file["delimiter"], repr(file["delimiter"]))
    line = file["header_line"]
    header = "no header" if line is None else f"header in line {line:,}"
    rows = counted(file["rows"], "row")
    _line(console, f"{rows}, {size(file['bytes'])}, {delimiter}, {file['encoding']}, {header}", 2)
    console.print()
    table = _table("column", "stored as", "type", "cells")
    for column in file["columns"]:
        cells = ", ".join(map(_short, column["cells"]))
        table.add_row(_short(column["name"], 40), _short(column["stored_as"] or "", 40), _type(column), cells)
    console.print(table)
    console.print()
    for text, style in _findings(file):
        _line(console, text.lstrip(), 2 + len(text) - len(text.lstrip()), style)
    console.print()


def _type(column: dict[str, Any]) -> str:
    if column["key"]:
        return f"{column['key']} (key)"
    kind = str(column["type"])
    if kind == "mixed":
        kind = f"{counted(column['numbers'], 'number')}, {counted(column['texts'], 'text')}"
    return f"{kind}, {column['empty']:,} empty" if column["empty"] and kind != "empty" else kind


def _findings(file: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Further findings about a file, each with a style."""
    key = file["key"]
    ticker, timestamp = key["ticker"], key["timestamp"]
    name = repr(ticker["column"]) if ticker["column"] is not None else ", ".join(map(_short, ticker["cells"][:1]))
    which = f"{plain(name)} ({ticker['why']})" if name else ticker["why"]
    stamp = "the unnamed column" if timestamp["column"] in (None, "") else repr(timestamp["column"])
    yield f"key: {which} and {plain(stamp)} ({timestamp['why']})", ""
    if timestamp["cells"] and timestamp["stored"] and timestamp["cells"][0] != timestamp["stored"][0]:
        yield f"     {plain(timestamp['cells'][0])} is stored as {plain(timestamp['stored'][0])}", ""
    if file["rows"] and not key["repeated"] and not key["replaced"]:
        yield "     unique in all rows", ""
    if key["repeated"]:
        yield f"     {counted(key['repeated'], 'row')} the same as an earlier row", "yellow"
    if first := key["first_replaced"]:
        rows, lines = counted(key["replaced"], "row"), f"lines {first['line']:,} and {first['other_line']:,}"
        clash = f"{plain(first['ticker'])}, {plain(first['timestamp'])}"
        yield f"     {rows} with the key of an earlier row but other values: first {lines} ({clash})", "yellow"
    if file["rejected_rows"]:
        every = "every one of " if not file["rows"] else ""
        yield f"rejected: {every}{counted(file['rejected_rows'], 'row')}", "red"
    for kind in file["rejected"]:
        cell = "" if kind["cell"] is None else f": {_short(kind['cell'], 60)!r}"
        setting = f" ({kind['setting']} may help)" if kind["setting"] else ""
        yield f"     {kind['count']:,} x {plain(kind['reason'])}, first in line {kind['line']:,}{cell}{setting}", "red"
    suspicious = [(column, one) for column in file["columns"] for one in column["suspicious"]]
    if suspicious:
        yield "texts that look like something else:", "yellow"
    for column, one in suspicious:
        which = f"{one['looks_like']} in {counted(one['count'], 'cell')}"
        yield f"     {_short(column['name'], 40)}: {which}: {', '.join(map(_short, one['cells']))}", "yellow"
    for note in file["notes"]:
        yield f"note: {plain(note)}", ""


def _overview(files: list[dict[str, Any]]) -> Table:
    table = _table("file", "rows", "rejected", "keys")
    for file in files:
        key = file["key"]
        keys = f"{key['replaced']:,} replaced" if key["replaced"] else "unique"
        keys = f"{key['repeated']:,} repeated" if key["repeated"] and not key["replaced"] else keys
        table.add_row(plain(file["path"]), f"{file['rows']:,}", f"{file['rejected_rows']:,}", keys)
    return table


def _show_parameters(console: Console, found: dict[str, Any]) -> None:
    for name in found["leave_out"]:
        _line(console, f"leave out: {name}", style="yellow")
    if not found["options"]:
        lost = any(file["rejected_rows"] and not file["rows"] for file in found["files"])
        _line(console, f"use: no parameter {'was found that helps' if lost else 'is needed'}", style="bold")
    else:
        _line(console, "use:", style="bold")
        console.print(ShellCommand(found["options"], 2), crop=False)
        console.print()
        table = _table("parameter", "why")
        for name, why in found["reasons"].items():
            table.add_row(name, plain(why))
        if found["reasons"]:
            console.print(table)
    console.print()
    console.print(ShellCommand(found["command"], 2), crop=False)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _line(console: Console, text: str, indent: int = 0, style: str = "") -> None:
    """Print a statement; if it is wider than the screen, its further lines have a larger indent."""
    if len(text) + indent <= console.width:
        console.print(Text(" " * indent + text, style=style))
        return
    for number, line in enumerate(Text(text, style=style).wrap(console, console.width - indent - 2)):
        blanks = Text(" " * (indent + 2 if number else indent), style=style)
        console.print(blanks.append_text(line), overflow="fold")


def _short(text: str, most: int = CELL_CHARS) -> str:
    whole = plain(text)
    return whole if len(whole) <= most else whole[: most - 3] + "..."
