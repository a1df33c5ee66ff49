"""The vectors that a person wrote down for the consumer, read by the proof's own reader."""

from __future__ import annotations

import pytest

from fakes.proof_records import in_pieces, rows_of
from fakes.vectors import Vector, vectors
from simulator.proof.content import item_content
from simulator.proof.dialect import Dialect


@pytest.mark.parametrize("vector", [pytest.param(vector, id=vector.name) for vector in vectors()])
def test_an_object_says_to_the_proof_what_was_written_down(vector: Vector) -> None:
    """Items match by meaning, rejected rows by line and fields, and readability too, wherever it is cut."""
    written = [
        (item["PK"]["S"], item["SK"]["S"], item_content({n: v for n, v in item.items() if n not in ("PK", "SK")}))
        for item in vector.items
    ]
    for size in (1, 7, 65536):
        found = rows_of(in_pieces(vector.body, size), vector.key, Dialect.from_environ(vector.environ))
        assert (found.unreadable is None) == (vector.unreadable is None), size
        if found.unreadable is None:
            assert [(pk, sk, content) for pk, sk, _, content in found.stored] == written, size
            assert found.rejected == [(line, tuple(row)) for line, _, row in vector.rejected], size
