"""The findings of an inspection as one JSON object, `stockpipe.inspect/1`. Pure: it only arranges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simulator.files.finding import Problem
from simulator.files.inspection import FileFound, Inspection
from simulator.files.survey import EXAMPLE_CHARS, ColumnFound
from simulator.run.command_line import quoted
from stockpipe.commands.files import cure, parameter_words


def document(
    inspection: Inspection,
    problems: Sequence[Problem],
    names: Mapping[str, str],
    given: Mapping[str, str],
    paths: Sequence[Path],
) -> dict[str, Any]:
    """The whole document. `names` has the parameter of each setting, `given` the settings that the user gave.

    Its `parameters` are those to use, including the given ones, except those that make files unreadable.
    """
    kept = {setting: value for setting, value in given.items() if setting not in inspection.without}
    settings = {**kept, **{setting: proposed.value for setting, proposed in inspection.settings.items()}}
    options = parameter_words(settings, names)
    sources = [word for path in paths for word in ("--source", str(path))]
    skipping = ["--skip-unreadable"] if problems and inspection.files else []
    command = ["stockpipe", "simulate", *sources, *options, *skipping]
    return {
        "schema": "stockpipe.inspect/1",
        "files": [_file(one, names, kept) for one in inspection.files],
        "parameters": {names[setting]: value for setting, value in settings.items() if setting in names},
        "reasons": {names[key]: proposed.why for key, proposed in inspection.settings.items() if key in names},
        "leave_out": [names[setting] for setting in inspection.without if setting in names],
        "options": quoted(options),
        "command": quoted(command),
        "differing": [{"path": _text(one.path), "differences": list(one.differences)} for one in inspection.differing],
        "unreadable": [
            {"path": _text(each.path), "reason": each.reason, "cure": cure(each, names)} for each in problems
        ],
    }


def _file(one: FileFound, names: Mapping[str, str], given: Mapping[str, str]) -> dict[str, Any]:
    survey = one.survey
    keys = asdict(survey.keys)
    first = keys.pop("first")
    return {
        "path": _text(one.path),
        "bytes": one.size,
        "rows": survey.rows,
        "rejected_rows": survey.rejected_rows,
        "delimiter": one.delimiter,
        "encoding": one.encoding,
        "header_line": survey.header_line,
        "parameters": {names[key]: value for key, value in {**given, **one.settings}.items() if key in names},
        "columns": _columns(one),
        "key": {
            "ticker": {"column": one.ticker.name, "why": one.ticker.why, "cells": survey.tickers},
            "timestamp": {
                "column": one.timestamp.name,
                "why": one.timestamp.why,
                "cells": list(one.timestamp_texts),
                "stored": survey.timestamps,
            },
            **keys,
            "first_replaced": first and dict(zip(("ticker", "timestamp", "line", "other_line"), first, strict=True)),
        },
        "rejected": [
            {**asdict(kind), "setting": names.get(kind.setting or "")}
            for kind in sorted(survey.rejected.values(), key=lambda kind: (-kind.count, kind.line))
        ],
        "notes": list(one.found.notes),
    }


def _columns(one: FileFound) -> list[dict[str, Any]]:
    """The columns in the header's order, including those of the key."""
    survey, names = one.survey, one.columns
    if len(names) != len(survey.columns):
        names = tuple("" if column is None else column.name for column in survey.columns)
    examples = one.found.examples if len(one.found.examples) == len(names) else ((),) * len(names)
    return [
        _key_column(one, name, cells) if column is None else _column(name, column, survey.rows)
        for name, column, cells in zip(names, survey.columns, examples, strict=True)
    ]


def _key_column(one: FileFound, name: str, cells: Sequence[str]) -> dict[str, Any]:
    """A column of the key; its cells are shown as in the file."""
    part = "ticker" if name == one.ticker.name else "timestamp"
    shown = cells or (one.survey.tickers if part == "ticker" else one.survey.timestamps)
    held = {"cells": [cell[:EXAMPLE_CHARS] for cell in shown], "empty": 0, "suspicious": []}
    return {"name": name, "stored_as": None, "key": part, "type": part, **held}


def _column(name: str, column: ColumnFound, rows: int) -> dict[str, Any]:
    return {
        "name": name,
        "stored_as": column.name,
        "key": None,
        "type": column.kind,
        "numbers": column.numbers,
        "texts": column.texts,
        "empty": rows - column.numbers - column.texts,
        "cells": column.examples,
        "suspicious": [
            {"looks_like": kind, "count": seen.count, "cells": seen.examples}
            for kind, seen in sorted(column.suspicions.items(), key=lambda item: -item[1].count)
        ],
    }


def _text(path: Path) -> str:
    """The path; bytes of it that are not text are shown as such."""
    return str(path).encode(errors="backslashreplace").decode()
