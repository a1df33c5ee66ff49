"""Fixed vectors: bytes of an object -> items and rejections that a person wrote down."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.items import ItemReader, Items, put_request
from pipeline.rows import Columns, ObjectUnreadable, RejectedRow, Row, RowReader

VECTORS = [
    pytest.param(vector, id=f"{path.stem}: {vector['name']}")
    for path in sorted((Path(__file__).parent / "vectors").glob("*.yaml"))
    for vector in yaml.safe_load(path.read_text(encoding="utf-8"))
]
Read = tuple[list[dict[str, Any]], list[tuple[int, str, list[str]]], str | None]


def _bytes_of(vector: dict[str, Any]) -> bytes:
    if "hex" in vector:
        return bytes.fromhex(vector["hex"])
    text = vector["input"]
    if "replace" in vector:
        text = text.replace(*vector["replace"])
    body = text.encode(vector.get("encoding", "utf-8"))
    return gzip.compress(body) if vector.get("gzip") else body


def _reader_arguments(vector: dict[str, Any]) -> tuple[str, Columns]:
    columns = Columns(vector.get("ticker"), vector.get("timestamp"), vector.get("timestamp_format"))
    return vector.get("key", "stocks/aapl.csv"), columns


def _chunks_of(body: bytes, size: int) -> list[bytes]:
    return [body[i : i + size] for i in range(0, len(body), size)]


def _read_rows(vector: dict[str, Any], size: int) -> Read:
    reader = RowReader(*_reader_arguments(vector))
    items: list[dict[str, Any]] = []
    rejected = []
    try:
        rows = [row for chunk in _chunks_of(_bytes_of(vector), size) for row in reader.feed(chunk)]
        rows += reader.feed(b"", final=True)
    except ObjectUnreadable as error:
        return [], [], str(error)
    for row in rows:
        if isinstance(row, Row):
            items.append(json.loads(put_request(row))["PutRequest"]["Item"])
        else:
            rejected.append((row.line, row.reason, list(row.row)))
    return items, rejected, None


def _read_items(vector: dict[str, Any], size: int) -> Read:
    reader = ItemReader(*_reader_arguments(vector))
    items: list[dict[str, Any]] = []
    rejected = []
    blocks: list[Items | RejectedRow] = []
    try:
        for chunk in _chunks_of(_bytes_of(vector), size):
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


@pytest.mark.parametrize("size", [1, 7, 65536])
@pytest.mark.parametrize("read", [_read_rows, _read_items])
@pytest.mark.parametrize("vector", VECTORS)
def test_an_object_becomes_exactly_the_items_and_rejections_written_down(vector, read, size):
    """Whatever the reader and wherever the chunks are cut, the outcome is the one in the vector."""
    items, rejected, unreadable = read(vector, size)

    assert unreadable == vector.get("unreadable")
    assert items == vector.get("items", [])
    assert rejected == [(line, reason, row) for line, reason, row in vector.get("rejected", [])]
