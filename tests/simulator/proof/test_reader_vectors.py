"""The vectors that a person wrote down for the consumer, read by the proof's own reader."""

from __future__ import annotations

import pytest

from fakes.vectors import Vector, vectors
from simulator.proof.content import item_content
from simulator.proof.dialect import Dialect
from simulator.proof.reader import ObjectReader, Rejected, Row
from simulator.proof.records import Unreadable


@pytest.mark.parametrize("size", [1, 7, 65536])
@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector.name) for vector in vectors()])
def test_an_object_says_to_the_proof_what_was_written_down(vector: Vector, size: int) -> None:
    """Items by their meaning, rejected rows by line and fields, and whether it can be read, wherever it is cut."""
    reader = ObjectReader(vector.key, Dialect.from_environ(vector.environ))
    stored: list[Row] = []
    rejected: list[Rejected] = []
    readable = True
    pieces = [vector.body[i : i + size] for i in range(0, len(vector.body), size)]
    try:
        for number, piece in enumerate([*pieces, b""]):
            for rows in reader.feed(piece, final=number == len(pieces)):
                stored += rows.stored
                rejected += rows.rejected
    except Unreadable:
        readable = False

    assert readable == (vector.unreadable is None)
    if readable:
        assert [(pk, sk, content) for pk, sk, _, content in stored] == [
            (item["PK"]["S"], item["SK"]["S"], item_content({n: v for n, v in item.items() if n not in ("PK", "SK")}))
            for item in vector.items
        ]
        assert rejected == [(line, tuple(row)) for line, _, row in vector.rejected]
