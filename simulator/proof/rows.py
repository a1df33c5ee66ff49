"""Fields -> the row that they make under an object's header. Pure."""

from __future__ import annotations

import re

from simulator.base import limits
from simulator.proof.cells import REMEMBERED_CHARACTERS, cells_of
from simulator.proof.columns import Columns
from simulator.proof.content import label
from simulator.proof.dialect import Dialect
from simulator.proof.failures import NotStorable
from simulator.proof.splitting import BLANKS
from simulator.proof.timestamps import Timestamps

_SURROGATE = re.compile("[\ud800-\udfff]")

Row = tuple[str, str, int, str]
"""Partition key, sort key, the physical line on which the row begins, and its content."""


class RowBuilder:
    """Makes rows of the object at `key` with these columns. `used` are the settings that made a difference."""

    def __init__(self, key: str, columns: Columns, dialect: Dialect) -> None:
        self._ticker_at = columns.ticker_at
        self._timestamp_at, *self._time_at = columns.timestamp_at
        self._timestamps = Timestamps(dialect.timestamp_format, dialect.time_zone)
        self._file_ticker = _file_ticker(key)
        self._width = len(columns.attributes)
        keys = {columns.ticker_at, *columns.timestamp_at}
        others = sorted((name, at) for at, name in enumerate(columns.attributes) if at not in keys)
        self._labels = [(at, label(name)) for name, at in others]
        self._name_bytes = [len(name.encode()) for name, _ in others]
        keys_bytes = limits.DYNAMODB_HASH_KEY_BYTES + limits.DYNAMODB_RANGE_KEY_BYTES
        self._surely_fits = (limits.DYNAMODB_ITEM_BYTES - keys_bytes - sum(self._name_bytes)) // 4
        self._cells = cells_of(dialect.decimal_separator, dialect.numbers == "lenient")
        self._sought = dialect.chosen & {"DECIMAL_SEPARATOR", "NUMBERS"}
        self._used: set[str] = set()

    @property
    def used(self) -> set[str]:
        """The settings that were needed to read a timestamp or a number."""
        return self._used | self._timestamps.used

    def row(self, line: int, fields: list[str]) -> Row:
        """The row that these fields make. Raises `NotStorable`."""
        if len(fields) != self._width:
            raise NotStorable
        text = "".join(fields)
        if not text.isascii() and _SURROGATE.search(text):
            raise NotStorable
        ticker = self._file_ticker if self._ticker_at is None else fields[self._ticker_at]
        if not ticker or len(ticker.encode()) > limits.DYNAMODB_HASH_KEY_BYTES:
            raise NotStorable
        if self._sought:
            self._look_for_use(fields)
        written = fields[self._timestamp_at]
        if self._time_at:
            both = (fields[at].strip(BLANKS) for at in (self._timestamp_at, *self._time_at))
            written = " ".join(filter(None, both))
        timestamp = self._timestamps.read(written)
        short, long, parts = self._cells.remembered_value, self._cells.value, []
        for at, name in self._labels:
            if cell := fields[at]:
                parts.append(name + (short(cell) if len(cell) <= REMEMBERED_CHARACTERS else long(cell)))
        if len(text) > self._surely_fits and self._item_bytes(ticker, timestamp, fields) > limits.DYNAMODB_ITEM_BYTES:
            raise NotStorable
        return ticker, timestamp, line, ",".join(parts)

    def _look_for_use(self, fields: list[str]) -> None:
        for at, _ in self._labels:
            self._used |= self._cells.uses(fields[at])
        self._sought = self._sought - self._used

    def _item_bytes(self, ticker: str, timestamp: str, fields: list[str]) -> int:
        """Names and values in UTF-8 (DynamoDB Developer Guide, "Item sizes and formats")."""
        size = len("PKSK") + len(ticker.encode()) + len(timestamp)
        for (at, _), name_bytes in zip(self._labels, self._name_bytes, strict=True):
            if cell := fields[at]:
                size += name_bytes + self._cells.size(cell)
        return size


def _file_ticker(key: str) -> str:
    name = key.rsplit("/", 1)[-1].upper()
    for suffix in (".CSV.GZ", ".CSV"):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name
