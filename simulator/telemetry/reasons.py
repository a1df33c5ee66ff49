"""Causes in words, grouped: details that differ between messages are folded, so many causes stay few. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.base.shown import printable
from simulator.telemetry.snapshot import Cause, Example

REASONS_KEPT = 20
"""How many causes are kept, which is more than anybody reads. The rest counts as `OTHERS`."""
EXAMPLES_KEPT = 5
REASON_CHARACTERS = 400
CELL_CHARACTERS = 100
OTHERS = "other reasons"
ELLIPSIS = "…"

# Quoted text, paths and keys, identifiers, numbers. An apostrophe within a word is not a quote.
_VARYING = re.compile(
    r"""(
        (?<!\w)'[^']*'(?!\w) | "[^"]*" | `[^`]*`
      | [^\s'"`,;:()]*/[^\s'"`,;()]*
      | \b[0-9a-f]{8}(?:-[0-9a-f]{4,12})+\b
      | \b(?=[a-f]*[0-9])[0-9a-f]{8,}\b
      | (?<![\w.])[-+]?[0-9][0-9.,:]*(?:e[-+]?[0-9]+)?
    )""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(slots=True, eq=False)
class ReasonGroup:
    """Everything with the same reason: `words` is the reason's text in pieces, of which every second may vary.

    A piece that has been the same each time is shown, one that varied is an ellipsis; `kind` is the text without all
    pieces that may vary. `tests` counts test events of S3, which queues do not count: they make up a group's count only
    if it has nothing else.
    """

    words: list[str]
    kind: str = OTHERS
    permanent: bool | None = None
    setting: str | None = None
    outcome: str | None = None
    count: int = 0
    tests: int = 0
    deleted: int = 0
    dead_lettered: int = 0
    examples: list[Example] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The reason in words."""
        return "".join(self.words)

    def add(self, example: Example | None, count: int = 1) -> None:
        """It happened `count` more times, for example here."""
        self.count += count
        self.show(example)

    def show(self, example: Example | None) -> None:
        """Keep an example if it is among the first."""
        if example is not None and len(self.examples) < EXAMPLES_KEPT and example not in self.examples:
            self.examples.append(example)


class Causes:
    """At most `REASONS_KEPT` groups, and `others` for everything else."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Any, ...], ReasonGroup] = {}
        self.others = ReasonGroup([OTHERS])

    def group(
        self, reason: str, permanent: bool | None = None, setting: str | None = None, outcome: str | None = None
    ) -> ReasonGroup:
        """The group of this reason. `setting` is the environment variable that would fix it."""
        pieces = _VARYING.split(printable(reason)[:REASON_CHARACTERS])
        key = (permanent, setting, outcome, *pieces[::2])
        if (group := self._groups.get(key)) is None:
            if len(self._groups) >= REASONS_KEPT:
                return self.others
            group = self._groups[key] = ReasonGroup(pieces, ELLIPSIS.join(pieces[::2]), permanent, setting, outcome)
            return group
        words = group.words
        for place in range(1, len(words), 2):
            if words[place] != pieces[place]:
                words[place] = ELLIPSIS
        return group

    def view(self, parameters: Mapping[str, str]) -> tuple[Cause, ...]:
        """All causes, most frequent first. `parameters` has the template parameter behind each setting."""
        groups = sorted(self._groups.values(), key=lambda group: -group.count)
        return tuple(_cause(group, parameters) for group in (*groups, self.others) if group.count or group.tests)


def _cause(group: ReasonGroup, parameters: Mapping[str, str]) -> Cause:
    return Cause(
        reason=group.text,
        permanent=group.permanent,
        count=group.count or group.tests,
        examples=tuple(group.examples),
        parameter=parameters.get(group.setting) if group.setting else None,
        outcome=group.outcome,
        deleted=group.deleted,
        dead_lettered=group.dead_lettered,
    )


def shortened(cell: object) -> str | None:
    """A cell's text as an example shows it; None for anything but text."""
    if not isinstance(cell, str):
        return None
    return cell if len(cell) <= CELL_CHARACTERS else cell[: CELL_CHARACTERS - 1] + ELLIPSIS


def spot(key: str | None, line: int | None, cell: str | None) -> str:
    """Where an example was seen: `stocks/a.csv line 3 'yesterday'`; empty if nothing is known."""
    parts = (key, None if line is None else f"line {line:,}", None if cell is None else f"'{cell}'")
    return printable(" ".join(filter(None, parts)))


def structured(line: str, message: str) -> dict[str, Any] | None:
    """A log line that is a JSON object with this `message`; None for any other."""
    if f'"{message}"' not in line:
        return None
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("message") == message else None


def text_in(document: Mapping[str, Any], name: str) -> str | None:
    """A text that is not empty; None for anything else."""
    value = document.get(name)
    return value if isinstance(value, str) and value else None


def whole_in(document: Mapping[str, Any], name: str) -> int | None:
    """A whole number; None for anything else."""
    value = document.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def mappings_in(document: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    """The JSON objects of a list; none if it is not a list."""
    values = document.get(name)
    return (each for each in values if isinstance(each, dict)) if isinstance(values, list) else iter(())
