"""Fixed vectors: bytes of an object -> items and rejections that a person wrote down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fakes.vectors import Vector, vectors
from pipeline.dialect import CsvDialect
from pipeline.items import ItemReader, Items, put_request
from pipeline.rows import ObjectUnreadable, RejectedRow, Row, RowReader

Read = tuple[list[dict[str, Any]], list[tuple[int, str, list[str]]], str | None]


def _reader_arguments(vector: Vector) -> tuple[str, CsvDialect]:
    return vector.key, CsvDialect.from_environ(vector.environ)


def _chunks_of(body: bytes, size: int) -> list[bytes]:
    return [body[i : i + size] for i in range(0, len(body), size)]


def _read_rows(vector: Vector, size: int) -> Read:
    reader = RowReader(*_reader_arguments(vector))
    items: list[dict[str, Any]] = []
    rejected = []
    try:
        rows = [row for chunk in _chunks_of(vector.body, size) for row in reader.feed(chunk)]
        rows += reader.feed(b"", final=True)
    except ObjectUnreadable as error:
        return [], [], str(error)
    for row in rows:
        if isinstance(row, Row):
            items.append(json.loads(put_request(row))["PutRequest"]["Item"])
        else:
            rejected.append((row.line, row.reason, list(row.row)))
    return items, rejected, None


def _read_items(vector: Vector, size: int) -> Read:
    reader = ItemReader(*_reader_arguments(vector))
    items: list[dict[str, Any]] = []
    rejected = []
    blocks: list[Items | RejectedRow] = []
    try:
        for chunk in _chunks_of(vector.body, size):
            blocks += reader.feed(chunk)
        blocks += reader.feed(b"", final=True)
    except ObjectUnreadable as error:
        return [], [], str(error)
    for block in blocks:
        if isinstance(block, Items):
            items += [json.loads(put)["PutRequest"]["Item"] for put in block.puts]
            assert [(item["PK"]["S"], item["SK"]["S"]) for item in items[-len(block.keys) :]] == block.keys
        else:
            rejected.append((block.line, block.reason, list(block.row)))
    return items, rejected, None


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector.name)
def test_an_object_becomes_exactly_the_items_and_rejections_written_down(vector):
    """Whatever the reader and wherever the chunks are cut, the outcome is the one in the vector."""
    for read in (_read_rows, _read_items):
        for size in (1, 7, 65536):
            items, rejected, unreadable = read(vector, size)

            assert unreadable == vector.unreadable, (read, size)
            assert items == vector.items, (read, size)
            assert rejected == vector.rejected, (read, size)
