"""The result of a proof: the account of every row, its verdict, and what would make keys unique. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Literal

from simulator.proof.columns import KeyColumns
from simulator.proof.dialect import Dialect

Verdict = Literal["exact", "lossy", "differs", "unproven"]
Acceptable = Literal["overwritten"]
"""A loss that a user may declare as intended."""


@dataclass(frozen=True, slots=True)
class ObjectsAtRest:
    """Objects for which a queue holds a message, or whose message a filter deleted.

    `rows` counts the distinct keys of each, `rows_stored` those that are in the table nevertheless.
    """

    objects: int
    rows: int
    rows_stored: int


@dataclass(frozen=True, slots=True)
class Sampled:
    """How many objects were drawn and read, whole, and of how many."""

    objects: int
    of: int


@dataclass(frozen=True, slots=True)
class Audit:
    """The account of every row. All fields but the last six are the summary's `audit`.

    `parsed_rows` - `rejected` - `duplicates` are the rows that belong in the table, counted once per object.
    `overwritten` are those `duplicates` whose content differs from that of the row that replaced them. `expected_rows`
    are the distinct keys of the objects whose messages are gone from the queues and were not filtered. `missing` and
    `extra` include rejected rows, which are missing if there is no record of them. `superseded` are items, and records
    of rejected rows, that only an earlier content of an object explains. `objects_all_rejected` and
    `objects_many_rejected` count the settled objects of which all rows, or many, were rejected. `unused_settings` are
    the consumer's variables that differ from their defaults but affected no object. `notes` describes in words the
    first object for each of these two counts that is not zero, and each unused setting, under its name. `differences`
    describes the first differences, one line each, those between the ledgers (`ledgers.py`) before those between rows;
    `apart` names what no figures cover. `keys` says how the keys of the first objects with overwritten rows were
    chosen, and what would make them unique.

    In a sample (`sampled`), every figure but the `objects` at rest is about its objects alone, and `stored_rows` are
    the items under their keys; `extra` is None, because the audit does not look for it, unless a record of a rejected
    row is extra.
    """

    parsed_rows: int
    rejected: int
    duplicates: int
    expected_rows: int
    stored_rows: int
    missing: int
    extra: int | None
    different: int
    ambiguous: int
    overwritten: int
    superseded: int
    objects_all_rejected: int
    objects_many_rejected: int
    dead_lettered: ObjectsAtRest
    pending: ObjectsAtRest
    filtered: ObjectsAtRest
    verdict: Verdict
    differences: tuple[str, ...]
    apart: tuple[str, ...]
    keys: tuple[str, ...]
    unused_settings: tuple[str, ...]
    notes: Mapping[str, str]
    sampled: Sampled | None = None


_UNUSED = {
    "TIMESTAMP_FORMAT": "no object had a timestamp in this format",
    "TIME_ZONE": "no object had a time of day without a zone",
    "DELIMITER": "no object had columns that it separates",
    "DECIMAL_SEPARATOR": "no object had a number with it",
    "COMMENT": "no object had such a line",
    "ENCODING": "no object had a character beyond ASCII",
    "NULL_VALUES": "no object had such a cell",
    "NUMBERS": "no object had a number that is not written as in JSON",
}
_SHOWN_CHARACTERS = 60


def unused_text(variable: str, value: str) -> str:
    """A sentence that says that the consumer's variable made no difference to any object."""
    short = value if len(value) <= _SHOWN_CHARACTERS else value[: _SHOWN_CHARACTERS - 1] + "…"
    return f"{variable} is set to {short!r} and {_UNUSED.get(variable, 'made no difference to any object')}"


def verdict(counts: Mapping[str, int], *, complete: bool, agreed: bool, accepted: Set[Acceptable]) -> Verdict:
    """The first of unproven, differs, lossy and exact that applies.

    `complete`: nothing was still in flight; `agreed`: every report matches what was found.
    """
    if not complete:
        return "unproven"
    if not agreed or counts["missing"] or counts["extra"] or counts["different"]:
        return "differs"
    return "lossy" if counts["overwritten"] and "overwritten" not in accepted else "exact"


def keys_text(object_key: str, keys: KeyColumns, dialect: Dialect) -> str:
    """How an object's keys were chosen, and what would make them unique if they are not."""
    if keys.ticker is None:
        ticker = "the file's name (no column is called ticker or symbol)"
    else:
        ticker = f"the column {keys.ticker!r} ({'TICKER_COLUMN' if dialect.ticker_column else 'by its name'})"
    chosen = "TIMESTAMP_COLUMN" if dialect.timestamp_column else "by its name" if keys.timestamp.strip() else "unnamed"
    return (
        f"the keys of {object_key} are {ticker} and the column {keys.timestamp!r} ({chosen}), and are not unique: "
        "choose others with the template parameters TickerColumn and TimestampColumn, or accept the loss with "
        "--accept overwritten"
    )
